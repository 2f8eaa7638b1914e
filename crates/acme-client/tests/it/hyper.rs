//! The transport on hyper and rustls, over real sockets.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use acme_client::{
    Client, ErrorKind, HttpTransport, HyperTransport, HyperTransportError, Proxy, RetryPolicy,
    TransportFailure,
};
use acme_testing::TestCa;
use bytes::Bytes;
use http::Request;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use crate::world::{builder, hyper, provider, within};

fn get(url: &str) -> Request<Bytes> {
    let request = Request::get(url).header("user-agent", "test/1");
    request.body(Bytes::new()).unwrap()
}

/// A port that nobody listens on.
async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

async fn failure(transport: &HyperTransport, url: &str) -> TransportFailure {
    let sent = within(transport.send(get(url), 1 << 16)).await;
    sent.unwrap_err().failure()
}

#[tokio::test]
async fn what_was_not_sent_is_told_from_what_was_lost() {
    let ca = builder().start().await.unwrap();
    let transport = hyper(&ca);
    let url = format!("https://{}/", nobody().await);
    assert_eq!(failure(&transport, &url).await, TransportFailure::Unsent);

    // Another CA's certificate: nothing was said to it.
    let other = builder().start().await.unwrap();
    let url = other.directory_url();
    assert_eq!(failure(&transport, &url).await, TransportFailure::Unsent);

    let fault = acme_testing::Fault::DropAnswer;
    ca.inject(fault.on(acme_testing::Operation::Directory).times(1));
    let url = ca.directory_url();
    assert_eq!(failure(&transport, &url).await, TransportFailure::Lost);

    let sent = transport.send(get(&url), 10).await;
    assert_eq!(sent.unwrap_err().failure(), TransportFailure::BodyTooLong);
    let answer = transport.send(get(&url), 1 << 16).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2, "it is offered");
    // RFC 8555, section 6.1: the HTTP library is named too.
    assert_eq!(transport.product(), Some("hyper/1"));
}

// A server that accepts and says nothing: TLS counts in the limit of connecting.
#[tokio::test]
async fn connecting_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let transport = HyperTransport::builder()
        .crypto_provider(provider())
        .connect_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    assert_eq!(failure(&transport, &url).await, TransportFailure::Unsent);
}

#[tokio::test]
async fn roots_are_the_platforms_and_more_or_only_these() {
    let ca = builder().start().await.unwrap();
    let url = ca.directory_url();
    let build = || HyperTransport::builder().crypto_provider(provider());
    let platform = build().build().unwrap();
    let unknown = within(platform.send(get(&url), 1 << 16)).await.unwrap_err();
    assert_eq!(unknown.failure(), TransportFailure::Unsent);
    assert!(
        unknown.to_string().contains("extra_roots_pem"),
        "{unknown:?}"
    );
    let root = ca.https_root_pem();
    let extra = build().extra_roots_pem(root.as_bytes()).unwrap();
    let extra = extra.build().unwrap();
    within(extra.send(get(&url), 1 << 16)).await.unwrap();
    let only = build().only_roots_pem(root.as_bytes()).unwrap();
    within(only.build().unwrap().send(get(&url), 1 << 16))
        .await
        .unwrap();
    for bad in [
        "",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    ] {
        let error = build().extra_roots_pem(bad.as_bytes()).unwrap_err();
        assert!(matches!(error, HyperTransportError::BadRoots));
        assert!(error.to_string().contains("PEM"), "{error}");
    }
}

// Both sides must be told; and it is plain HTTP to this machine only.
#[tokio::test]
async fn plain_http_is_for_tests() {
    let ca = builder().danger_plain_http().start().await.unwrap();
    let url = ca.directory_url();
    assert!(url.starts_with("http://127.0.0.1"));
    let build = |http| {
        HyperTransport::builder()
            .crypto_provider(provider())
            .danger_plain_http(http)
            .build()
            .unwrap()
    };
    let error = Client::builder(url.as_str(), build(true)).build();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidUrl);
    let client = |transport| {
        Client::builder(url.as_str(), transport)
            .danger_http_to_loopback(true)
            .retries(RetryPolicy::never())
            .build()
            .unwrap()
    };
    let error = client(build(false)).directory().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    client(build(true)).directory().await.unwrap();
    let far = "http://ca.example/directory";
    let far = Client::builder(far, build(true)).danger_http_to_loopback(true);
    assert_eq!(far.build().unwrap_err().kind(), ErrorKind::InvalidUrl);
}

/// A proxy on a real socket that writes down what it is asked, and answers as it is told.
struct TestProxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    tunnels: Arc<AtomicUsize>,
}

impl TestProxy {
    async fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let tunnels = Arc::new(AtomicUsize::new(0));
        let (asked, opened) = (heads.clone(), tunnels.clone());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (asked, opened) = (asked.clone(), opened.clone());
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(client.read_u8().await.unwrap());
                    }
                    let head = String::from_utf8(head).unwrap();
                    let host = head.split(' ').nth(1).unwrap().to_owned();
                    asked.lock().unwrap().push(head);
                    client.write_all(answer.as_bytes()).await.unwrap();
                    if answer.starts_with("HTTP/1.1 407") {
                        // It would be asked again over the same connection.
                        let _ = client.read_u8().await;
                    }
                    if answer.contains(" 200 ") {
                        opened.fetch_add(1, Ordering::SeqCst);
                        let mut server = TcpStream::connect(host).await.unwrap();
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Self {
            address,
            heads,
            tunnels,
        }
    }

    fn transport(&self, ca: &TestCa, credentials: &str) -> HyperTransport {
        let proxy = Proxy::new(&format!("http://{credentials}{}", self.address)).unwrap();
        HyperTransport::builder()
            .crypto_provider(provider())
            .only_roots_pem(ca.https_root_pem().as_bytes())
            .unwrap()
            .proxy(proxy)
            .build()
            .unwrap()
    }
}

#[tokio::test]
async fn a_proxy_opens_one_tunnel() {
    let ca = builder().start().await.unwrap();
    let proxy = TestProxy::start("HTTP/1.1 200 Connection established\r\nvia: x\r\n\r\n").await;
    let transport = proxy.transport(&ca, "user:pass%20word@");
    for _ in 0..3 {
        let sent = transport.send(get(&ca.directory_url()), 1 << 16);
        within(sent).await.unwrap();
    }
    assert_eq!(proxy.tunnels.load(Ordering::SeqCst), 1);
    let heads = proxy.heads.lock().unwrap().clone();
    let host = ca.directory_url();
    let host = host.strip_prefix("https://").unwrap();
    let host = host.split('/').next().unwrap();
    assert!(heads[0].starts_with(&format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n")));
    assert!(heads[0].contains("\r\nProxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n"));
    // The credentials are the proxy's alone, and nobody else's to see.
    assert!(
        ca.requests()
            .iter()
            .all(|it| it.header("proxy-authorization").is_none())
    );
    assert!(!format!("{transport:?}").contains("word"));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_by_its_words() {
    let ca = builder().start().await.unwrap();
    let check = async |answer: &'static str, words: &str| {
        let proxy = TestProxy::start(answer).await;
        let transport = proxy.transport(&ca, "user:secret@");
        let sent = within(transport.send(get(&ca.directory_url()), 1 << 16)).await;
        let error = sent.unwrap_err();
        assert_eq!(error.failure(), TransportFailure::Unsent);
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        assert!(text.contains(words), "{text}");
        assert!(!format!("{text}{error:?}").contains("secret"), "{error:?}");
        assert!(!format!("{error:?}").contains("dXNlcj"), "{error:?}");
    };
    check("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407").await;
    check("HTTP/1.0 403 Forbidden\r\n\r\n", "status 403").await;
    // With a page for people, over a connection that is kept.
    let page = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\n<p/>";
    check(page, "status 407").await;
    let more = "HTTP/1.1 200 OK\r\n\r\n<p/>";
    check(more, "speaks before the tunnel is used").await;
    check("220 smtp.example ESMTP\r\n\r\n", "does not speak HTTP").await;
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(20_000));
    check(endless.leak(), "without end").await;
    assert!(ca.requests().is_empty());

    let address = nobody().await;
    let proxy = Proxy::new(&format!("http://{address}")).unwrap();
    let transport = HyperTransport::builder().crypto_provider(provider());
    let transport = transport.proxy(proxy).build().unwrap();
    let url = ca.directory_url();
    assert_eq!(failure(&transport, &url).await, TransportFailure::Unsent);
}

/// Passes connections on to a server, until it is told to swallow those that it has: as a
/// firewall does that has forgotten them.
struct Relay {
    address: SocketAddr,
    swallow: Arc<Notify>,
}

impl Relay {
    async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let swallow: Arc<Notify> = Arc::default();
        let told = swallow.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let told = told.clone();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(to).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        () = told.notified() => std::future::pending().await,
                    }
                });
            }
        });
        Self { address, swallow }
    }
}

// A connection that nobody answers on any more is left, and not used again and again.
#[tokio::test]
async fn a_connection_that_fell_silent_is_left() {
    let ca = builder().start().await.unwrap();
    let url = ca.directory_url();
    let (host, path) = url["https://".len()..].split_once('/').unwrap();
    let relay = Relay::start(host.parse().unwrap()).await;
    let url = format!("https://{}/{path}", relay.address);
    let transport = hyper(&ca);
    let sent = within(transport.send(get(&url), 1 << 16)).await.unwrap();
    assert_eq!(sent.version(), http::Version::HTTP_2);

    relay.swallow.notify_waiters();
    tokio::task::yield_now().await;
    tokio::time::pause();
    assert_eq!(failure(&transport, &url).await, TransportFailure::Lost);
    tokio::time::resume();
    within(transport.send(get(&url), 1 << 16)).await.unwrap();
}

// A transport outlives the runtime that its connections were made on.
#[test]
fn a_transport_serves_several_runtimes() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    };
    let home = runtime();
    let ca = home.block_on(async { builder().start().await.unwrap() });
    let (transport, url) = (hyper(&ca), ca.directory_url());
    for _ in 0..3 {
        let passing = runtime();
        passing.block_on(async { within(transport.send(get(&url), 1 << 16)).await.unwrap() });
    }
}
