// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program with 300 tracepoints and some threads, of which many run at once: `bench-many THREADS EVENTS_PER_SECOND SECONDS`.
//!
//! It says `ready`, waits for a line, and then emits: each thread some events every tenth of a second, since two processors cannot
//! wake 5,000 threads a hundred times each second. At the end it says how many events it has emitted.

use std::time::{Duration, Instant};

/// How often a thread wakes in a second.
const WAKES_PER_SECOND: u64 = 10;

/// Ten tracepoints of the provider, in a module.
macro_rules! ten {
    ($($module:ident $provider:literal)*) => { $(
        #[allow(dead_code)]
        mod $module {
            #[ust::tracepoint(provider = $provider)]
            pub fn e0(n: u32);
            #[ust::tracepoint(provider = $provider)]
            pub fn e1(n: u32);
            #[ust::tracepoint(provider = $provider)]
            pub fn e2(n: u32);
            #[ust::tracepoint(provider = $provider)]
            pub fn e3(n: u32);
            #[ust::tracepoint(provider = $provider)]
            pub fn e4(n: u32);
            #[ust::tracepoint(provider = $provider)]
            pub fn e5(n: u32);
            #[ust::tracepoint(provider = $provider)]
            pub fn e6(n: u32);
            #[ust::tracepoint(provider = $provider)]
            pub fn e7(n: u32);
            #[ust::tracepoint(provider = $provider)]
            pub fn e8(n: u32);
            #[ust::tracepoint(provider = $provider)]
            pub fn e9(n: u32);
        }
    )* };
}

ten! {
    m00 "many00" m01 "many01" m02 "many02" m03 "many03" m04 "many04" m05 "many05" m06 "many06" m07 "many07" m08 "many08" m09 "many09"
    m10 "many10" m11 "many11" m12 "many12" m13 "many13" m14 "many14" m15 "many15" m16 "many16" m17 "many17" m18 "many18" m19 "many19"
    m20 "many20" m21 "many21" m22 "many22" m23 "many23" m24 "many24" m25 "many25" m26 "many26" m27 "many27" m28 "many28" m29 "many29"
}

/// Emits for so many seconds; returns how many events.
fn emit(thread: u64, threads: u64, rate: u64, seconds: u64) -> u64 {
    let begin = Instant::now();
    let pause = Duration::from_secs(1) / WAKES_PER_SECOND as u32;
    let mut at = begin + pause * thread as u32 / threads as u32;
    let mut emitted = 0;
    for _ in 0..seconds * WAKES_PER_SECOND {
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        at += pause;
        for _ in 0..rate / WAKES_PER_SECOND {
            m00::e0(emitted as u32);
            emitted += 1;
        }
    }
    emitted
}

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|number| number.parse().ok()).collect();
    let [threads, rate, seconds] = numbers[..] else {
        eprintln!("error: bench-many THREADS EVENTS_PER_SECOND SECONDS");
        std::process::exit(2);
    };
    println!("ready");
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line).is_ok_and(|bytes| bytes == 0) {
        return;
    }
    let emitted: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || emit(thread, threads, rate, seconds))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
    });
    println!("{emitted}");
}
