// SPDX-License-Identifier: MIT OR Apache-2.0
//! Each definition file against what is expected of it.

use std::path::Path;
use std::process::Command;

use ust_gen_tp::{Dialect, Options, Shim, c_shim, json, read, read_for_c, rust};

use crate::fixtures::{compare, files, is_installed};

#[test]
fn each_good_file_is_read_without_complaint_into_the_expected_model_and_rust() {
    for path in files("pass") {
        if path.ends_with("header_macros.tp") && !is_installed("cc") {
            continue;
        }
        let found = read(&path, &Options::default()).expect("a readable file");
        assert_eq!(found.problems.render(&found.sources), "", "{}", path.display());
        compare(&path, "json", &json(&found.model, &found.sources, &path.to_string_lossy()));
        let made = rust(&found.model, &found.sources, None);
        compare(&path, "rs", &made.text);
        let said: Vec<String> =
            made.omitted.iter().map(|omitted| omitted.render(&found.sources, "C") + "\n\n").collect();
        compare(&path, "omitted", &said.concat());
    }
}

#[test]
fn what_only_a_compiler_understands_becomes_functions_of_c_and_the_rust_that_calls_them() {
    for path in files("pass") {
        if path.ends_with("header_macros.tp") && !is_installed("cc") {
            continue;
        }
        let (dialect, suffix) = if path.ends_with("cplusplus.tp") { (Dialect::Cpp, "cpp") } else { (Dialect::C, "c") };
        let shim = Shim { dialect, libraries: Vec::new() };
        let found = read(&path, &Options::default()).expect("a readable file");
        let made = rust(&found.model, &found.sources, Some(&shim));
        assert!(made.omitted.iter().all(|omitted| !omitted.needs_shim), "{}", path.display());
        if made.in_c.is_empty() {
            continue;
        }
        let stem = path.file_stem().expect("a name").to_string_lossy();
        let golden = Path::new("tests/fixtures/shim").join(&*stem);
        compare(&golden, "rs", &made.text);
        let said: Vec<String> =
            made.omitted.iter().map(|omitted| omitted.render(&found.sources, "C") + "\n\n").collect();
        compare(&golden, "omitted", &said.concat());
        let found = read_for_c(&path, &Options::default()).expect("a readable file");
        let source = golden.with_file_name(format!("{stem}_shim.{suffix}"));
        compare(&source, suffix, &c_shim(&found, &made.in_c, dialect));
    }
}

#[test]
fn each_bad_file_is_refused_with_all_of_its_mistakes_and_their_places() {
    for path in files("fail") {
        let found = read(&path, &Options::default()).expect("a readable file");
        assert!(found.problems.has_errors(), "{}", path.display());
        compare(&path, "txt", &found.problems.render(&found.sources));
    }
}

#[test]
fn each_doubtful_file_is_read_with_a_warning() {
    for path in files("warn") {
        let found = read(&path, &Options::default()).expect("a readable file");
        assert!(!found.problems.has_errors(), "{}", path.display());
        assert!(!found.model.events.is_empty());
        compare(&path, "txt", &found.problems.render(&found.sources));
    }
}

#[test]
fn the_json_is_what_other_programs_read_as_json() {
    for path in files("pass") {
        let text = std::fs::read_to_string(path.with_extension("json")).expect("a golden file");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((value["format"].as_str(), value["version"].as_i64()), (Some("ust-gen-tp"), Some(1)));
        assert_eq!(value["file"].as_str(), path.to_str());
        assert!(value["events"].as_array().is_some_and(|events| events.iter().all(|event| event["line"].is_u64())));
    }
}

#[test]
fn more_than_ten_arguments_are_allowed_on_demand() {
    let options = Options { many_args: true, ..Options::default() };
    let found = read("tests/fixtures/fail/eleven_arguments.tp".as_ref(), &options).expect("a readable file");
    assert_eq!(found.problems.render(&found.sources), "");
    assert_eq!(found.model.events[0].args.len(), 11);
}

#[test]
fn a_definition_on_the_command_line_decides_conditions() {
    let names = |defines: &[&str]| {
        let options =
            Options { defines: defines.iter().map(|define| define.to_string()).collect(), ..Options::default() };
        let found = read("tests/fixtures/pass/conditionals.tp".as_ref(), &options).expect("a readable file");
        assert!(!found.problems.has_errors());
        let events = found.model.events.iter();
        let certain = events.filter(|event| event.head.conditions.is_empty());
        certain.map(|event| (event.head.name.text.clone(), event.args.len())).collect::<Vec<_>>()
    };
    let named =
        |names: &[(&str, usize)]| names.iter().map(|(name, args)| (name.to_string(), *args)).collect::<Vec<_>>();
    assert_eq!(names(&[]), named(&[("always", 0)]));
    assert_eq!(
        names(&["HAVE_FABRIC", "FABRIC_VERSION=3", "VARIANT_A"]),
        named(&[("always", 0), ("with_fabric", 0), ("with_new_fabric", 0), ("variant", 1)])
    );
    assert_eq!(names(&["HAVE_FABRIC", "FABRIC_VERSION=2"]), named(&[("always", 0), ("with_fabric", 0)]));
}

#[test]
fn the_rust_is_formatted_as_rustfmt_does_it() {
    if !is_installed("rustfmt") {
        return;
    }
    let shims =
        files("pass").into_iter().map(|path| Path::new("tests/fixtures/shim").join(path.file_name().expect("a name")));
    let all = files("pass").into_iter().chain(shims).map(|path| path.with_extension("rs"));
    for path in all.filter(|path| path.exists()) {
        // Its own settings, not those of this project.
        let settings = "max_width=100,use_small_heuristics=Default";
        let mut command = Command::new("rustfmt");
        command.args(["--check", "--edition", "2024", "--config", settings]).arg(path);
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
