//! Harness for the tests of the crates together.
