// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts the events of a trace, with one or several threads, and says how long it took.

use std::time::Instant;

use ust_ctf::reader::Trace;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: count PATH [THREADS]")?;
    let threads: usize = arguments.next().map_or(Ok(1), |threads| threads.parse())?;
    let begin = Instant::now();
    let trace = Trace::open(path)?;
    let opened = begin.elapsed();
    let count: u64 = if threads > 1 {
        trace.par_map_windows(threads, || (), |(), events| events.count()).sum()
    } else {
        trace.events().count()
    };
    let all = begin.elapsed();
    println!("{count} events, opened in {opened:?}, read in {:?}", all - opened);
    Ok(())
}
