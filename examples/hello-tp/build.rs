// SPDX-License-Identifier: MIT OR Apache-2.0
//! Generates the tracepoints of `shop.tp`.

fn main() -> Result<(), ust_gen_tp::BuildError> {
    ust_gen_tp::Builder::new().generate("shop.tp")
}
