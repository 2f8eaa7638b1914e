//! A client that issues certificates, whoever wrote it.

use std::fmt;
use std::path::Path;

use clap::ValueEnum;

use crate::{Failure, ours, peer};

/// Which client, and how it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    /// instant-acme as it comes.
    PeerDefault,
    /// instant-acme with a look every 5 ms and `TCP_NODELAY`.
    Peer,
    /// acme-client as it comes.
    Ours,
    /// acme-client with keys that sign by themselves.
    OursAlone,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerDefault => "peer-default",
            Self::Peer => "peer",
            Self::Ours => "ours",
            Self::OursAlone => "ours-alone",
        })
    }
}

/// A key and the certificate for it, both as PEM.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) key: String,
    pub(crate) chain: String,
}

/// A client with an account.
#[derive(Debug)]
pub(crate) enum Issuer {
    Ours(ours::Client),
    Peer(peer::Client),
}

impl Issuer {
    /// Makes an account; `root` is a file with the root of the CA's https.
    pub(crate) async fn new(kind: Kind, directory: &str, root: &Path) -> Result<Self, Failure> {
        Ok(match kind {
            Kind::Ours => Self::Ours(ours::Client::new(directory, root, false).await?),
            Kind::OursAlone => Self::Ours(ours::Client::new(directory, root, true).await?),
            Kind::Peer => Self::Peer(peer::Client::tuned(directory, root).await?),
            Kind::PeerDefault => Self::Peer(peer::Client::default(directory, root).await?),
        })
    }

    /// From names to a certificate, with a new key.
    pub(crate) async fn issue(&self, names: &[String]) -> Result<Issued, Failure> {
        match self {
            Self::Ours(client) => client.issue(names).await,
            Self::Peer(client) => client.issue(names).await,
        }
    }
}
