//! A visitor: what certificate a server shows, checked as a browser would.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use acme_messages::CertificateChain;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{net::TcpStream, time};
use tokio_rustls::TlsConnector;

use crate::{directory::Shared, table::Checked};

/// How long a handshake may take, and how long a change may take to be seen.
const LIMIT: Duration = Duration::from_secs(20);

/// How often somebody looks whether a change is seen.
const POLL: Duration = Duration::from_millis(20);

/// Whether the visitor says which name it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sni {
    Sent,
    Kept,
}

/// The certificates that a server shows for a name, which are valid for it under our root.
pub(crate) async fn shake(
    shared: &Shared,
    address: SocketAddr,
    name: &str,
    sni: Sni,
) -> Checked<Vec<CertificateDer<'static>>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(
        shared.root_pem().as_bytes(),
    )?)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.enable_sni = sni == Sni::Sent;
    let name = ServerName::try_from(name.to_owned())?;
    let shaken = async {
        let stream = TcpStream::connect(address).await?;
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await
    };
    let stream = time::timeout(LIMIT, shaken).await??;
    let shown = stream.get_ref().1.peer_certificates();
    Ok(shown.unwrap_or_default().to_vec())
}

/// Fails unless the server shows exactly this chain, leaf first.
pub(crate) async fn shows(
    shared: &Shared,
    address: SocketAddr,
    name: &str,
    expected: &CertificateChain,
) -> Checked {
    let shown = shake(shared, address, name, Sni::Sent).await?;
    if shown == expected.as_der() {
        return Ok(());
    }
    Err(format!("another chain was shown, of {} certificates", shown.len()).into())
}

/// Fails unless the server shows each certificate of the directory for its name.
pub(crate) async fn shows_all(shared: &Shared, address: SocketAddr, names: &[&str]) -> Checked {
    for name in names {
        let expected = shared.bundle(name).await?;
        shows(shared, address, name, expected.chain())
            .await
            .map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// Waits until the server shows this chain, no longer than a person would.
pub(crate) async fn comes_to_show(
    shared: &Shared,
    address: SocketAddr,
    name: &str,
    expected: &CertificateChain,
) -> Checked {
    let shown = async {
        while shows(shared, address, name, expected).await.is_err() {
            time::sleep(POLL).await;
        }
    };
    time::timeout(LIMIT, shown)
        .await
        .map_err(|_| "it was not seen in time".into())
}

/// Fails unless the server refuses, or cannot prove to be this name.
pub(crate) async fn refuses(shared: &Shared, address: SocketAddr, name: &str) -> Checked {
    match shake(shared, address, name, Sni::Sent).await {
        Ok(_) => Err(format!("it serves {name}").into()),
        Err(_) => Ok(()),
    }
}
