//! What a double does instead of its work.

/// What goes wrong with a call of a double.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mishap {
    /// It fails, and nothing was done.
    Fail,
    /// It does what it was asked for, and then fails: as when an answer is lost.
    FailAfterwards,
    /// It never comes back.
    Hang,
    /// It panics.
    Panic,
}

/// The error of a double that fails because a test wants it to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("the test wants it to fail")]
pub struct InjectedFault;

/// Panics as a test wants it.
#[track_caller]
pub(crate) fn panic_as_told(what: &str) -> ! {
    panic!("{what} panics, as the test wants")
}
