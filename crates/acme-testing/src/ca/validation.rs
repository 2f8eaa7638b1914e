//! Validations: whoever says that a challenge is met is looked at
//! ([RFC 8555, section 8]).
//!
//! What there is no answer at all to is `connection` or `tls`, what answers but
//! not the challenge `unauthorized`, and a wrong answer `incorrectResponse`.
//!
//! [RFC 8555, section 8]: https://www.rfc-editor.org/rfc/rfc8555#section-8

mod http_01;
mod tls_alpn_01;
mod tls_verifier;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use acme_messages::{
    ChallengeType, KeyAuthorization, Problem, ProblemType, ServerName, Timestamp, Token,
};
use tokio::net::TcpStream;

use super::{authority::Authority, config::ValidationConfig};

/// A challenge to look at.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) challenge: String,
    pub(super) kind: ChallengeType,
    pub(super) name: ServerName,
    pub(super) token: Token,
    pub(super) key_authorization: KeyAuthorization,
}

/// What a look found, or why it found nothing.
type Verdict<T> = Result<T, Box<Problem>>;

/// Looks at a challenge and writes down what was found.
pub(super) async fn run(authority: Arc<Authority>, job: Job) {
    let config = authority.config();
    let look = validate(&authority, &config.validation, &job);
    let outcome = match tokio::time::timeout(config.validation.timeout, look).await {
        Ok(outcome) => outcome,
        Err(_) => Err(connection(&job.name, "there was no answer in time")),
    };
    tracing::debug!(
        name = %job.name,
        challenge = job.kind.as_str(),
        problem = outcome.as_ref().err().map(tracing::field::display),
        "validated",
    );
    let now = authority.now();
    let expires = now
        .checked_add(config.orders.valid_authorization_lifetime)
        .unwrap_or(Timestamp::MAX);
    authority
        .state()
        .settle(&job.challenge, outcome.map_err(|it| *it), now, expires);
    authority.settled.notify_waiters();
}

async fn validate(authority: &Authority, config: &ValidationConfig, job: &Job) -> Verdict<()> {
    match &job.kind {
        ChallengeType::Http01 => http_01::validate(config, job).await,
        ChallengeType::TlsAlpn01 => tls_alpn_01::validate(&authority.provider, config, job).await,
        kind => {
            let detail = format_args!("this CA cannot look at {kind}");
            Err(incorrect(&job.name, detail))
        }
    }
}

fn resolve(config: &ValidationConfig, name: &ServerName) -> Verdict<IpAddr> {
    config
        .resolver
        .resolve(name)
        .ok_or_else(|| problem(ProblemType::Dns, name, "there is no address for this name"))
}

async fn connect(name: &ServerName, address: SocketAddr) -> Verdict<TcpStream> {
    TcpStream::connect(address)
        .await
        .map_err(|error| connection(name, format_args!("{address}: {}", reason(&error))))
}

/// The words of an I/O error that are the same on every system.
fn reason(error: &io::Error) -> String {
    error.kind().to_string()
}

fn connection(name: &ServerName, detail: impl std::fmt::Display) -> Box<Problem> {
    problem(ProblemType::Connection, name, detail)
}

fn unauthorized(name: &ServerName, detail: impl std::fmt::Display) -> Box<Problem> {
    problem(ProblemType::Unauthorized, name, detail)
}

fn incorrect(name: &ServerName, detail: impl std::fmt::Display) -> Box<Problem> {
    problem(ProblemType::IncorrectResponse, name, detail)
}

fn problem(kind: ProblemType, name: &ServerName, detail: impl std::fmt::Display) -> Box<Problem> {
    Box::new(Problem::new(kind, format!("{name}: {detail}")))
}
