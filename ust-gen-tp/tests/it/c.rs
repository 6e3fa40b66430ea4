// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C of each definition file: what it is, and that compilers take it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use ust_gen_tp::{Dialect, Options, c_header, c_shim, c_source, read_for_c};

use crate::fixtures::{compare, files, is_installed};

/// Files whose types and constants no program has, or whose strings are none of C.
const NOT_COMPILED: [&str; 4] = ["not_in_rust", "not_in_rust_shim", "odd_names", "odd_names_shim"];

/// Files with what C++ does not have.
const NOT_CPP: [&str; 2] = ["expressions", "expressions_shim"];

/// Files that are made C++: one is nothing else, the others in addition.
const CPP: [&str; 3] = ["cplusplus", "classes", "program"];

fn stem(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}

fn check_golden(path: &Path, folder: &str, dialect: Dialect) {
    let found = read_for_c(path, &Options::default()).expect("a readable file");
    assert_eq!(found.problems.render(&found.sources), "", "{}", path.display());
    let golden = Path::new("tests/fixtures").join(folder).join(stem(path));
    let header = golden.with_extension("h");
    compare(&golden, "h", &c_header(&found, &header, dialect));
    let suffix = if dialect == Dialect::C { "c" } else { "cpp" };
    compare(&golden, suffix, &c_source(&found, &header.file_name().expect("a name").to_string_lossy()));
}

#[test]
fn each_good_file_becomes_the_expected_c() {
    for path in files("pass") {
        if path.ends_with("header_macros.tp") && !is_installed("cc") {
            continue;
        }
        let is_cpp = CPP.contains(&stem(&path).as_str());
        if stem(&path) != "cplusplus" {
            check_golden(&path, "c", Dialect::C);
        }
        if is_cpp {
            check_golden(&path, "cpp", Dialect::Cpp);
        }
    }
}

/// The golden source files of a folder.
fn sources(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new("tests/fixtures").join(folder)).expect("the golden files");
    let is_source = |path: &PathBuf| path.extension().is_some_and(|suffix| suffix == "c" || suffix == "cpp");
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).filter(is_source).collect();
    found.retain(|path| !NOT_COMPILED.contains(&stem(path).as_str()));
    found.sort();
    assert!(!found.is_empty());
    found
}

/// Compiles a golden file; says what the compiler said if it said anything.
fn compile(line: &str, source: &Path, object: &Path) -> Option<String> {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().expect("a compiler"));
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-DUST_WITH_WARNINGS", "-c"]).args(words);
    command.args(["-I../ust-capi/include", "-I../ust-capi/compat", "-iquote", "tests/fixtures/pass"]);
    let stub = Path::new("tests/fixtures/stubs").join(stem(source).trim_end_matches("_shim")).with_extension("h");
    if stub.exists() {
        command.arg("-include").arg(stub);
    }
    let output = command.arg("-o").arg(object).arg(source).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success() || !said.is_empty()).then(|| format!("{line} {}:\n{said}", source.display()))
}

/// Compiles the golden files of a folder, but for some, in all ways, a few at a time.
fn compile_all(folder: &str, but: &[&str], lines: &[&str]) {
    let compilers: Vec<&str> = lines.iter().map(|line| line.split(' ').next().expect("a word")).collect();
    if !compilers.iter().all(|compiler| is_installed(compiler)) {
        return;
    }
    let mut sources = sources(folder);
    sources.retain(|path| !but.contains(&stem(path).as_str()));
    let work = sources.iter().flat_map(|source| lines.iter().map(move |line| (*line, source)));
    let (work, failures) = (Mutex::new(work), Mutex::new(Vec::new()));
    let place = tempfile::tempdir().expect("a directory");
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let object = place.path().join(format!("{worker}.o"));
            let (work, failures) = (&work, &failures);
            scope.spawn(move || {
                loop {
                    let next = work.lock().expect("no panic").next();
                    let Some((line, source)) = next else { break };
                    failures.lock().expect("no panic").extend(compile(line, source, &object));
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no panic");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn compilers_of_c_take_it_without_a_warning() {
    compile_all("c", &[], &["gcc -std=c11 -O2", "gcc -std=gnu2x -O0", "clang -std=c11 -O2"]);
}

#[test]
fn a_compiler_for_aarch64_takes_it_without_a_warning() {
    compile_all("c", &[], &["aarch64-linux-gnu-gcc -std=c11 -O2"]);
}

#[test]
fn compilers_of_cpp_take_the_same_without_a_warning() {
    let gcc = "g++ -x c++ -D_Bool=bool";
    compile_all("c", &NOT_CPP, &[&format!("{gcc} -std=c++11 -O2"), "clang++ -x c++ -D_Bool=bool -std=c++20 -O1"]);
}

#[test]
fn compilers_of_cpp_take_what_is_made_for_them_without_a_warning() {
    let lines = ["g++ -std=c++11 -O2", "g++ -std=gnu++20 -O0", "clang++ -std=c++11 -O0", "clang++ -std=c++20 -O2"];
    compile_all("cpp", &[], &lines);
}

/// Compiles the shim of an event under a condition that only the compiler decides, `Some` with what it says if it fails.
fn compile_conditional(condition: &str, flags: &str) -> Option<String> {
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join("k.tp");
    let event =
        |args: &str| format!("TRACEPOINT_EVENT(k, b, TP_ARGS({args}), TP_FIELDS(ctf_integer(int, x, id + q[0])))\n");
    let text = format!(
        "{condition}\n{}#else\n{}#endif\n",
        event("int, id, const char *, q"),
        event("const char *, q, int, id"),
    );
    fs::write(&path, text).expect("a file");
    let found = ust_gen_tp::read(&path, &Options::default()).expect("a readable file");
    let made = ust_gen_tp::rust(&found.model, &found.sources, Some(&ust_gen_tp::Shim::default()));
    assert_eq!(made.in_c.len(), 1);
    let found = read_for_c(&path, &Options::default()).expect("a readable file");
    let source = place.path().join("k_shim.c");
    fs::write(&source, c_shim(&found, &made.in_c, Dialect::C)).expect("a file");
    compile(&format!("gcc -std=c11 {flags}"), &source, &place.path().join("k.o"))
}

#[test]
fn a_shim_is_for_the_build_that_the_rust_is_for() {
    if !is_installed("gcc") {
        return;
    }
    // Rust is made for a compiler that defines nothing; the order of the arguments is another one then.
    let said = compile_conditional("#ifdef __linux__", "").expect("an error");
    assert!(said.contains("k.tp:4: the Rust of k:b is for another build"), "{said}");
    assert_eq!(compile_conditional("#ifdef OTHER", ""), None);
    let said = compile_conditional("#ifdef OTHER", "-DOTHER").expect("an error");
    assert!(said.contains("say what this one defines with -D (Builder::define)"), "{said}");
}

#[test]
fn compilers_take_what_rust_calls_without_a_warning() {
    // Functions of the file are left that only events use which Rust records.
    let lines = ["gcc -std=c11 -O2 -Wmissing-prototypes", "clang -std=c11 -O0 -Wno-unused-function"];
    compile_all("shim", &["cplusplus_shim"], &lines);
    let lines =
        ["g++ -x c++ -D_Bool=bool -std=c++11 -O2", "clang++ -x c++ -D_Bool=bool -std=c++20 -O1 -Wno-unused-function"];
    compile_all("shim", &NOT_CPP, &lines);
}
