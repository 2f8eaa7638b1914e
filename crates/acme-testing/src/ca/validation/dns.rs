//! Questions to the DNS server that the CA was given.

mod exchange;
mod failure;
mod reply;

use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use domain::base::{Rtype, iana::Rcode};

pub(super) use failure::Failure;
pub(super) use reply::{CaaProperty, Record};

use reply::Reply;

/// A name of any labels, as DNS has them; compared without regard to case.
type Name = domain::base::Name<Vec<u8>>;

/// The most aliases followed from one name: more than anyone needs, and few enough to end soon.
const MAX_ALIASES: usize = 16;

/// How often a question is put before there is no answer: as Boulder has it.
const TRIES: usize = 3;

/// Asks one server, which is to know all: it may be a resolver, or responsible for what is asked.
#[derive(Debug)]
pub(super) struct DnsClient {
    server: SocketAddr,
    source: Option<IpAddr>,
    patience: Duration,
}

impl DnsClient {
    /// Asks from an address of the system's choice, or from `source` where that is of the server's
    /// family; waits so long at each try.
    pub(super) const fn new(
        server: SocketAddr,
        source: Option<IpAddr>,
        patience: Duration,
    ) -> Self {
        Self {
            server,
            source,
            patience,
        }
    }

    /// The records of one type that a name has, or that its aliases lead to.
    ///
    /// None is no failure, but that there is no such name is.
    pub(super) async fn lookup(&self, name: &str, kind: Rtype) -> Result<Vec<Record>, Failure> {
        let mut name = Name::vec_from_str(name).map_err(|_| Failure::BadName)?;
        let mut seen = HashSet::from([name.clone()]);
        loop {
            let mut reply = self.ask(&name, kind).await?;
            if reply.code != Rcode::NOERROR {
                return Err(Failure::Code(reply.code));
            }
            let asked = name.clone();
            loop {
                let found = reply.take(&name);
                if !found.is_empty() {
                    return Ok(found);
                }
                let Some(target) = reply.alias(&name) else {
                    break;
                };
                if seen.len() > MAX_ALIASES || !seen.insert(target.clone()) {
                    return Err(Failure::Aliases);
                }
                name = target;
            }
            if name == asked {
                return Ok(Vec::new());
            }
            // The server left it to us to ask for what the alias leads to.
        }
    }

    async fn ask(&self, name: &Name, kind: Rtype) -> Result<Reply, Failure> {
        for _ in 0..TRIES {
            let exchange = exchange::ask(self.server, self.source, name, kind);
            if let Ok(outcome) = tokio::time::timeout(self.patience, exchange).await {
                return outcome;
            }
        }
        Err(Failure::Timeout)
    }
}
