// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a program can notice of being instrumented.
//!
//! # Safety
//! `errno` is this thread's own location; all else is system calls.

#![allow(unsafe_code)]

use std::fs;
use std::io::{BufRead as _, Read as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ust_tests::Payload;

use crate::events;

/// This process's image, if it has one.
fn image() -> Option<PathBuf> {
    let dir = PathBuf::from(std::env::var_os("UST_RUNTIME_DIR")?).join("apps");
    let own = format!("{}-", std::process::id());
    let names = fs::read_dir(dir).ok()?.flatten();
    names
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&own)))
}

/// Prints what the image's header says of its growth, and the memory that it takes.
pub fn print_image() {
    let Some(path) = image() else { return println!("image=0") };
    let file = fs::File::open(&path).expect("our image");
    let mut header = [0; 128];
    file.read_exact_at(&mut header, 0).expect("an image has a header");
    let rings = u32::from_le_bytes(header[72..76].try_into().expect("four bytes"));
    let kib = file.metadata().expect("our image").blocks() / 2;
    println!("image=1 rings={rings} image_kib={kib}");
}

/// Rings that a thread has, or that the consumer has not drained since. A thread counts as joined a little before it returns
/// its rings.
pub fn rings_in_use() -> usize {
    const LEASED: u8 = 2;
    const RETURNED: u8 = 3;
    let file = fs::File::open(image().expect("an image")).expect("our image");
    let mut directory = vec![0; 64 * 4096];
    file.read_exact_at(&mut directory, 16_384).expect("an image has a ring directory");
    directory.chunks_exact(64).filter(|entry| matches!(entry[0], LEASED | RETURNED)).count()
}

fn entries(dir: &str) -> usize {
    fs::read_dir(dir).expect("proc").count()
}

/// Records `count` events and looks whether `errno`, threads or descriptors changed.
pub fn look(count: u64) {
    const MARK: i32 = 4321;
    let descriptors = entries("/proc/self/fd");
    let mut changed = 0;
    let mut slowest = Duration::ZERO;
    for seq in 0..count {
        let payload = Payload::new(0, seq);
        let hash = payload.hash();
        let begin = Instant::now();
        // SAFETY: this thread's own location.
        unsafe { *libc::__errno_location() = MARK };
        events::step(0, seq, hash, payload.bytes());
        // SAFETY: as above.
        changed += u32::from(unsafe { *libc::__errno_location() } != MARK);
        slowest = slowest.max(begin.elapsed());
    }
    let gained = entries("/proc/self/fd") - descriptors;
    let threads = entries("/proc/self/task");
    println!("errno_changed={changed} descriptors={descriptors} gained={gained} threads={threads}");
    println!("slowest_us={}", slowest.as_micros());
}

/// Prints the memory that the runtime takes while nobody traces.
pub fn memory() {
    print_image();
    // A private anonymous mapping that fork wipes is the runtime's: nobody else uses the flag ("wf").
    let smaps = fs::read_to_string("/proc/self/smaps").expect("proc");
    let mut rss = 0;
    let mut private = 0;
    for line in smaps.lines() {
        if let Some(kib) = line.strip_prefix("Rss:") {
            rss = kib.trim().trim_end_matches(" kB").parse::<u64>().expect("a number");
        }
        if line.strip_prefix("VmFlags:").is_some_and(|flags| flags.split(' ').any(|flag| flag == "wf")) {
            private += rss;
        }
    }
    println!("private_kib={private}");
}

/// Records until its input ends, with a pause between two events; tells how many, how long the slowest took, and how
/// long it took to end. A line of input is answered with the number of events so far.
pub fn until_told(pause_us: u64) {
    static STOP: AtomicBool = AtomicBool::new(false);
    let reader = std::thread::spawn(|| {
        let mut input = std::io::stdin().lock();
        let mut line = String::new();
        while input.read_line(&mut line).is_ok_and(|n| n > 0) {
            println!("answer");
        }
        let _ = input.read_to_end(&mut Vec::new());
        STOP.store(true, Ordering::SeqCst);
    });
    let mut emitted = 0;
    let mut slowest = Duration::ZERO;
    while !STOP.load(Ordering::SeqCst) {
        let begin = Instant::now();
        events::emit(0, emitted);
        slowest = slowest.max(begin.elapsed());
        emitted += 1;
        if pause_us > 0 {
            std::thread::sleep(Duration::from_micros(pause_us));
        }
    }
    reader.join().expect("no panic");
    println!("emitted={emitted} slowest_us={}", slowest.as_micros());
}
