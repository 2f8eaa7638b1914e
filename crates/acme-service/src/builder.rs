//! The service's settings, each with its default.

use std::{sync::Arc, time::Duration};

use acme_client::{CertificateAuthority, SystemClock};
use acme_messages::{Clock, jose::KeyType};
use acme_responders::Responder;
use acme_store::CertificateStore;

use crate::{RenewalPolicy, ServiceHandle, answers::Answers, engine::Engine, job::Means};

/// How often the whole store is looked through, beside what its watch reports.
pub const DEFAULT_CHECK_INTERVAL: Duration = Duration::from_secs(12 * 60 * 60);

/// The shortest time between two looks through the whole store.
pub const MIN_CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// How many certificates are requested at once.
pub const DEFAULT_PARALLEL: usize = 4;

/// Keeps every certificate of a store valid.
///
/// Names come from the store alone: whoever wants a certificate puts a blank
/// entry there. What is blank is issued, what is due is renewed, and the old
/// certificate stays on every error.
///
/// ```no_run
/// use std::sync::Arc;
/// use acme_client::CertificateAuthority;
/// use acme_responders::Responder;
/// use acme_service::IssuingService;
/// use acme_store::CertificateStore;
///
/// # async fn example(
/// #     store: Arc<dyn CertificateStore>,
/// #     authority: Arc<dyn CertificateAuthority>,
/// #     responder: Arc<dyn Responder>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let service = IssuingService::builder(store, authority)
///     .responder(responder)
///     .start();
/// let check = service.initial_check().await?;
/// for (name, result) in &check.attempted {
///     println!("{name}: {result:?}");
/// }
/// # Ok(()) }
/// ```
#[doc(alias = "AcmeIssuingService")]
#[derive(Debug)]
pub struct IssuingService(());

/// Settings of an [`IssuingService`].
#[derive(Debug)]
pub struct IssuingServiceBuilder {
    means: Means,
    policy: RenewalPolicy,
    check_interval: Duration,
    parallel: usize,
}

impl IssuingService {
    /// Starts the settings: a store, and who issues.
    pub fn builder(
        store: Arc<dyn CertificateStore>,
        authority: Arc<dyn CertificateAuthority>,
    ) -> IssuingServiceBuilder {
        IssuingServiceBuilder {
            means: Means {
                store,
                authority,
                responders: Vec::new(),
                answers: Answers::default(),
                clock: Arc::new(SystemClock),
                key_type: KeyType::default(),
                profile: None,
            },
            policy: RenewalPolicy::default(),
            check_interval: DEFAULT_CHECK_INTERVAL,
            parallel: DEFAULT_PARALLEL,
        }
    }
}

impl IssuingServiceBuilder {
    /// Adds a way to prove a name; the first one that a CA offers is taken.
    #[must_use]
    pub fn responder(mut self, responder: Arc<dyn Responder>) -> Self {
        let responder = self.means.answers.count(responder);
        self.means.responders.push(responder);
        self
    }

    /// Where time comes from; real time by default.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.means.clock = clock;
        self
    }

    /// When certificates are due; [`RenewalPolicy::Relative`] by default.
    #[must_use]
    pub const fn policy(mut self, policy: RenewalPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// How often the store is looked through; [`DEFAULT_CHECK_INTERVAL`] by default,
    /// at least [`MIN_CHECK_INTERVAL`].
    #[must_use]
    pub fn check_interval(mut self, interval: Duration) -> Self {
        self.check_interval = interval.max(MIN_CHECK_INTERVAL);
        self
    }

    /// How many certificates are requested at once, at least one; [`DEFAULT_PARALLEL`] by default.
    #[must_use]
    pub fn parallel(mut self, parallel: usize) -> Self {
        self.parallel = parallel.max(1);
        self
    }

    /// The kind of key that certificates get; P-256 by default.
    #[doc(alias = "generate_key")]
    #[must_use]
    pub const fn key_type(mut self, key_type: KeyType) -> Self {
        self.means.key_type = key_type;
        self
    }

    /// The profile to ask the CA for; none by default.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.means.profile = Some(profile.into());
        self
    }

    /// Starts the service on the current runtime; it works until it is shut down,
    /// whether or not the handle is kept.
    ///
    /// # Panics
    /// When it is not called on a tokio runtime.
    pub fn start(self) -> ServiceHandle {
        Engine::start(
            Arc::new(self.means),
            self.policy,
            self.check_interval,
            self.parallel,
        )
    }
}
