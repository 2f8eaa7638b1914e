//! `cargo xtask test`: builds and passes everything, the conformance run included.

use std::path::Path;

use crate::conformance;
use crate::failure::Failure;
use crate::step::{self, Outcome, Step};

/// Runs all tests of the workspace, then conformance.
///
/// Where Pebble cannot be had, everything else runs and the end says what was left out;
/// in CI that is a failure.
pub(crate) fn run(root: &Path) -> Result<Outcome, Failure> {
    step::run_all("test", root, &plan())
}

/// The steps, in order; `ci` runs the same ones.
pub(crate) fn plan() -> Vec<Step> {
    vec![
        Step::cargo("tests", "test --workspace --all-features --locked"),
        Step::verb("conformance", conformance::run_if_possible),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Work;

    #[test]
    fn doc_examples_are_not_left_out() {
        let steps = plan();
        let Work::Cargo { arguments, .. } = &steps[0].work else {
            panic!("the tests are run by cargo");
        };
        // Any of these would make cargo pass over the examples in the documentation.
        for target in ["--all-targets", "--tests", "--lib", "--bins"] {
            assert!(!arguments.iter().any(|argument| argument == target));
        }
        assert_eq!(steps[1].name, "conformance");
    }
}
