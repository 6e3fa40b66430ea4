// SPDX-License-Identifier: MIT OR Apache-2.0
//! A traced program for the tests of `ust record`: does what its arguments say, one after another.
//!
//! `events N`, `queries N` (each takes a microsecond or more), `exit CODE`, `abort`, `say WORD`, `where` (prints its runtime directory), `wait` (until it is killed), `serve` (does
//! what the lines on its standard input say, and answers each: `events N`, `severe N`, `thread N`, `spin` (for ever)). Values go on
//! from one line to the next.

use std::io::Write as _;

/// Counts.
#[ust::tracepoint(provider = "traced")]
fn count(n: u64);

/// Something begins.
#[ust::tracepoint(provider = "traced", loglevel = Info)]
fn query_begin(id: u64, text: &str);

/// It ends.
#[ust::tracepoint(provider = "traced", loglevel = Info)]
fn query_end(id: u64, rows: Option<u32>, ratio: f64, parts: &[u16]);

/// Counts what matters.
#[ust::tracepoint(provider = "traced", loglevel = Warning)]
fn severe(n: u64);

/// Never emitted.
#[ust::tracepoint(provider = "traced")]
fn never(n: u64);

fn main() {
    let mut arguments = std::env::args().skip(1);
    while let Some(verb) = arguments.next() {
        let mut operand = || arguments.next().expect("the verb has an operand");
        match verb.as_str() {
            "events" => {
                let events: u64 = operand().parse().expect("a number");
                (0..events).for_each(count);
            }
            "queries" => {
                let queries: u64 = operand().parse().expect("a number");
                for id in 0..queries {
                    query_begin(id, if id % 2 == 0 { "select *" } else { "insert" });
                    let begin = std::time::Instant::now();
                    while begin.elapsed() < std::time::Duration::from_micros(1) {}
                    query_end(id, (id % 3 == 0).then_some(id as u32), id as f64 / 4.0, &[7, id as u16]);
                }
            }
            "exit" => std::process::exit(operand().parse().expect("a number")),
            "abort" => std::process::abort(),
            "say" => println!("{}", operand()),
            "where" => println!("{}", std::env::var("UST_RUNTIME_DIR").expect("set by the recorder")),
            "serve" => serve(),
            "wait" => {
                std::io::stdout().flush().expect("a reader");
                loop {
                    std::thread::park();
                }
            }
            other => never(other.len() as u64),
        }
    }
}

fn serve() {
    let mut next = 0;
    println!("ready");
    for line in std::io::stdin().lines() {
        let line = line.expect("text");
        let (verb, number) = line.split_once(' ').unwrap_or((&line, "0"));
        let end = next + number.parse::<u64>().expect("a number");
        match verb {
            "events" => (next..end).for_each(count),
            "severe" => (next..end).for_each(severe),
            "thread" => {
                let range = next..end;
                std::thread::spawn(move || range.for_each(count)).join().expect("it counts");
            }
            "spin" => drop(std::thread::spawn(|| (0..u64::MAX).for_each(count))),
            other => panic!("{other}"),
        }
        next = end;
        println!("done");
    }
}
