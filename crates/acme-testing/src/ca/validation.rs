//! Validations: whoever says that a challenge is met is looked at
//! ([RFC 8555, section 8]).
//!
//! What there is no answer at all to is `connection`, `tls` or `dns`, what answers
//! but not the challenge `unauthorized`, and a wrong answer `incorrectResponse`,
//! unless Boulder's ways are wanted.
//!
//! [RFC 8555, section 8]: https://www.rfc-editor.org/rfc/rfc8555#section-8

mod address;
mod caa;
mod dns;
mod dns_01;
mod dns_persist_01;
mod http_01;
mod look;
mod perspective;
mod tls_alpn_01;
mod tls_verifier;

use std::sync::Arc;

use acme_messages::{
    ChallengeType, KeyAuthorization, Problem, ProblemType, ServerName, Timestamp, Token,
    jose::Thumbprint,
};

use super::authority::Authority;
use look::{Look, Verdict};

/// A challenge to look at.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) challenge: String,
    pub(super) kind: ChallengeType,
    /// The identifier, without a `*.`.
    pub(super) name: ServerName,
    /// Whether it is for the names one label below.
    pub(super) wildcard: bool,
    pub(super) token: Token,
    pub(super) key_authorization: KeyAuthorization,
    pub(super) thumbprint: Thumbprint,
    pub(super) account_url: String,
    /// What the account's hashes come after ([`Version::Draft02`] of dns-persist-01).
    ///
    /// [`Version::Draft02`]: acme_messages::dns_persist::Version::Draft02
    pub(super) account_hash_prefix: String,
}

/// Looks at a challenge and writes down what was found.
pub(super) async fn run(authority: Arc<Authority>, job: Job) {
    let config = authority.config();
    let job = Arc::new(job);
    let look = Look {
        config: Arc::clone(&config),
        provider: Arc::clone(&authority.provider),
        job: Arc::clone(&job),
        now: authority.now(),
        source: None,
    };
    let outcome = match config.validation.always_valid {
        true => Ok(()),
        false => perspective::agree(&look).await,
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
    let mut state = authority.state();
    match outcome {
        Err(problem) if config.validation.tries_again_on_request && may_pass(&problem) => {
            state.reopen(&job.challenge, *problem);
        }
        outcome => state.settle(&job.challenge, outcome.map_err(|it| *it), now, expires),
    }
    drop(state);
    authority.settled.notify_waiters();
}

/// Whether nothing was learned of the challenge, since the name could not be reached.
fn may_pass(problem: &Problem) -> bool {
    matches!(
        problem.kind,
        ProblemType::Connection | ProblemType::Dns | ProblemType::Tls
    )
}
