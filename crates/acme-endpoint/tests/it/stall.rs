//! Clients that stop halfway: before, in and after their ClientHello.

use acme_endpoint::HANDSHAKE_TIMEOUT;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

use crate::{
    hello::hello,
    world::{Site, echo},
};

const NAME: &str = "www.example.com";

/// How many of each kind.
const STALLED: usize = 150;

/// What stalled clients have sent: nothing, half a hello, all of it.
fn beginnings(site: &Site) -> [Vec<u8>; 3] {
    let hello = hello(&site.visitor(), NAME);
    let half = hello[..hello.len() / 2].to_vec();
    [Vec::new(), half, hello]
}

async fn stall(site: &Site, beginning: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(beginning).await.unwrap();
    stream
}

#[tokio::test]
async fn slow_handshakes_are_bounded() {
    // rustls-acme, axum users: one idle client stopped all accepts.
    let (site, listener) = Site::start(&[NAME], &[]).await;
    echo(listener);
    let mut stalled = Vec::new();
    for beginning in beginnings(&site) {
        for _ in 0..STALLED {
            stalled.push(stall(&site, &beginning).await);
        }
    }
    let start = Instant::now();
    site.visitor().visit(site.address, NAME).await.unwrap();
    assert!(
        start.elapsed() < HANDSHAKE_TIMEOUT / 2,
        "{:?}",
        start.elapsed()
    );
    assert_eq!(stalled.len(), 3 * STALLED);
}

#[tokio::test(start_paused = true)]
async fn stalled_clients_are_cut_off_in_time() {
    let (site, listener) = Site::start(&[NAME], &[]).await;
    echo(listener);
    for beginning in beginnings(&site) {
        let mut stream = stall(&site, &beginning).await;
        let start = Instant::now();
        // What the server says meanwhile does not matter, nor how it closes.
        stream.read_to_end(&mut Vec::new()).await.ok();
        let took = start.elapsed();
        let expected = HANDSHAKE_TIMEOUT..=HANDSHAKE_TIMEOUT + HANDSHAKE_TIMEOUT / 100;
        assert!(
            expected.contains(&took),
            "{} bytes: {took:?}",
            beginning.len()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_byte_at_a_time_gains_no_time() {
    let (site, listener) = Site::start(&[NAME], &[]).await;
    echo(listener);
    let hello = hello(&site.visitor(), NAME);
    let mut stream = stall(&site, &[]).await;
    let start = Instant::now();
    for byte in hello {
        tokio::time::sleep(HANDSHAKE_TIMEOUT / 8).await;
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
    }
    assert!(
        start.elapsed() < 2 * HANDSHAKE_TIMEOUT,
        "{:?}",
        start.elapsed()
    );
}
