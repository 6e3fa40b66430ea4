// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program that records itself: no daemon, no second process.
//!
//! ```text
//! cargo run -p ust-consumerd --example self_record -- DIR
//! ```
//!
//! The program registered before `main`, in the runtime directory that its environment names; the recording takes place
//! there. Run it with `UST_RUNTIME_DIR` set to a directory of its own if another recorder is at work.

use std::error::Error;

use ust_consumerd::{EngineOptions, Recording};

/// An order was placed.
#[ust::tracepoint(provider = "shop")]
fn order(id: u32, total: f64);

fn main() -> Result<(), Box<dyn Error>> {
    let output = std::env::args_os().nth(1).ok_or("usage: self_record DIR (a new directory for the trace)")?;
    order(0, 0.0); // before the recording: costs one load and a branch, and is not in the trace
    let recording = Recording::start(EngineOptions::new(output))?;
    let workers: Vec<_> = (0..4).map(|worker| std::thread::spawn(move || place_orders(worker))).collect();
    for worker in workers {
        worker.join().expect("the worker does not panic");
    }
    let summary = recording.stop();
    order(0, 0.0); // after it: not in the trace either
    for (provider, count) in summary.events_per_provider() {
        println!("{provider}: {count} events");
    }
    println!("lost: {}", summary.losses.events());
    println!("trace: {}", summary.output.display());
    Ok(())
}

fn place_orders(worker: u32) {
    for id in 0..1000 {
        order(worker * 1000 + id, f64::from(id) * 0.99);
    }
}
