//! What can go wrong at a name.

/// What goes wrong with each query for a name, whatever records it has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DnsTrouble {
    /// No answer is sent.
    Drop,
    /// The answer has the query's id, and then these bytes.
    Garbage(Vec<u8>),
    /// The answer is sent once the trouble is over, and says what holds then.
    ///
    /// It is for what others delay for a while: a test decides how long.
    Hold,
    /// The answer is REFUSED.
    Refused,
    /// The answer is SERVFAIL.
    ServFail,
    /// The answer over UDP is empty and says that it is cut off; over TCP it is whole.
    Truncate,
}
