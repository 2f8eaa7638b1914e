//! What is said about renewals.

use std::time::Duration;

use acme_messages::SuggestedWindow;

use crate::ca::limits;

/// What is said about renewals ([RFC 9773]).
///
/// [RFC 9773]: https://www.rfc-editor.org/rfc/rfc9773
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RenewalConfig {
    /// Whether there is renewal information at all; yes by default.
    pub offered: bool,
    /// The window of every certificate, whatever its dates and state; `None`,
    /// the default, computes each from the certificate's own
    /// ([RFC 9773, section 4.2]).
    ///
    /// [RFC 9773, section 4.2]: https://www.rfc-editor.org/rfc/rfc9773#section-4.2
    pub window: Option<SuggestedWindow>,
    /// When to ask again; 6 hours by default.
    pub retry_after: Duration,
    /// A page for people that explains the window.
    pub explanation_url: Option<String>,
}

impl Default for RenewalConfig {
    fn default() -> Self {
        Self {
            offered: true,
            window: None,
            retry_after: limits::RENEWAL_RETRY_AFTER,
            explanation_url: None,
        }
    }
}
