//! Starting Pebble: settings, ports, and waiting until it answers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::TcpStream;

use super::config::{self, Profile, RetryAfter, Settings};
use super::{Pebble, Ports, Programs, dns, fetch};
use crate::error::Error;
use crate::http::Client;
use crate::port::free_port;
use crate::process::Child;
use crate::tls::Identity;

/// How long a program may take until it answers; a container is slower than a file.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How often it is asked.
const POLL: Duration = Duration::from_millis(10);

/// How often other ports are tried when one was taken after all.
const ATTEMPTS: usize = 3;

/// What a program says when its port is taken.
const PORT_TAKEN: &str = "address already in use";

/// The lifetime of certificates of the profile that is there by default: 90 days.
const DEFAULT_VALIDITY: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A Pebble that is not running yet.
///
/// It will be strict, reject 5 % of good nonces, reuse half of the valid authorizations, and not
/// sleep before validation; it asks clients to wait 1 s, and has one profile, `default`, of 90 days.
#[derive(Debug, Clone)]
pub struct PebbleBuilder {
    programs: Programs,
    settings: Settings,
    variables: BTreeMap<String, String>,
    http_port: Option<u16>,
    tls_port: Option<u16>,
    dns_server: Option<SocketAddr>,
}

impl PebbleBuilder {
    pub(super) fn new(programs: Programs) -> Self {
        let settings = Settings {
            external_accounts: BTreeMap::new(),
            profiles: BTreeMap::new(),
            blocked_domains: Vec::new(),
            caa_identities: vec!["pebble.letsencrypt.org".to_owned()],
            retry_after: RetryAfter { authz: 1, order: 1 },
        };
        Self {
            programs,
            settings,
            variables: BTreeMap::new(),
            http_port: None,
            tls_port: None,
            dns_server: None,
        }
        .variable("PEBBLE_VA_NOSLEEP", "1")
    }

    /// Sets where Pebble validates http-01: a port of 127.0.0.1; a free one by default.
    #[must_use]
    pub fn http_port(mut self, port: u16) -> Self {
        self.http_port = Some(port);
        self
    }

    /// Sets where Pebble validates tls-alpn-01: a port of 127.0.0.1; a free one by default.
    #[must_use]
    pub fn tls_port(mut self, port: u16) -> Self {
        self.tls_port = Some(port);
        self
    }

    /// Sets the DNS server that Pebble asks; its companion by default, which runs all the same.
    #[must_use]
    pub fn dns_server(mut self, address: SocketAddr) -> Self {
        self.dns_server = Some(address);
        self
    }

    /// Sets how many of a hundred good nonces are rejected; 5 by default.
    #[must_use]
    pub fn nonce_reject(self, percent: u8) -> Self {
        self.variable("PEBBLE_WFE_NONCEREJECT", percent.to_string())
    }

    /// Sets how many of a hundred valid authorizations a new order takes over; 50 by default.
    #[must_use]
    pub fn authz_reuse(self, percent: u8) -> Self {
        self.variable("PEBBLE_AUTHZREUSE", percent.to_string())
    }

    /// Sets how many chains to other roots each certificate comes with; none by default.
    #[must_use]
    pub fn alternate_roots(self, count: u8) -> Self {
        self.variable("PEBBLE_ALTERNATE_ROOTS", count.to_string())
    }

    /// Sets how many intermediates stand in a chain; 1 by default.
    #[must_use]
    pub fn chain_length(self, length: u8) -> Self {
        self.variable("PEBBLE_CHAIN_LENGTH", length.to_string())
    }

    /// Sets what Pebble asks clients to wait, in seconds, for authorizations and for orders.
    #[must_use]
    pub fn retry_after(mut self, authz: u32, order: u32) -> Self {
        self.settings.retry_after = RetryAfter { authz, order };
        self
    }

    /// Demands external account binding, and knows this key, in base64url; more may follow.
    #[must_use]
    pub fn external_account(mut self, id: impl Into<String>, key: impl Into<String>) -> Self {
        self.settings
            .external_accounts
            .insert(id.into(), key.into());
        self
    }

    /// Adds a profile, in place of the default one; an order that names none gets any of them.
    #[must_use]
    pub fn profile(mut self, name: impl Into<String>, validity: Duration) -> Self {
        let name = name.into();
        let profile = Profile {
            description: format!("the profile {name}"),
            validity_period: validity.as_secs(),
        };
        self.settings.profiles.insert(name, profile);
        self
    }

    /// Refuses a domain and those below it.
    #[must_use]
    pub fn blocked_domain(mut self, name: impl Into<String>) -> Self {
        self.settings.blocked_domains.push(name.into());
        self
    }

    /// Sets a variable in the environment of Pebble, such as `PEBBLE_VA_ALWAYS_VALID`.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Starts the DNS server and Pebble, and waits until the directory can be had.
    ///
    /// # Errors
    ///
    /// - [`Error::Ended`], [`Error::TooLong`]: one of them does not come up; the error says what
    ///   it said.
    /// - [`Error::PortTaken`]: a port was taken, three times.
    /// - [`Error::Io`], [`Error::Certificate`]: the preparation failed.
    pub async fn start(mut self) -> Result<Pebble, Error> {
        if self.settings.profiles.is_empty() {
            self = self.profile("default", DEFAULT_VALIDITY);
        }
        let mut attempt = 1;
        loop {
            match self.attempt().await {
                Err(Error::PortTaken { .. }) if attempt < ATTEMPTS => attempt += 1,
                other => return other,
            }
        }
    }

    async fn attempt(&self) -> Result<Pebble, Error> {
        let ports = Ports {
            acme: free_port(),
            management: free_port(),
            http: self.http_port.unwrap_or_else(free_port),
            tls: self.tls_port.unwrap_or_else(free_port),
            dns: free_port(),
            dns_management: free_port(),
        };
        let folder = TempDir::with_prefix("acme-pebble-").map_err(Error::io("make a folder"))?;
        let identity = Identity::for_loopback()?;
        let client = Client::trusting(identity.root_pem())?;
        let config = config::write(folder.path(), ports, &identity, &self.settings)?;

        let mut command = self.command(&self.programs.challtestsrv, &folder);
        dns::arguments(&self.programs.challtestsrv, ports, &mut command)?;
        let mut challtestsrv = Child::spawn("pebble-challtestsrv", &mut command)?;
        ready(&mut challtestsrv, async || {
            TcpStream::connect(("127.0.0.1", ports.dns)).await.is_ok()
                && TcpStream::connect(("127.0.0.1", ports.dns_management))
                    .await
                    .is_ok()
        })
        .await?;

        let own = SocketAddr::from(([127, 0, 0, 1], ports.dns));
        let dns_server = self.dns_server.unwrap_or(own);
        let mut command = self.command(&self.programs.pebble, &folder);
        command
            .arg("-strict")
            .arg("-config")
            .arg(config)
            .args(["-dnsserver", &dns_server.to_string()]);
        let mut pebble = Child::spawn("pebble", &mut command)?;
        let directory_url = format!("https://127.0.0.1:{}/dir", ports.acme);
        let management = format!("https://127.0.0.1:{}/roots/0", ports.management);
        ready(&mut pebble, async || {
            fetch(&client, &directory_url).await.is_ok()
                && fetch(&client, &management).await.is_ok()
        })
        .await?;

        Ok(Pebble {
            pebble,
            challtestsrv,
            folder,
            ports,
            identity,
            client,
            directory_url,
        })
    }

    /// A program in the folder of the run, steered by our variables and by no inherited ones.
    fn command(&self, program: &std::path::Path, folder: &TempDir) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PEBBLE_") {
                command.env_remove(name);
            }
        }
        command
            .envs(&self.variables)
            .env("ACME_PEBBLE_DIR", folder.path());
        command
    }
}

/// Asks until `answers` says yes, unless the program ends or finds its port taken.
async fn ready(child: &mut Child, answers: impl AsyncFn() -> bool) -> Result<(), Error> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        let log = child.log();
        if log.contains(PORT_TAKEN) {
            return Err(Error::PortTaken {
                program: child.name().to_owned(),
                log: log.text(),
            });
        }
        if answers().await {
            return Ok(());
        }
        if let Some(status) = child.ended()? {
            // Its last words may still be on their way.
            let log = child.log().clone();
            let _ = log.line(PORT_TAKEN, Duration::from_secs(1)).await;
            if log.contains(PORT_TAKEN) {
                continue;
            }
            return Err(Error::ended(child.name(), status, "an answer", log.text()));
        }
        if Instant::now() >= deadline {
            return Err(Error::TooLong {
                awaited: format!("an answer of {}", child.name()),
                limit: READY_WITHIN,
                log: child.log().text(),
            });
        }
        tokio::time::sleep(POLL).await;
    }
}
