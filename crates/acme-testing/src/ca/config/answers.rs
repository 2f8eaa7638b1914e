//! How patient and how talkative answers are.

use std::time::Duration;

/// How patient and how talkative answers are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AnswerConfig {
    /// Whether a look at an order, an authorization or a challenge waits while a
    /// validation of it is under way; yes by default, so that the number of
    /// requests in a test does not depend on who is faster.
    pub polls_wait: bool,
    /// The share of good nonces that are refused, between 0 (the default) and
    /// 1; Pebble's is 0.05.
    pub nonce_reject_rate: f64,
    /// The `Retry-After` of what is not final yet; none by default.
    pub retry_after: Option<Duration>,
    /// The CA's site, which the directory tells; none by default.
    pub website: Option<String>,
    /// The names under which CAA records know this CA; by default `ca.example`.
    pub caa_identities: Vec<String>,
}

impl Default for AnswerConfig {
    fn default() -> Self {
        Self {
            polls_wait: true,
            nonce_reject_rate: 0.0,
            retry_after: None,
            website: None,
            caa_identities: vec!["ca.example".to_owned()],
        }
    }
}
