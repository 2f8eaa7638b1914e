//! From a [`ListenSpec`] to a socket that listens.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::ListenSpec;

impl ListenSpec {
    /// Binds and listens; clients may connect from now on.
    ///
    /// Without an interface that is every address: IPv6 and IPv4 on one socket, or
    /// IPv4 alone where the system has no IPv6.
    ///
    /// # Errors
    /// - [`io::Error`] when the port is taken, forbidden, or the address is not here.
    ///
    /// # Panics
    /// When it is not called on a tokio runtime.
    pub fn bind(&self) -> io::Result<TcpListener> {
        let Self::Tcp {
            port,
            interface,
            backlog,
        } = *self;
        match interface {
            Some(address) => listen((address, port).into(), backlog),
            None => {
                let everywhere = |address: IpAddr| listen((address, port).into(), backlog);
                match everywhere(Ipv6Addr::UNSPECIFIED.into()) {
                    Err(error) if lacks_ipv6(&error) => everywhere(Ipv4Addr::UNSPECIFIED.into()),
                    bound => bound,
                }
            }
        }
    }
}

/// A port that is taken or forbidden is so on IPv4 too; anything else is IPv6's own trouble.
fn lacks_ipv6(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
    )
}

fn listen(address: SocketAddr, backlog: u16) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart must not wait until old connections have faded.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog.into())?;
    TcpListener::from_std(socket.into())
}
