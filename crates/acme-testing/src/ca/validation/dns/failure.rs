//! Why DNS told nothing.

use std::{fmt, io};

use domain::base::iana::Rcode;

/// Why DNS told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ca::validation) enum Failure {
    /// The aliases lead in a circle, or on and on.
    Aliases,
    /// The name with what is put before it is too long.
    BadName,
    /// The server says that it cannot or will not answer.
    Code(Rcode),
    /// The server answers with what cannot be read, or to what was not asked.
    Malformed,
    /// The CA has no server to ask.
    NoServer,
    /// The server says nothing.
    Timeout,
    /// The server is not there.
    Unreachable(io::ErrorKind),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aliases => f.write_str("the aliases do not end"),
            Self::BadName => f.write_str("the name is too long"),
            Self::Code(Rcode::NXDOMAIN) => f.write_str("NXDOMAIN, there is no such name"),
            Self::Code(Rcode::SERVFAIL) => f.write_str("SERVFAIL, the server cannot tell"),
            Self::Code(Rcode::REFUSED) => f.write_str("REFUSED, the server does not tell us"),
            Self::Code(code) => write!(f, "the server answers {code}"),
            Self::Malformed => f.write_str("the answer cannot be read"),
            Self::NoServer => {
                f.write_str("this CA was given no DNS server (`config.validation.dns_server`)")
            }
            Self::Timeout => f.write_str("the query timed out"),
            Self::Unreachable(kind) => write!(f, "the server cannot be reached: {kind}"),
        }
    }
}
