//! A web server for the files that a hook lays down: as much of HTTP as an http-01 needs.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Where challenges are answered (RFC 8555, section 8.3).
const PREFIX: &str = "/.well-known/acme-challenge/";

/// The longest request that is read, in bytes.
const MAX_REQUEST: u64 = 16 * 1024;

/// How long a visitor may be silent.
const MAX_SILENCE: Duration = Duration::from_secs(10);

/// Serves the files of a folder as answers to http-01 until it is dropped.
#[derive(Debug)]
pub(super) struct WebServer {
    port: u16,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl WebServer {
    pub(super) fn start(port: u16, folder: PathBuf) -> Result<Self, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .map_err(|error| format!("port {port}: {error}"))?;
        let port = listener.local_addr().map_or(port, |it| it.port());
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if seen.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(stream) = stream {
                    // A visitor who leaves early is no one's trouble.
                    let _ = answer(&stream, &folder);
                }
            }
        });
        Ok(Self {
            port,
            ended,
            thread: Some(thread),
        })
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // A last visitor, for whom it wakes up.
        let woken = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
        if let (true, Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

fn answer(mut stream: &TcpStream, folder: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(MAX_SILENCE))?;
    let mut lines = BufReader::new(stream.take(MAX_REQUEST)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let body = file(&request, folder);
    let status = match body {
        Some(_) => "200 OK",
        None => "404 Not Found",
    };
    let body = body.unwrap_or_default();
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&body)
}

/// The file that a request line asks for.
fn file(request: &str, folder: &Path) -> Option<Vec<u8>> {
    let token = request.split(' ').nth(1)?.strip_prefix(PREFIX)?;
    let plain = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    match token.chars().all(plain) {
        true => fs::read(folder.join(token)).ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_answered_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token_-1"), "authorization").unwrap();
        let server = WebServer::start(0, folder.path().to_owned()).unwrap();
        let get = |path: &str| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        };
        let good = get("/.well-known/acme-challenge/token_-1");
        assert!(good.starts_with("HTTP/1.1 200") && good.ends_with("\r\n\r\nauthorization"));
        for path in [
            "/",
            "/.well-known/acme-challenge/../token_-1",
            "/.well-known/acme-challenge/none",
        ] {
            assert!(get(path).starts_with("HTTP/1.1 404"), "{path}");
        }
    }
}
