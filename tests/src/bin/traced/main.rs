// SPDX-License-Identifier: MIT OR Apache-2.0
//! The traced program: `traced SCENARIO [ARGS]`. What it counted it prints as `key=value`.

mod descriptors;
mod effects;
#[path = "../../programs/events.rs"]
mod events;
mod fault;
mod forks;
mod signals;
mod start;
mod threads;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["plain", source, count] => events::emit_all(number(source) as u32, number(count)),
        ["storm", count, stack] => signals::storm(number(count), *stack == "alternate"),
        ["deep", depth, stack] => signals::deep(number(depth) as usize, *stack == "alternate"),
        ["jump", count, depth, place] => signals::jump(number(count), number(depth) as usize, *place == "near"),
        ["fork"] => forks::fork_once(),
        ["fork-while-threads-trace", count] => forks::fork_while_threads_trace(number(count)),
        ["clone"] => forks::raw_clone(),
        ["vfork"] => forks::vfork_and_exec(),
        ["fork-in-handler", end] => forks::fork_in_handler(end),
        ["daemon"] => forks::daemon(),
        ["exec"] => forks::exec(),
        ["close-all"] => descriptors::close_all(),
        ["hop", count] => descriptors::hop(number(count)),
        ["lock-memory", count] => descriptors::lock_memory(number(count)),
        ["without-populate", rest @ ..] => descriptors::without_populate(rest),
        ["short-threads", count, live, events] => threads::short(number(count), number(live), number(events)),
        ["thread-waves", waves, count, events] => threads::waves(number(waves), number(count), number(events)),
        ["live-threads", count, events] => threads::live(number(count), number(events)),
        ["effects", count] => effects::look(number(count)),
        ["memory"] => effects::memory(),
        ["start"] => start::tell(),
        ["until-told", pause_us] => effects::until_told(number(pause_us)),
        other => panic!("no such scenario: {other:?}"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}
