//! Where names point to, and connections there.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use acme_messages::{Problem, ProblemType, ServerName};
use domain::base::Rtype;
use tokio::net::{TcpSocket, TcpStream};

use super::{Look, Verdict, dns::Record};
use crate::ca::config::Addresses;

impl Look {
    /// The addresses to try, one at least, an IPv6 address before an IPv4 address and no second one of either.
    pub(super) async fn addresses(&self, name: &ServerName) -> Verdict<Vec<IpAddr>> {
        let dns = match self.config().resolver.addresses(name) {
            Addresses::Known(address) => {
                return address.map(|it| vec![it]).ok_or_else(|| self.nowhere(name));
            }
            Addresses::AskDns => match name {
                ServerName::Dns(dns) => dns.base(),
                ServerName::Ip(address) => return Ok(vec![*address]),
            },
        };
        let (v6, v4) = tokio::join!(self.lookup(dns, Rtype::AAAA), self.lookup(dns, Rtype::A));
        let first = |records: &[Record]| {
            records.iter().find_map(|it| match it {
                Record::Address(address) => Some(*address),
                _ => None,
            })
        };
        match (v6, v4) {
            // Who fails at both has nothing; who fails at one makes do with the other.
            (Err(_), Err(failure)) => Err(self.dns(failure, Rtype::A, dns)),
            (v6, v4) => {
                let found = [v6, v4].into_iter().flatten();
                let addresses: Vec<_> = found.filter_map(|it| first(&it)).collect();
                if addresses.is_empty() {
                    return Err(self.nowhere(name));
                }
                Ok(addresses)
            }
        }
    }

    /// There is no address to knock at.
    pub(super) fn nowhere(&self, name: &ServerName) -> Box<Problem> {
        let detail = format_args!("there is no address for {name}");
        self.problem(ProblemType::Dns, detail)
    }

    /// Connects, in half the time at most: the other half is for another address, or the answer.
    pub(super) async fn connect(&self, address: SocketAddr) -> Verdict<TcpStream> {
        let patience = self.config().timeout / 2;
        let connected = tokio::time::timeout(patience, connect(address, self.source)).await;
        connected
            .map_err(|_| io::ErrorKind::TimedOut.into())
            .flatten()
            .map_err(|error| self.connection(format_args!("{address}: {}", reason(&error))))
    }
}

/// Connects, from `source` where that is of the address' family.
pub(super) async fn connect(address: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(source) = source.filter(|it| it.is_ipv4() == address.is_ipv4()) {
        socket.bind((source, 0).into())?;
    }
    socket.connect(address).await
}

/// The words of an I/O error that are the same on every system.
pub(super) fn reason(error: &io::Error) -> String {
    error.kind().to_string()
}
