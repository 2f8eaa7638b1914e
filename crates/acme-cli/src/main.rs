//! The `acme` program.

fn main() {}
