// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sources compile in each standard of their language, and our headers add no warning to those that a project asks for.

use std::path::Path;

use crate::build::{Build, C_COMPILERS, CXX_COMPILERS, Compiler};

/// A file with call sites and recording functions, one with call sites, and one that only calls.
const SOURCES: [(&[&str], &str); 3] = [(&["-DIN_ONE_FILE"], "parts.c"), (&[], "parts.c"), (&[], "calls.c")];

#[track_caller]
fn check(compiler: Compiler, flags: &[&str]) {
    for (define, source) in SOURCES {
        let flags = [&["-c", "-Wno-unused-command-line-argument", "-UUST_WITH_WARNINGS"], flags, define].concat();
        Build { is_linked_with_tracer: false, ..Build::new(compiler, &flags, &[source]) }.make(Path::new("/dev/null"));
    }
}

#[test]
fn each_standard_of_c() {
    for language in [&["-std=c99"], &["-std=gnu99"], &["-std=c11"], &["-std=c17"], &["-std=gnu2x"]] {
        for compiler in C_COMPILERS {
            check(compiler.with(language), &[]);
        }
    }
    for compiler in C_COMPILERS {
        check(compiler.with(&["-std=gnu89"]), &["-Wno-pedantic"]);
    }
}

#[test]
fn each_standard_of_cxx() {
    for language in [&["-x", "c++", "-std=c++11"], &["-x", "c++", "-std=c++17"], &["-x", "c++", "-std=c++2b"]] {
        for compiler in CXX_COMPILERS {
            check(compiler.with(language), &[]);
        }
    }
}

const FOR_ALL: &[&str] = &[
    "-Wcast-align",
    "-Wcast-qual",
    "-Wconversion",
    "-Wfloat-equal",
    "-Wformat=2",
    "-Wmissing-declarations",
    "-Wredundant-decls",
    "-Wsign-conversion",
    "-Wswitch-default",
    "-Wundef",
    "-Wvla",
    "-Wwrite-strings",
];
const FOR_C: &[&str] = &[
    "-Wshadow",
    "-Wbad-function-cast",
    "-Wdeclaration-after-statement",
    "-Wmissing-prototypes",
    "-Wnested-externs",
    "-Wold-style-definition",
    "-Wstrict-prototypes",
];
const FOR_CXX: &[&str] = &["-Wold-style-cast"];

#[test]
fn warnings_that_projects_ask_for() {
    for compiler in C_COMPILERS {
        check(compiler, &[FOR_ALL, FOR_C].concat());
    }
    for compiler in CXX_COMPILERS {
        check(compiler, &[FOR_ALL, FOR_CXX].concat());
    }
}
