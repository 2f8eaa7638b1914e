//! What the doubles are told to do, in short.

use acme_service::{
    client::{Error, ErrorKind, Operation},
    messages::{Problem, ProblemType},
};
use acme_testing::FakeOutcome;

pub(crate) fn problem(kind: ProblemType) -> Error {
    Error::new(ErrorKind::Problem, Operation::NewOrder)
        .with_problem(Problem::new(kind, "the test wants it"))
}

pub(crate) fn unreachable_ca() -> Error {
    Error::new(ErrorKind::Transport, Operation::Directory)
}

/// A certificate for a name that nobody asked for.
pub(crate) fn foreign() -> FakeOutcome {
    FakeOutcome::IssueForNames(vec!["foreign.example".parse().unwrap()])
}
