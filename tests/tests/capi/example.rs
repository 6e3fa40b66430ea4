// SPDX-License-Identifier: MIT OR Apache-2.0
//! `examples/hello-c`: made as its Makefile says, and recorded together with its twin in Rust.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::harness::{is_installed, record_with};
use crate::library::{cargo_build, prefix, target, workspace};

/// The program in C; `None` where a tool is missing.
fn hello_c(compiler: &str) -> Option<PathBuf> {
    let tools = ["make", "pkg-config", compiler];
    if !tools.iter().all(|tool| is_installed(tool)) {
        return None;
    }
    let build = target().join(format!("hello-c-{compiler}"));
    let _ = std::fs::remove_dir_all(&build);
    std::fs::create_dir_all(&build).expect("a folder");
    let generator = cargo_build("ust-gen-tp");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths(generator.parent().map(PathBuf::from).into_iter().chain(std::env::split_paths(&path)));
    let mut make = Command::new("make");
    make.current_dir(workspace().join("examples/hello-c")).arg(format!("BUILD={}", build.display()));
    make.arg(format!("CC={compiler}")).env("PATH", path.expect("plain paths"));
    make.env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"));
    let output = make.output().expect("make runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
    Some(build.join("hello-c"))
}

#[test]
fn the_example_in_c_records_what_the_one_in_rust_records() {
    if !is_installed("babeltrace2") {
        return;
    }
    let hello = cargo_build("hello");
    for compiler in ["gcc", "clang"] {
        let Some(hello_c) = hello_c(compiler) else { continue };
        let script =
            r#"for event in tptest one; do "$0" --events 50 --event $event && "$1" --events 50 --event $event; done"#;
        let mut command = Command::new("sh");
        let (summary, _, _scratch) = record_with(command.args(["-c", script]).arg(&hello_c).arg(&hello), |_| {});
        assert!(summary.losses.is_empty(), "{:?}", summary.losses);
        let shown = Command::new("babeltrace2").arg(&summary.output).output().expect("it runs");
        assert_eq!(String::from_utf8_lossy(&shown.stderr), "");
        let mut events = BTreeMap::<String, Vec<String>>::new();
        for line in String::from_utf8_lossy(&shown.stdout).lines() {
            let (head, fields) = line.split_once(" }, { ").expect("a packet context, then fields");
            let (_, event) = head.split_once(") ").expect("a name behind the time");
            let event = event.split_once(": {").expect("a name").0.rsplit(' ').next().unwrap_or_default();
            let program = head.split_once("procname = ").expect("a name").1;
            events.entry(program.to_owned()).or_default().push(format!("{event} {fields}"));
        }
        let (in_c, in_rust) = (&events["\"hello-c\""], &events["\"hello\""]);
        assert_eq!(in_c.len(), 100);
        assert_eq!(in_c, in_rust, "{compiler}");
    }
}
