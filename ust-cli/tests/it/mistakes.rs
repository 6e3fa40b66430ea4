// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mistakes are answered with one line of what is wrong and one of what to try, and leave nothing behind.

use crate::harness::Place;

#[test]
fn each_mistake_has_its_answer() {
    let cases: &[(&[&str], &str, &str)] = &[
        (&["-e", ""], "event pattern `` is empty", "-e 'PROVIDER:*', or no -e at all for every event"),
        (
            &["-e", "count"],
            "event pattern `count` matches nothing: events are called provider:name",
            "-e 'count:*' or -e '*:count'",
        ),
        (&["--subbuf-size", "128M"], "--subbuf-size 128M is not possible", "--subbuf-size from 4K to 64M"),
        (&["--subbuf-size", "0"], "--subbuf-size 0 is not possible", "--subbuf-size from 4K to 64M"),
        (&["--subbuf-count", "65"], "--subbuf-count 65 is not possible", "--subbuf-count from 2 to 64"),
        (
            &["-o", "no/trace"],
            "cannot create directory `no/trace`: No such file or directory (os error 2)",
            "create the parent directory first",
        ),
        (
            &["-o", "/proc/trace"],
            "cannot create directory `/proc/trace`: No such file or directory (os error 2)",
            "create the parent directory first",
        ),
    ];
    for (options, what, hint) in cases {
        let place = Place::new();
        let run = place.record(options, &["events", "1"]);
        assert_eq!(run.stderr, format!("error: {what}\ntry:   {hint}\n"), "{options:?}");
        assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""), "{options:?}");
        assert!(place.names().is_empty(), "{options:?} left {:?}", place.names());
    }
}

#[test]
fn a_program_that_cannot_run_is_named_before_anything_is_made() {
    let place = Place::new();
    std::fs::write(place.path().join("data"), "").expect("new");
    let cases = [
        ("no-such-program", "cannot run `no-such-program`: no such program in PATH"),
        ("./none", "cannot run `./none`: No such file or directory (os error 2)"),
        ("./data", "cannot run `./data`: it is not executable"),
        ("/tmp/", "cannot run `/tmp/`: it is no file"),
    ];
    for (program, what) in cases {
        let run = place.ust(&["record", "--", program]);
        assert_eq!(run.status, Some(1), "{program}");
        assert!(run.stderr.starts_with(&format!("error: {what}\ntry:   ")), "{run:?}");
        assert_eq!(run.stderr.lines().count(), 2, "{run:?}");
        assert_eq!(place.names(), ["data"]);
    }
}

#[test]
fn a_program_that_the_kernel_refuses_leaves_nothing_behind() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let script = place.path().join("script");
    std::fs::write(&script, "#!/no/such/interpreter\n").expect("new");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("ours");
    let run = place.ust(&["record", "--", "./script"]);
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.starts_with("error: cannot run `./script`: "), "{run:?}");
    assert_eq!(place.names(), ["script"]);
}

#[test]
fn a_size_that_is_no_number_is_a_usage_error() {
    let place = Place::new();
    let run = place.record(&["--subbuf-size", "12X"], &[]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("`X` is no unit; write a number, or a number with K, M or G"), "{run:?}");
    let run = place.ust(&["record"]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("<CMD>..."), "{run:?}");
}
