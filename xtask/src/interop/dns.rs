//! A DNS server that hooks fill: pebble-challtestsrv, which others wrote too.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::process::Background;
use crate::command::run_within;

/// How long the server may take to answer, and to tell its options.
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// How often it is asked whether it answers.
const POLL: Duration = Duration::from_millis(20);

/// A running DNS server; it ends with this value.
#[derive(Debug)]
pub(super) struct DnsServer {
    pub(super) address: String,
    management: String,
    _process: Background,
}

impl DnsServer {
    /// Starts it on two ports that are free now.
    pub(super) fn start(
        program: &Path,
        folder: &Path,
        [dns, management]: [u16; 2],
    ) -> Result<Self, String> {
        let address = |port| format!("127.0.0.1:{port}");
        let help = run_within(STARTS_WITHIN, Command::new(program).arg("-help"));
        let mut command = Command::new(program);
        command
            .current_dir(folder)
            .env("ACME_PEBBLE_DIR", folder)
            .args(arguments(
                help.output(),
                &address(dns),
                &address(management),
            ))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = Self {
            _process: Background::start(&mut command)?,
            address: address(dns),
            management: address(management),
        };
        let deadline = Instant::now() + STARTS_WITHIN;
        while !answers(&server.address) || !answers(&server.management) {
            if Instant::now() > deadline {
                return Err("pebble-challtestsrv does not start".to_owned());
            }
            thread::sleep(POLL);
        }
        Ok(server)
    }

    /// A line of shell that puts `value` at `name`; both are words of shell.
    pub(super) fn set(&self, name: &str, value: &str) -> String {
        let body = format!("'{{\"host\":\"'\"{name}\"'\",\"value\":\"'\"{value}\"'\"}}'");
        self.request("set-txt", &body)
    }

    /// A line of shell that takes all values from `name`.
    pub(super) fn clear(&self, name: &str) -> String {
        self.request("clear-txt", &format!("'{{\"host\":\"'\"{name}\"'\"}}'"))
    }

    fn request(&self, action: &str, body: &str) -> String {
        format!(
            "curl --silent --show-error --fail --noproxy '*' --data {body} http://{}/{action}",
            self.management
        )
    }
}

/// The arguments, by what this release says it takes: 2.4 calls it dns01.
fn arguments(help: &str, dns: &str, management: &str) -> Vec<String> {
    let knows = |flag: &str| {
        let mut words = help.lines().filter_map(|it| it.split_whitespace().next());
        words.any(|it| it == flag)
    };
    let flag = match knows("-dnsserver") {
        true => "-dnsserver",
        false => "-dns01",
    };
    let mut arguments = vec![flag, dns, "-management", management];
    for unused in ["-defaultIPv6", "-http01", "-https01", "-tlsalpn01", "-doh"] {
        if knows(unused) {
            arguments.extend([unused, ""]);
        }
    }
    arguments.into_iter().map(str::to_owned).collect()
}

fn answers(address: &str) -> bool {
    let address: Result<SocketAddr, _> = address.parse();
    address.is_ok_and(|it| TcpStream::connect(it).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_releases_get_the_words_they_know() {
        let old = "  -dns01 string\n    \tdoc\n  -http01 string\n";
        let words = arguments(old, "a", "b");
        assert_eq!(words, ["-dns01", "a", "-management", "b", "-http01", ""]);
        let new = "  -dnsserver string\n  -doh string\n";
        let words = arguments(new, "a", "b");
        assert_eq!(words, ["-dnsserver", "a", "-management", "b", "-doh", ""]);
    }
}
