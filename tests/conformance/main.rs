//! Tests against Pebble; `cargo xtask conformance` finds or installs it and runs them.

mod harness;
