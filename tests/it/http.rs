//! The harness's own HTTPS, between its client and a server on loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use acme_tests::{Client, Error, Identity};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

/// Serves [`ANSWER`] to every request, over TLS with this identity, until the test ends.
async fn serve(identity: &Identity, address: &str) -> SocketAddr {
    let chain = CertificateDer::pem_slice_iter(identity.certificate_pem().as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not trust us goes away here, one that only looks a bit later.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 1024];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let begins = String::from_utf8_lossy(&request[..read]).starts_with("GET /x?y=z ");
            if begins {
                stream.write_all(ANSWER).await.unwrap();
            }
            let _ = stream.shutdown().await;
        }
    });
    address
}

#[tokio::test]
async fn the_names_of_loopback_are_trusted_and_no_other() -> Result<(), Error> {
    let identity = Identity::for_loopback()?;
    let address = serve(&identity, "127.0.0.1:0").await;
    let client = Client::trusting(identity.root_pem())?;
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{}/x?y=z", address.port());
        let response = client.get(&url).await?;
        assert_eq!(
            (response.status.as_u16(), response.text().as_str()),
            (200, "hello")
        );
    }
    for (name, trusted) in [
        ("localhost", true),
        ("127.0.0.1", true),
        ("::1", true),
        ("example.com", false),
        ("127.0.0.2", false),
    ] {
        let result = client.connect(address, name).await;
        assert_eq!(result.is_ok(), trusted, "{name}: {result:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_identity_is_worth_nothing_under_another_root() -> Result<(), Error> {
    let identity = Identity::for_loopback()?;
    let other = Identity::for_loopback()?;
    let address = serve(&identity, "127.0.0.1:0").await;
    let url = format!("https://localhost:{}/x?y=z", address.port());
    let error = Client::trusting(other.root_pem())?
        .get(&url)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Http { method: "GET", .. }),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_a_server_shows_can_be_looked_at() -> Result<(), Error> {
    let identity = Identity::for_names(&["a.test", "b.test"], &[])?;
    let address = serve(&identity, "127.0.0.1:0").await;
    let client = Client::trusting(identity.root_pem())?;
    for name in ["a.test", "b.test"] {
        let stream = client.connect(address, name).await?;
        let shown = stream.get_ref().1.peer_certificates().unwrap();
        let own = CertificateDer::from_pem_slice(identity.certificate_pem().as_bytes()).unwrap();
        assert_eq!(shown, [own]);
    }
    assert!(client.connect(address, "localhost").await.is_err());
    Ok(())
}
