// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the provider may be: in the file of the calls, in another object, in a library that is linked, loaded before the program, or loaded and
//! unloaded by it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cases::{read, sources};
use crate::harness::{assert_counts_up, record_with};
use crate::library::{Build, COMPILERS, Compiler, GCC, archive, shared};

fn words(words: &[OsString]) -> Vec<&OsStr> {
    words.iter().map(AsRef::as_ref).collect()
}

fn make(compiler: Compiler, flags: &[&str], sources: &[&str], libraries: &[OsString], name: &str) -> Option<PathBuf> {
    Build { compiler, flags, sources, libraries: &words(libraries) }.make(name)
}

/// Fails unless all events of the scenario `steps` are there.
#[track_caller]
fn check_steps(command: &mut Command) {
    let (summary, _, _scratch) = record_with(command.arg("steps"), |_| {});
    assert!(summary.losses.is_empty(), "{command:?}: {:?}", summary.losses);
    let mut found = sources(&read(&summary));
    assert_counts_up(&found.remove(&1).unwrap_or_default(), 1000);
    assert_eq!(found, BTreeMap::from([(80, vec![0]), (81, vec![0])]), "{command:?}: before and after main");
}

#[test]
fn in_the_same_file_with_each_compiler() {
    for compiler in COMPILERS {
        if let Some(program) = make(compiler, &["-DWITH_PROBES"], &["traced.c"], &shared(), "same") {
            check_steps(&mut Command::new(program));
        }
    }
}

#[test]
fn with_the_archive() {
    for (compiler, flags) in COMPILERS.iter().flat_map(|c| [(*c, "-pie"), (*c, "-no-pie")]) {
        let flags = ["-DWITH_PROBES", flags, if flags == "-pie" { "-fPIE" } else { "-fno-pie" }];
        if let Some(program) = make(compiler, &flags, &["traced.c"], &[archive().into(), "-ldl".into()], "archive") {
            check_steps(&mut Command::new(program));
        }
    }
}

#[test]
fn with_each_linker_that_removes_what_is_unused() {
    for linker in ["bfd", "lld", "mold"] {
        let flag = format!("-fuse-ld={linker}");
        let program = if linker == "bfd" {
            "ld.bfd"
        } else if linker == "lld" {
            "ld.lld"
        } else {
            linker
        };
        if !crate::harness::is_installed(program) {
            continue;
        }
        let flags = ["-DWITH_PROBES", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", &flag];
        for libraries in [shared(), vec![archive().into(), "-ldl".into()]] {
            if let Some(program) = make(GCC, &flags, &["traced.c"], &libraries, linker) {
                check_steps(&mut Command::new(program));
            }
        }
    }
}

#[test]
fn in_a_program_without_a_dynamic_linker() {
    let libraries = [archive().into()];
    let flags = ["-DWITH_PROBES", "-static", "-Wl,--no-warnings"];
    if let Some(program) = make(GCC, &flags, &["traced.c"], &libraries, "static") {
        check_steps(&mut Command::new(program));
    }
}

#[test]
fn in_another_object_of_the_program() {
    for compiler in COMPILERS {
        if let Some(program) = make(compiler, &[], &["traced.c", "provider.c"], &shared(), "object") {
            check_steps(&mut Command::new(program));
        }
    }
}

fn provider() -> Option<PathBuf> {
    make(GCC, &["-shared", "-fPIC"], &["provider.c"], &shared(), "libprovider.so")
}

#[test]
fn in_a_library_that_the_program_is_linked_with() {
    let Some(provider) = provider() else { return };
    let folder = provider.parent().unwrap_or(Path::new("/"));
    let mut libraries = shared();
    // Else the linker leaves out a library of which no symbol is used.
    libraries.extend(["-Wl,--no-as-needed".into(), provider.clone().into_os_string()]);
    libraries.push(format!("-Wl,-rpath,{}", folder.display()).into());
    for libraries in [libraries.clone(), [vec![archive().into()], libraries].concat()] {
        if let Some(program) = make(GCC, &[], &["traced.c"], &libraries, "linked") {
            check_steps(&mut Command::new(program));
        }
    }
}

/// The program without libust.
fn unlinked() -> Option<PathBuf> {
    make(GCC, &["-DTRACEPOINT_PROBE_DYNAMIC_LINKAGE"], &["traced.c"], &["-ldl".into()], "unlinked")
}

#[test]
fn in_a_library_that_is_loaded_before_the_program() {
    let (Some(program), Some(provider)) = (unlinked(), provider()) else { return };
    let lib = crate::library::prefix().join("lib");
    check_steps(Command::new(&program).env("LD_PRELOAD", &provider).env("LD_LIBRARY_PATH", &lib));
}

#[test]
fn nowhere() {
    let Some(program) = unlinked() else { return };
    for lib in ["", crate::library::prefix().join("lib").to_str().expect("a plain path")] {
        let (summary, _, _scratch) =
            record_with(Command::new(&program).arg("steps").env("LD_LIBRARY_PATH", lib), |_| {});
        assert_eq!(summary.packets, 0);
    }
}

#[test]
fn in_a_library_that_the_program_loads_late() {
    let (Some(program), Some(provider)) = (unlinked(), provider()) else { return };
    let lib = crate::library::prefix().join("lib");
    let mut command = Command::new(&program);
    command.arg("late_provider").arg(&provider).env("LD_LIBRARY_PATH", lib);
    let (summary, output, _scratch) = record_with(&mut command, |_| {});
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "before=0 loaded=1 after=0");
    let found = sources(&read(&summary));
    assert_eq!(found.keys().collect::<Vec<_>>(), [&1]);
    assert_counts_up(&found[&1], 10);
}

#[test]
fn with_other_arguments_than_the_calls() {
    let mut libraries = shared();
    libraries.push("-Wl,--no-as-needed".into());
    let flags = [r#"-DSTEP_ARGS="int, other""#];
    let Some(program) = make(GCC, &flags, &["traced.c", "provider.c"], &libraries, "other") else { return };
    let (summary, _, _scratch) = record_with(Command::new(program).arg("steps"), |_| {});
    assert_eq!(sources(&read(&summary)), BTreeMap::new(), "the calls do not fit the provider");
}

/// More often than an image has entries for objects.
const CYCLES: u64 = 300;

#[test]
fn in_plugins_that_come_and_go() {
    let Some(plugin) = make(GCC, &["-shared", "-fPIC"], &["plugin.c"], &shared(), "plugin.so") else { return };
    for libraries in [shared(), vec![archive().into(), "-ldl".into()]] {
        let flags = ["-DWITH_PROBES", "-rdynamic"];
        let Some(program) = make(GCC, &flags, &["traced.c"], &libraries, "host") else { return };
        let mut command = Command::new(program);
        let (summary, _, _scratch) = record_with(command.arg("plugins").arg(&plugin).arg(CYCLES.to_string()), |_| {});
        assert!(summary.losses.is_empty(), "{:?}", summary.losses);
        let found = sources(&read(&summary));
        assert_counts_up(&found[&1], 10 * CYCLES);
        assert_counts_up(&found[&2], CYCLES);
        assert_eq!((found[&90].len() as u64, found[&91].len() as u64), (CYCLES, CYCLES));
    }
}

#[test]
fn a_program_sees_whether_libust_is_loaded() {
    let loaded = |program: &Path, preload: &Path| {
        let output = Command::new(program).env("LD_PRELOAD", preload).output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let (library, nothing) = (crate::library::prefix().join("lib/libust.so"), Path::new(""));
    // Else the linker leaves out what nothing seems to need.
    let linked = [vec!["-Wl,--no-as-needed".into()], shared()].concat();
    let archive = ["-Wl,-u,ust_object_register_v1".into(), archive().into(), "-ldl".into()];
    for compiler in COMPILERS {
        for (flags, libraries, preload, expected) in [
            // Exported, for the library to find it.
            (&["-rdynamic"][..], &[][..], nothing, "0"),
            (&["-rdynamic"], &[], &library, "1"),
            (&["-pie", "-fPIE"], &linked, nothing, "1"),
            (&["-no-pie", "-fno-pie"], &linked, nothing, "1"),
            (&[], &archive, nothing, "1"),
        ] {
            let Some(program) = make(compiler, flags, &["loaded.c"], libraries, "loaded") else { continue };
            assert_eq!(loaded(&program, preload), expected, "{flags:?} {libraries:?} {preload:?}");
        }
    }
}
