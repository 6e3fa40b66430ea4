//! The command `ust`.
fn main() {}
