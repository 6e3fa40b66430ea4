// SPDX-License-Identifier: MIT OR Apache-2.0
//! The record of the hello event through the `tracing` crate with a non-blocking writer that loses nothing.
//!
//! `bench-tracing EVENTS DIR` prints `tracing threads=1 NNN.NN ns/event`.

use std::path::Path;
use std::time::Instant;

use tracing_appender::non_blocking::NonBlockingBuilder;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(events), Some(dir)) = (arguments.next().and_then(|n| n.parse::<i32>().ok()), arguments.next()) else {
        eprintln!("usage: bench-tracing EVENTS DIR");
        std::process::exit(2);
    };
    let file = tracing_appender::rolling::never(Path::new(&dir), "tracing.log");
    let (writer, guard) = NonBlockingBuilder::default().lossy(false).finish(file);
    tracing_subscriber::fmt().with_writer(writer).with_ansi(false).init();
    let (values, text) = ([1i64, 2, 3], "test");
    let begin = Instant::now();
    for i in 0..events {
        tracing::info!(
            intfield = i,
            intfield2 = i,
            longfield = i64::from(i),
            netintfield = i.to_be(),
            netintfieldhex = i.to_be(),
            arrfield1 = ?values,
            arrfield2 = text,
            seqfield1 = ?text.as_bytes(),
            seqfield2 = text,
            stringfield = text,
            floatfield = 2222.0f64,
            doublefield = 2.0f64,
        );
    }
    drop(guard);
    println!("tracing threads=1 {:.3} ns/event", begin.elapsed().as_nanos() as f64 / f64::from(events));
}
