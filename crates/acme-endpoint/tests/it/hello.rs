//! ClientHellos as bytes, to be cut short, changed and sent by hand.

use std::{net::SocketAddr, sync::Arc};

use rustls::ClientConnection;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{Visitor, soon};

/// What a client of this configuration says first.
pub(crate) fn hello(visitor: &Visitor, name: &str) -> Vec<u8> {
    let name = rustls::pki_types::ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(visitor.config.clone()), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

/// A hello whose server name is none: `name` stands there as it is.
pub(crate) fn hello_naming(visitor: &Visitor, name: &[u8]) -> Vec<u8> {
    // A proper name of the same length, so that no length changes.
    let proper = match name.len() {
        0..=5 => "x".repeat(name.len()),
        length => format!("{}.test", "x".repeat(length - 5)),
    };
    let bytes = hello(visitor, &proper);
    replace(bytes, proper.as_bytes(), name)
}

/// A hello of TLS 1.1, as far as versions go.
/// `visitor` is one that speaks TLS 1.2 alone.
pub(crate) fn hello_of_tls_1_1(visitor: &Visitor, name: &str) -> Vec<u8> {
    let mut bytes = hello(visitor, name);
    // After the headers of record and handshake stands the version.
    assert_eq!(bytes[9..11], [3, 3]);
    bytes[10] = 2;
    // supported_versions, if it is there, says the same.
    let versions = [0x00, 0x2b, 0x00, 0x03, 0x02, 0x03, 0x03];
    if bytes.windows(versions.len()).any(|it| it == versions) {
        bytes = replace(
            bytes,
            &versions,
            &[0x00, 0x2b, 0x00, 0x03, 0x02, 0x03, 0x02],
        );
    }
    bytes
}

fn replace(mut bytes: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let at = bytes.windows(old.len()).position(|it| it == old).unwrap();
    bytes[at..at + old.len()].copy_from_slice(new);
    bytes
}

/// Sends bytes and reads whatever comes back until the server closes.
pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset is a way to close, too.
    soon(stream.read_to_end(&mut answer)).await.ok();
    answer
}

/// A fatal alert as a record.
pub(crate) const fn alert_record(description: u8) -> [u8; 7] {
    [0x15, 3, 3, 0, 2, 2, description]
}
