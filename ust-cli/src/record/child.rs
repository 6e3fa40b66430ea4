// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program that is recorded.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use super::{Arguments, Mode};
use crate::problem::Problem;
use crate::signals::Signals;

/// Where the program is, so that nothing is set up for one that does not exist.
pub fn find(command: &[OsString]) -> Result<PathBuf, Problem> {
    let name = command.first().map(OsString::as_os_str).unwrap_or_default();
    let shown = Path::new(name).display();
    if name.as_encoded_bytes().contains(&b'/') {
        let hint = "the path of a program; in the current directory it begins with ./";
        return match executable(Path::new(name)) {
            Ok(()) => Ok(PathBuf::from(name)),
            Err(reason) => Err(Problem::new(format!("cannot run `{shown}`: {reason}"), hint)),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| executable(file).is_ok());
    found.ok_or_else(|| {
        let here = Path::new(".").join(name);
        let hint = if executable(&here).is_ok() {
            format!("ust record -- {}", here.display())
        } else {
            "the path of the program, or a directory in PATH that holds it".to_owned()
        };
        Problem::new(format!("cannot run `{shown}`: no such program in PATH"), hint)
    })
}

fn executable(file: &Path) -> Result<(), String> {
    let found = file.metadata().map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is no file".to_owned());
    }
    if found.permissions().mode() & 0o111 == 0 {
        return Err("it is not executable".to_owned());
    }
    Ok(())
}

/// Starts the program with the recorder's address in its environment.
pub fn start(program: &Path, arguments: &Arguments, runtime_dir: &Path, signals: &Signals) -> anyhow::Result<Child> {
    let mut command = Command::new(program);
    // It sees the name that was typed, as from a shell.
    command.arg0(arguments.command.first().map_or(OsStr::new(""), |name| name));
    command.args(arguments.command.iter().skip(1)).env("UST_RUNTIME_DIR", runtime_dir);
    if arguments.mode == Mode::Block {
        command.env("UST_ALLOW_BLOCKING", "1");
    }
    signals.start(&mut command).map_err(|error| {
        let what = format!("cannot run `{}`: {error}", program.display());
        Problem::new(what, "check that it is a program for this machine, or a script with a #! line").into()
    })
}

/// The exit status as a shell reports it.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.map_or(1, |code| code as u8)
}
