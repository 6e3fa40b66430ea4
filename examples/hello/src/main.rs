// SPDX-License-Identifier: MIT OR Apache-2.0
//! The classic hello program: emits one kind of event as fast as it goes and says what an event cost.
//!
//! Emits `tptest_sighandler` from a signal handler on SIGUSR1, also while it is inside another event.

mod events;

use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};

/// Emits events as fast as it goes and prints what one cost.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Events per thread.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Threads that emit at the same time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    threads: u32,
    /// The event to emit.
    #[arg(long, value_enum, default_value_t = Event::Tptest)]
    event: Event,
    /// Seconds to wait before the first event.
    #[arg(long, default_value_t = 0.0, value_parser = seconds)]
    delay: f64,
}

/// What a thread emits.
#[derive(Clone, Copy, ValueEnum)]
enum Event {
    /// Twelve fields of every kind.
    Tptest,
    /// One 32-bit integer.
    One,
}

fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|e| format!("{e}"))?;
    if value.is_finite() && (0.0..=86_400.0).contains(&value) {
        Ok(value)
    } else {
        Err("allowed are 0 to 86400 seconds".to_owned())
    }
}

fn main() {
    let options = Options::parse();
    events::emit_on_sigusr1();
    std::thread::sleep(Duration::from_secs_f64(options.delay));
    let run = || match options.event {
        Event::Tptest => emit_tptest(options.events),
        Event::One => emit_one(options.events),
    };
    let ns: Vec<f64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..options.threads).map(|_| scope.spawn(run)).collect();
        let mine = run();
        let others = threads.into_iter().filter_map(|thread| thread.join().ok());
        std::iter::once(mine).chain(others).collect()
    });
    let name = match options.event {
        Event::Tptest => "tptest",
        Event::One => "one",
    };
    let mean = ns.iter().sum::<f64>() / ns.len() as f64;
    println!("{name} threads={} {mean:.2} ns/event", options.threads);
}

/// Nanoseconds per event.
fn emit_tptest(count: u64) -> f64 {
    let values = [1i64, 2, 3];
    let text = b"test\0\0\0\0\0\0";
    let word = "test";
    let begin = Instant::now();
    for i in 0..count {
        let i = i as i32;
        events::tptest(i, i.to_be(), &values, text, word, 2222.0, 2.0);
    }
    begin.elapsed().as_nanos() as f64 / count as f64
}

/// Nanoseconds per event.
fn emit_one(count: u64) -> f64 {
    let begin = Instant::now();
    for i in 0..count {
        events::one(i as i32);
    }
    begin.elapsed().as_nanos() as f64 / count as f64
}
