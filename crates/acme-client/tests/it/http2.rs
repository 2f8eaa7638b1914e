//! HTTP/2 servers that take no more requests over a connection, as each does some day.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use acme_client::{Client, HttpTransport, HyperTransport, RetryPolicy, TransportFailure};
use acme_testing::{CertificateValidity, TestPki};
use bytes::Bytes;
use http::Request;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::world::{provider, within};

/// The types of frames, and the codes of errors ([RFC 9113, sections 6 and 7]).
///
/// [RFC 9113, sections 6 and 7]: https://www.rfc-editor.org/rfc/rfc9113#section-6
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;

/// What a server says to the first request over a connection, and hangs up.
#[derive(Clone, Copy, Debug)]
enum Last {
    /// The stream is over.
    Reset(u32),
    /// No stream after this one is looked at.
    GoAway { last_stream: u32, code: u32 },
    /// Nothing.
    Silence,
}

fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, 0]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Reads up to the head of a request.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<()> {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await?;
        if head[3] == HEADERS {
            return Ok(());
        }
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, last: Last) -> std::io::Result<()> {
    stream.write_all(&frame(SETTINGS, 0, &[])).await?;
    stream.flush().await?;
    read_request(&mut stream).await?;
    let said = match last {
        Last::Reset(code) => frame(RST_STREAM, 1, &code.to_be_bytes()),
        Last::GoAway { last_stream, code } => {
            let numbers = [last_stream.to_be_bytes(), code.to_be_bytes()];
            frame(GOAWAY, 0, &numbers.concat())
        }
        Last::Silence => Vec::new(),
    };
    stream.write_all(&said).await?;
    stream.shutdown().await?;
    // Until the client has hung up too: what it has not read would be lost.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}

/// A server of one kind, and how many connections it had.
async fn start(last: Last) -> (SocketAddr, HyperTransport, Arc<AtomicUsize>) {
    let pki = TestPki::new().unwrap();
    let names = ["127.0.0.1".parse().unwrap()];
    let (chain, key) = pki
        .issue_server(&names, CertificateValidity::FOREVER)
        .unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.to_pkcs8_der().unwrap().to_vec());
    let mut config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.as_der().to_vec(), key.into())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count: Arc<AtomicUsize> = Arc::default();
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await?;
                serve(stream, last).await
            });
        }
    });
    let transport = HyperTransport::builder()
        .crypto_provider(provider())
        .only_roots_pem(pki.root_pem().as_bytes())
        .unwrap()
        .build()
        .unwrap();
    (address, transport, count)
}

#[tokio::test]
async fn what_a_server_refuses_unseen_was_not_sent() {
    let check = async |last, expected| {
        let (address, transport, _) = start(last).await;
        let request = Request::post(format!("https://{address}/order"));
        let request = request.body(Bytes::from_static(b"{}")).unwrap();
        let error = within(transport.send(request, 1 << 16)).await.unwrap_err();
        assert_eq!(error.failure(), expected, "{last:?} {error:?}");
    };
    let go_away = |last_stream, code| Last::GoAway { last_stream, code };
    check(Last::Reset(REFUSED_STREAM), TransportFailure::Unsent).await;
    check(go_away(0, NO_ERROR), TransportFailure::Unsent).await;

    // It may have looked at these.
    check(Last::Reset(INTERNAL_ERROR), TransportFailure::Lost).await;
    check(go_away(0, INTERNAL_ERROR), TransportFailure::Lost).await;
    check(go_away(1, NO_ERROR), TransportFailure::Lost).await;
    check(Last::Silence, TransportFailure::Lost).await;
}

// Over another connection, since the one is at its end.
#[tokio::test]
async fn what_is_refused_goes_over_another_connection() {
    let refusal = Last::GoAway {
        last_stream: 0,
        code: NO_ERROR,
    };
    let (address, transport, connections) = start(refusal).await;
    let client = Client::builder(format!("https://{address}/directory"), transport)
        .retries(RetryPolicy::default())
        .clock(Arc::new(crate::clock::QuickClock::default()))
        .build()
        .unwrap();
    let error = within(client.directory()).await.unwrap_err();
    assert_eq!(error.attempts(), 3);
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}
