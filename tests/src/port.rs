//! Free ports of the loopback address.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Where the ports are sought: above the well-known ones and below 32768, from where on Linux
/// gives ports to outgoing connections, which could take a port between its choice and its use.
const RANGE: std::ops::Range<u16> = 12_000..32_000;

/// How far the search has come; no port is given twice before the range is used up.
static OFFSET: AtomicU16 = AtomicU16::new(0);

/// A port of 127.0.0.1 that is free for TCP and for UDP, and given to no one else in this process.
///
/// It is not held: another process may take it, so a caller that can should still bind port 0.
///
/// # Panics
///
/// Where no port of the range is free.
#[must_use]
pub fn free_port() -> u16 {
    let size = RANGE.end - RANGE.start;
    // Test programs that run at once start at different places.
    let start = u16::try_from(process::id().wrapping_mul(97) % u32::from(size)).unwrap_or(0);
    for _ in 0..size {
        let offset = OFFSET.fetch_add(1, Ordering::Relaxed) % size;
        let port = RANGE.start + (start + offset) % size;
        if is_free(port) {
            return port;
        }
    }
    panic!("no port of 127.0.0.1 is free between {RANGE:?}");
}

/// Whether a port of 127.0.0.1 can be bound, for TCP and for UDP.
#[must_use]
pub fn is_free(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
}
