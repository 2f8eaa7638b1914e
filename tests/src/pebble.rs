//! Pebble, the ACME server that Let's Encrypt keeps for tests of clients.

mod builder;
mod config;
mod dns;
mod programs;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ::http::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

pub use self::builder::PebbleBuilder;
pub use self::dns::Dns;
pub use self::programs::{Programs, skipped};
use crate::error::Error;
use crate::http::Client;
use crate::process::{Child, Log};
use crate::tls::Identity;

/// A running Pebble with a DNS server of its own.
///
/// Every name resolves to 127.0.0.1 unless [`Pebble::dns`] is told otherwise; Pebble validates
/// http-01 on [`Pebble::http_port`] and tls-alpn-01 on [`Pebble::tls_port`], where a test answers.
/// Nothing listens there before the test does.
/// Both programs end with this value at the latest.
#[derive(Debug)]
pub struct Pebble {
    pebble: Child,
    challtestsrv: Child,
    folder: TempDir,
    ports: Ports,
    identity: Identity,
    client: Client,
    directory_url: String,
}

/// The ports of 127.0.0.1 that take part.
#[derive(Debug, Clone, Copy)]
struct Ports {
    /// Pebble's ACME interface.
    acme: u16,
    /// Pebble's management interface.
    management: u16,
    /// Where Pebble validates http-01.
    http: u16,
    /// Where Pebble validates tls-alpn-01.
    tls: u16,
    /// The DNS server.
    dns: u16,
    /// The management interface of the DNS server.
    dns_management: u16,
}

impl Pebble {
    /// Prepares a Pebble; nothing runs before [`PebbleBuilder::start`].
    #[must_use]
    pub fn builder(programs: Programs) -> PebbleBuilder {
        PebbleBuilder::new(programs)
    }

    /// Where a client begins.
    #[must_use]
    pub fn directory_url(&self) -> &str {
        &self.directory_url
    }

    /// The root of Pebble's own HTTPS: what a client trusts in order to talk to it.
    ///
    /// It has nothing to do with the certificates that Pebble issues.
    #[must_use]
    pub fn https_root_pem(&self) -> &str {
        self.identity.root_pem()
    }

    /// A file with [`Pebble::https_root_pem`], which goes away with this value.
    #[must_use]
    pub fn https_root_file(&self) -> PathBuf {
        self.folder.path().join(config::ROOT_FILE)
    }

    /// The folder of this run, which goes away with this value.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The root of the certificates that Pebble issues: what a visitor trusts.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: the management interface does not give it.
    pub async fn issuing_root_pem(&self) -> Result<String, Error> {
        self.alternate_root_pem(0).await
    }

    /// The root of an alternate chain; 0 is the default one.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: there is none of that number; see [`PebbleBuilder::alternate_roots`].
    pub async fn alternate_root_pem(&self, number: usize) -> Result<String, Error> {
        self.management(&format!("/roots/{number}")).await
    }

    /// The certificate below the root of a chain; 0 is the default one.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: there is none of that number.
    pub async fn intermediate_pem(&self, number: usize) -> Result<String, Error> {
        self.management(&format!("/intermediates/{number}")).await
    }

    /// What Pebble says about a certificate: `Status` is `Valid` or `Revoked`.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: it knows none of this serial number, given in hexadecimal.
    pub async fn certificate_status(&self, serial: &str) -> Result<Value, Error> {
        let path = format!("/cert-status-by-serial/{serial}");
        json(&path, &self.management(&path).await?)
    }

    /// What the directory says.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: it cannot be had.
    pub async fn directory(&self) -> Result<Value, Error> {
        json(
            &self.directory_url,
            &fetch(&self.client, &self.directory_url).await?,
        )
    }

    /// Whether this Pebble gives renewal information (ARI); old releases do not.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: the directory cannot be had.
    pub async fn offers_renewal_info(&self) -> Result<bool, Error> {
        Ok(self.directory().await?.get("renewalInfo").is_some())
    }

    /// Whether this Pebble has profiles; old releases do not.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: the directory cannot be had.
    pub async fn offers_profiles(&self) -> Result<bool, Error> {
        Ok(self.directory().await?.pointer("/meta/profiles").is_some())
    }

    /// The port of 127.0.0.1 where Pebble validates http-01.
    #[must_use]
    pub fn http_port(&self) -> u16 {
        self.ports.http
    }

    /// The port of 127.0.0.1 where Pebble validates tls-alpn-01.
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        self.ports.tls
    }

    /// The DNS server that Pebble asks, for settings.
    #[must_use]
    pub fn dns(&self) -> Dns {
        Dns::new(self.client.clone(), self.ports.dns_management)
    }

    /// The DNS server that Pebble asks, for queries over TCP and UDP.
    #[must_use]
    pub fn dns_address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports.dns))
    }

    /// All ports of 127.0.0.1 that the two programs listen on.
    #[must_use]
    pub fn listening_ports(&self) -> [u16; 4] {
        let ports = self.ports;
        [
            ports.acme,
            ports.management,
            ports.dns,
            ports.dns_management,
        ]
    }

    /// What Pebble has said so far; each request is a line such as
    /// `POST /order-plz -> calling handler()`.
    #[must_use]
    pub fn log(&self) -> &Log {
        self.pebble.log()
    }

    /// A client that trusts Pebble's own HTTPS.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Ends both programs and waits for them; their ports are free again.
    ///
    /// # Errors
    ///
    /// - [`Error::TooLong`]: one of them did not end.
    pub async fn stop(self) -> Result<(), Error> {
        self.pebble.stop().await?;
        self.challtestsrv.stop().await?;
        Ok(())
    }

    async fn management(&self, path: &str) -> Result<String, Error> {
        let url = format!("https://127.0.0.1:{}{path}", self.ports.management);
        fetch(&self.client, &url).await
    }
}

/// The body of an answer of status 200.
async fn fetch(client: &Client, url: &str) -> Result<String, Error> {
    let response = client.get(url).await?;
    if response.status == StatusCode::OK {
        Ok(response.text())
    } else {
        Err(Error::http("GET", url)(format!(
            "the answer is {}: {}",
            response.status,
            response.text()
        )))
    }
}

fn json(url: &str, text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(Error::http("GET", url))
}
