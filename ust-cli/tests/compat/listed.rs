// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `ust list` shows of a running program.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::build::{Build, GCC};
use crate::stage::Stage;

const LEVELS: [(&str, &str); 18] = [
    ("emergency", "EMERG (0)"),
    ("alert", "ALERT (1)"),
    ("critical", "CRIT (2)"),
    ("error", "ERR (3)"),
    ("run", "WARNING (4)"),
    ("notice", "NOTICE (5)"),
    ("information", "INFO (6)"),
    ("debug_system", "DEBUG_SYSTEM (7)"),
    ("debug_program", "DEBUG_PROGRAM (8)"),
    ("debug_process", "DEBUG_PROCESS (9)"),
    ("debug_module", "DEBUG_MODULE (10)"),
    ("debug_unit", "DEBUG_UNIT (11)"),
    ("debug_function", "DEBUG_FUNCTION (12)"),
    ("debug_line", "DEBUG_LINE (13)"),
    ("debug", "DEBUG (14)"),
    // Of whose level nothing is said.
    ("walk", "DEBUG_LINE (13)"),
    ("nothing", "DEBUG_LINE (13)"),
    ("integers", "DEBUG_LINE (13)"),
];

#[test]
fn events_of_a_running_program_are_listed_with_their_levels() {
    let stage = Stage::new();
    let program = stage.place.path().join("waits");
    if !Build::new(GCC, &[], &["waits.c"]).make(&program) {
        return;
    }
    let mut command = Command::new(program);
    stage.prepare(&mut command);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it lives");
    let listed = stage.ust("list --userspace");
    drop(child.stdin.take());
    assert!(child.wait().expect("our child").success());
    for (name, level) in LEVELS {
        let wanted = format!("kinds:{name} (loglevel: {level}) ");
        assert_eq!(listed.matches(&wanted).count(), 1, "{wanted}: {listed}");
    }
    assert_eq!(listed.matches("kinds:").count(), 27, "each event once: {listed}");
}
