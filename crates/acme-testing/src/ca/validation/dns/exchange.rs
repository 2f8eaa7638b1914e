//! One question and its answer: over UDP, and over TCP where that is cut off
//! ([RFC 1035, section 4.2]).
//!
//! [RFC 1035, section 4.2]: https://www.rfc-editor.org/rfc/rfc1035#section-4.2

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use domain::base::{MessageBuilder, Rtype};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
};

use super::{Failure, Name, Reply, reply::Unfit};
use crate::ca::validation::address;

/// The most bytes of an answer over UDP: what fits into one frame nearly everywhere
/// ([RFC 9715](https://www.rfc-editor.org/rfc/rfc9715)).
const MAX_UDP: u16 = 1232;

/// How many datagrams that answer something else are passed over.
const MAX_STRAYS: usize = 16;

pub(super) async fn ask(
    server: SocketAddr,
    source: Option<IpAddr>,
    name: &Name,
    kind: Rtype,
) -> Result<Reply, Failure> {
    let unreachable = |error: io::Error| Failure::Unreachable(error.kind());
    // No one can guess the id or, since each question has a socket of its own, the port.
    let id = getrandom::u32().map_err(|_| Failure::Unreachable(io::ErrorKind::Other))?;
    let id = id.to_be_bytes();
    let id = u16::from_be_bytes([id[0], id[1]]);
    let query = query(id, name, kind).ok_or(Failure::BadName)?;
    let read = |bytes: &[u8]| Reply::read(bytes, id, name, kind);

    let socket = udp_socket(server, source).await.map_err(unreachable)?;
    socket.send(&query).await.map_err(unreachable)?;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    let mut strays = 0;
    let reply = loop {
        let length = socket.recv(&mut buffer).await.map_err(unreachable)?;
        match read(&buffer[..length]) {
            Ok(reply) => break reply,
            Err(Unfit::Stray) if strays < MAX_STRAYS => strays += 1,
            Err(_) => return Err(Failure::Malformed),
        }
    };
    if !reply.truncated {
        return Ok(reply);
    }
    let answer = over_tcp(server, source, &query)
        .await
        .map_err(unreachable)?;
    match read(&answer) {
        Ok(reply) if !reply.truncated => Ok(reply),
        _ => Err(Failure::Malformed),
    }
}

fn query(id: u16, name: &Name, kind: Rtype) -> Option<Vec<u8>> {
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(id);
    builder.header_mut().set_rd(true);
    let mut builder = builder.question();
    builder.push((name, kind)).ok()?;
    let mut builder = builder.additional();
    let edns = builder.opt(|opt| {
        opt.set_udp_payload_size(MAX_UDP);
        Ok(())
    });
    edns.ok()?;
    Some(builder.finish())
}

async fn udp_socket(server: SocketAddr, source: Option<IpAddr>) -> io::Result<UdpSocket> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let source = source.filter(|it| it.is_ipv4() == server.is_ipv4());
    let socket = UdpSocket::bind((source.unwrap_or(any), 0)).await?;
    // From here on the system keeps back what others send.
    socket.connect(server).await?;
    Ok(socket)
}

async fn over_tcp(server: SocketAddr, source: Option<IpAddr>, query: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream: TcpStream = address::connect(server, source).await?;
    let length = u16::try_from(query.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let message = [&length.to_be_bytes(), query].concat();
    stream.write_all(&message).await?;
    let mut answer = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
