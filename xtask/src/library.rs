// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C library: from the static library that cargo makes of `ust-capi` to what a C compiler is used to.
//!
//! Cargo's archive holds all of Rust's standard library, with symbols that a second Rust library in the same program has as well. So it is linked to one
//! object of what is needed, whose only symbols are those of `symbols.map`: that is libust.a. libust.so is linked of the same object; cargo
//! could not give it symbol versions.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// Names the interface; docs/c-abi.md tells when it changes.
const SONAME: &str = "libust.so.1";

/// The file that it is a link to: what was added to the interface, and what was mended, count behind it.
const FILE_NAME: &str = "libust.so.1.0.0";

/// Installs everything below `destdir` + `prefix`.
///
/// # Errors
/// A command that fails, with what it printed; a file that cannot be written.
pub fn install(prefix: &Path, libdir: &Path, destdir: Option<&Path>) -> Result<()> {
    ensure!(
        prefix.is_absolute(),
        "the prefix is `{}`; it must be an absolute path, because the pkg-config files name it",
        prefix.display()
    );
    ensure!(
        libdir.is_relative(),
        "the folder of the libraries is `{}`; it must lie below the prefix",
        libdir.display()
    );
    let root = match destdir {
        Some(destdir) => destdir.join(prefix.strip_prefix("/").unwrap_or(prefix)),
        None => prefix.to_owned(),
    };
    let (lib, include) = (root.join(libdir), root.join("include"));
    let made = make()?;
    let version = env!("CARGO_PKG_VERSION");
    copy(&made.object_archive, &lib.join("libust.a"))?;
    copy(&made.shared, &lib.join(FILE_NAME))?;
    link(FILE_NAME, &lib.join(SONAME))?;
    link(SONAME, &lib.join("libust.so"))?;
    let headers = source_root().join("ust-capi");
    copy_tree(&headers.join("include"), &include)?;
    copy_tree(&headers.join("compat"), &include.join("ust-compat"))?;
    for (name, include_more, description) in [
        ("ust", "", "Typed, lock-free userspace tracepoints"),
        ("ust-lttng", " -I${includedir}/ust-compat", "The same for sources that include <lttng/tracepoint.h>"),
    ] {
        let text = format!(
            "prefix={}\nlibdir=${{prefix}}/{}\nincludedir=${{prefix}}/include\n\nName: {name}\nDescription: {description}\nVersion: {version}\n\
             Libs: -L${{libdir}} -lust\nLibs.private: -ldl -lpthread\nCflags: -I${{includedir}}{include_more}\n",
            prefix.display(),
            libdir.display(),
        );
        write(&lib.join("pkgconfig").join(format!("{name}.pc")), &text)?;
    }
    println!("installed libust {version} below {}", root.display());
    Ok(())
}

struct Made {
    object_archive: PathBuf,
    shared: PathBuf,
}

fn make() -> Result<Made> {
    let root = source_root();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    run(Command::new(cargo).current_dir(&root).args(["build", "--quiet", "--profile", "capi", "-p", "ust-capi"]))?;
    let archive = target.join("capi/libust_capi.a");
    let work = target.join("capi/libust");
    fs::create_dir_all(&work).with_context(|| format!("cannot make the folder {}", work.display()))?;
    let symbols = symbols(&fs::read_to_string(root.join("ust-capi/symbols.map")).context("cannot read symbols.map")?);
    ensure!(!symbols.is_empty(), "ust-capi/symbols.map names no symbols");

    let object = work.join("ust.o");
    let named = symbols.iter().map(|symbol| OsString::from(format!("-Wl,-u,{symbol}")));
    run(cc().args(["-r", "-nostdlib", "-Wl,--gc-sections", "-o"]).arg(&object).args(named).arg(&archive))?;
    let kept = symbols.iter().map(|symbol| format!("--keep-global-symbol={symbol}"));
    // The standard library brings its bitcode along, which is of no use to a linker and takes some archivers in.
    let unused = [".llvmbc", ".llvmcmd"].map(|section| format!("--remove-section={section}"));
    run(Command::new("objcopy").args(kept).args(unused).arg("--strip-debug").arg(&object))?;

    let object_archive = work.join("libust.a");
    if object_archive.exists() {
        fs::remove_file(&object_archive)?;
    }
    run(Command::new("ar").arg("rcsD").arg(&object_archive).arg(&object))?;

    let shared = work.join(SONAME);
    let map = root.join("ust-capi/symbols.map");
    run(cc()
        .args(["-shared", "-o"])
        .arg(&shared)
        .arg(format!("-Wl,-soname,{SONAME}"))
        .arg(format!("-Wl,--version-script={}", map.display()))
        // Threads of the program may be in its code at any moment.
        .args(["-Wl,-z,nodelete", "-Wl,-z,defs", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,--gc-sections"])
        .arg(&object)
        .args(["-ldl", "-lpthread"]))?;
    Ok(Made { object_archive, shared })
}

/// The names in the global part of a version script.
fn symbols(map: &str) -> Vec<String> {
    let global = map.split("global:").nth(1).and_then(|rest| rest.split("local:").next()).unwrap_or_default();
    global.split(';').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// The C compiler that the environment names.
fn cc() -> Command {
    let named = std::env::var("CC").unwrap_or_default();
    let mut words = named.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("cc"));
    command.args(words);
    command
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run `{program}`: is it installed?"))?;
    if !output.status.success() {
        bail!("`{program}` failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    make_parent(to)?;
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("cannot read the folder {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Makes the symbolic link `at`, whatever stood there before.
fn link(to: &str, at: &Path) -> Result<()> {
    match fs::remove_file(at) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot replace {}", at.display()));
        }
        _ => {}
    }
    std::os::unix::fs::symlink(to, at).with_context(|| format!("cannot link {}", at.display()))
}

fn write(to: &Path, text: &str) -> Result<()> {
    make_parent(to)?;
    fs::write(to, text).with_context(|| format!("cannot write {}", to.display()))
}

fn make_parent(of: &Path) -> Result<()> {
    let Some(parent) = of.parent() else { return Ok(()) };
    fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))
}
