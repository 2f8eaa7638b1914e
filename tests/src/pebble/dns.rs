//! The DNS server that Pebble asks: pebble-challtestsrv.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::Command;

use ::http::StatusCode;
use serde_json::{Value, json};

use super::Ports;
use crate::error::Error;
use crate::http::Client;

/// The settings of the DNS server; names are given without a final dot.
///
/// A name without settings of its own has the address 127.0.0.1 and nothing else.
#[derive(Debug, Clone)]
pub struct Dns {
    client: Client,
    management: String,
}

impl Dns {
    pub(super) fn new(client: Client, port: u16) -> Self {
        Self {
            client,
            management: format!("http://127.0.0.1:{port}"),
        }
    }

    /// Adds a TXT record, beside those that the name has.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: the server does not take it.
    pub async fn add_txt(&self, name: &str, value: &str) -> Result<(), Error> {
        self.set("/set-txt", &json!({"host": dotted(name), "value": value}))
            .await
    }

    /// Removes all TXT records of a name.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: the server does not take it.
    pub async fn clear_txt(&self, name: &str) -> Result<(), Error> {
        self.set("/clear-txt", &json!({"host": dotted(name)})).await
    }

    /// Sets the IPv4 addresses of a name, in place of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: the server does not take it.
    pub async fn set_a(&self, name: &str, addresses: &[Ipv4Addr]) -> Result<(), Error> {
        self.set(
            "/add-a",
            &json!({"host": dotted(name), "addresses": addresses}),
        )
        .await
    }

    /// Sets the IPv6 addresses of a name; it has none by default.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: the server does not take it.
    pub async fn set_aaaa(&self, name: &str, addresses: &[Ipv6Addr]) -> Result<(), Error> {
        self.set(
            "/add-aaaa",
            &json!({"host": dotted(name), "addresses": addresses}),
        )
        .await
    }

    /// Makes a name an alias.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: the server does not take it.
    pub async fn set_cname(&self, name: &str, target: &str) -> Result<(), Error> {
        self.set(
            "/set-cname",
            &json!({"host": dotted(name), "target": dotted(target)}),
        )
        .await
    }

    /// Answers SERVFAIL for a name.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: the server does not take it.
    pub async fn set_servfail(&self, name: &str) -> Result<(), Error> {
        self.set("/set-servfail", &json!({"host": dotted(name)}))
            .await
    }

    /// Answers for a name again.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: the server does not take it.
    pub async fn clear_servfail(&self, name: &str) -> Result<(), Error> {
        self.set("/clear-servfail", &json!({"host": dotted(name)}))
            .await
    }

    /// Sends a setting that has no method here, such as `/add-caa`.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: the server does not take it.
    pub async fn set(&self, path: &str, body: &Value) -> Result<(), Error> {
        let url = format!("{}{path}", self.management);
        let response = self.client.post(&url, body.to_string()).await?;
        if response.status == StatusCode::OK {
            Ok(())
        } else {
            Err(Error::http("POST", &url)(format!(
                "the answer is {}: {}",
                response.status,
                response.text()
            )))
        }
    }
}

fn dotted(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

/// The arguments of the DNS server, by what this release of it says it takes.
pub(super) fn arguments(program: &Path, ports: Ports, command: &mut Command) -> Result<(), Error> {
    let help = Command::new(program)
        .arg("-help")
        .output()
        .map_err(Error::file("run", program))?;
    let help = [help.stdout, help.stderr].concat();
    let help = String::from_utf8_lossy(&help);
    let knows = |flag: &str| {
        help.lines()
            .any(|l| l.split_whitespace().next() == Some(flag))
    };

    // Release 2.4 calls it dns01, and has no DNS over HTTPS.
    let dns = if knows("-dnsserver") {
        "-dnsserver"
    } else {
        "-dns01"
    };
    command
        .args([dns, &format!("127.0.0.1:{}", ports.dns)])
        .args([
            "-management",
            &format!("127.0.0.1:{}", ports.dns_management),
        ])
        .args(["-defaultIPv4", "127.0.0.1"]);
    for unused in ["-defaultIPv6", "-http01", "-https01", "-tlsalpn01", "-doh"] {
        if knows(unused) {
            command.args([unused, ""]);
        }
    }
    Ok(())
}
