// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many threads.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::effects;
use crate::events;

const STACK_BYTES: usize = 64 << 10;

fn spawn<'s, 'e>(scope: &'s thread::Scope<'s, 'e>, run: impl FnOnce() + Send + 's) -> thread::ScopedJoinHandle<'s, ()> {
    thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run).expect("a thread")
}

/// `count` threads, `live` of them at a time, with `events` events each; the source is the thread's number.
pub fn short(count: u64, live: u64, events: u64) {
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..live {
            spawn(scope, || {
                loop {
                    let source = next.fetch_add(1, Ordering::Relaxed);
                    if source >= count {
                        break;
                    }
                    thread::scope(|scope| {
                        spawn(scope, || events::emit_all(source as u32, events));
                    });
                }
            });
        }
    });
    effects::print_image();
}

/// `count` threads that live at the same time, with `events` events each.
pub fn live(count: u64, events: u64) {
    let barrier = Barrier::new(count as usize);
    thread::scope(|scope| {
        for source in 0..count {
            let barrier = &barrier;
            spawn(scope, move || {
                events::emit_all(source as u32, events);
                barrier.wait();
            });
        }
    });
    effects::print_image();
}

/// `waves` times `count` threads that live at the same time. Between two waves the consumer has time to drain.
pub fn waves(waves: u64, count: u64, events: u64) {
    for wave in 0..waves {
        let barrier = Barrier::new(count as usize);
        thread::scope(|scope| {
            for thread in 0..count {
                let barrier = &barrier;
                spawn(scope, move || {
                    events::emit_all((wave * count + thread) as u32, events);
                    barrier.wait();
                });
            }
        });
        while effects::rings_in_use() > 0 {
            thread::yield_now();
        }
    }
    effects::print_image();
}
