//! One look at a challenge from one place, and how its outcome is told.

use std::{fmt, net::IpAddr, sync::Arc};

use acme_messages::{ChallengeType, Problem, ProblemType, ServerName, Timestamp};
use domain::base::Rtype;
use rustls::crypto::CryptoProvider;

use super::{
    Job, caa,
    dns::{DnsClient, Failure, Record},
    dns_01, dns_persist_01, http_01, tls_alpn_01,
};
use crate::ca::config::{Style, TestCaConfig, ValidationConfig};

/// What a look found, or why it found nothing.
pub(super) type Verdict<T> = Result<T, Box<Problem>>;

/// One look at a challenge from one place.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) config: Arc<TestCaConfig>,
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) job: Arc<Job>,
    /// The CA's time, by its own clock.
    pub(super) now: Timestamp,
    /// The address that it is made from; of the system's choice if `None`.
    pub(super) source: Option<IpAddr>,
}

impl Look {
    /// Looks, no longer than a validation may take.
    pub(super) async fn run(self) -> Verdict<()> {
        let timeout = self.config().timeout;
        match tokio::time::timeout(timeout, self.validate()).await {
            Ok(verdict) => verdict,
            Err(_) => {
                let kind = match self.job.kind {
                    ChallengeType::Http01 | ChallengeType::TlsAlpn01 => ProblemType::Connection,
                    _ => ProblemType::Dns,
                };
                Err(self.problem(kind, "there was no answer in time"))
            }
        }
    }

    async fn validate(&self) -> Verdict<()> {
        self.challenge().await?;
        match self.config().caa {
            true => caa::check(self).await,
            false => Ok(()),
        }
    }

    async fn challenge(&self) -> Verdict<()> {
        match &self.job.kind {
            ChallengeType::Dns01 | ChallengeType::DnsAccount01 => dns_01::validate(self).await,
            ChallengeType::DnsPersist01 => dns_persist_01::validate(self).await,
            ChallengeType::Http01 => http_01::validate(self).await,
            ChallengeType::TlsAlpn01 => tls_alpn_01::validate(self).await,
            kind => {
                let detail = format_args!("this CA cannot look at {kind}");
                Err(self.problem(ProblemType::IncorrectResponse, detail))
            }
        }
    }

    pub(super) fn config(&self) -> &ValidationConfig {
        &self.config.validation
    }

    /// Asks the DNS server for a name's records.
    pub(super) async fn lookup(&self, name: &str, kind: Rtype) -> Result<Vec<Record>, Failure> {
        let config = self.config();
        let server = config.dns_server.ok_or(Failure::NoServer)?;
        DnsClient::new(server, self.source, config.dns_timeout)
            .lookup(name, kind)
            .await
    }

    /// DNS told nothing about a name.
    pub(super) fn dns(&self, failure: Failure, kind: Rtype, name: &str) -> Box<Problem> {
        let detail = format_args!("{failure} (looked for {kind} at {name})");
        self.problem(ProblemType::Dns, detail)
    }

    pub(super) fn connection(&self, detail: impl fmt::Display) -> Box<Problem> {
        self.problem(ProblemType::Connection, detail)
    }

    pub(super) fn unauthorized(&self, detail: impl fmt::Display) -> Box<Problem> {
        self.problem(ProblemType::Unauthorized, detail)
    }

    /// The answer is one to a challenge, but not the right one.
    pub(super) fn wrong(&self, detail: impl fmt::Display) -> Box<Problem> {
        let kind = match self.config.style {
            Style::Boulder | Style::Pebble => ProblemType::Unauthorized,
            _ => ProblemType::IncorrectResponse,
        };
        self.problem(kind, detail)
    }

    /// A problem with the challenge's identifier.
    pub(super) fn problem(&self, kind: ProblemType, detail: impl fmt::Display) -> Box<Problem> {
        problem(kind, &self.job.name, detail)
    }
}

fn problem(kind: ProblemType, name: &ServerName, detail: impl fmt::Display) -> Box<Problem> {
    Box::new(Problem::new(kind, format!("{name}: {detail}")))
}
