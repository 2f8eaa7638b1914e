//! The ACME server: its handle, what it shows, what can be changed while it runs.

mod account;
mod authority;
mod authorization;
mod builder;
mod certificate;
mod challenge;
mod challenge_body;
#[cfg(feature = "hyper")]
mod clients;
mod clock;
mod config;
mod contact;
mod delivery;
mod directory;
mod external_account;
mod fault;
mod finalize;
mod identifier;
mod key_change;
mod limits;
mod log;
mod nonce;
mod order;
mod placed;
mod renewal;
mod replacement;
mod reply;
mod request;
mod revocation;
mod route;
mod router;
mod server;
mod state;
mod validation;

use std::{fmt, sync::Arc};

use tokio::{sync::watch, task::JoinHandle};

pub use builder::{TestCaBuilder, TestCaError};
pub use certificate::IssuedCertificate;
#[cfg(feature = "hyper")]
pub use clients::ClientError;
pub use config::{
    AccountConfig, AnswerConfig, DefaultProfile, IssuanceConfig, OrderConfig, Profile,
    RenewalConfig, Resolver, Style, TestCaConfig, ValidationConfig,
};
pub use fault::{ChainFault, Failure, Fault, FaultRule, InvalidFault};
pub use log::RequestRecord;
pub use nonce::NonceCounts;
pub use placed::PlacedOrder;
pub use route::Operation;

use crate::TestPki;
use authority::Authority;

/// An ACME server ([RFC 8555]) over HTTPS, or HTTP where that is asked for, on
/// loopback, in this process.
///
/// It checks what it is sent as strictly as the RFC asks, and it really
/// validates: its http-01 and tls-alpn-01 knock on sockets, its dns-01 asks a
/// name server.
/// Any name resolves to loopback, unless the builder says otherwise.
/// Several may run at once, and nothing of them is process-wide.
///
/// The clock it was given tells it the time of certificates and expiries; it
/// never sleeps on that clock, so that whoever counts the sleepers of a
/// [`ManualClock`](crate::ManualClock) finds none of the CA's.
///
/// Dropping the handle stops the server and every task it started.
///
/// [RFC 8555]: https://www.rfc-editor.org/rfc/rfc8555
pub struct TestCa {
    authority: Arc<Authority>,
    https_root: String,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl TestCa {
    /// Sets up a CA; nothing is required but a crypto provider, and that only
    /// when the process has no default one.
    pub fn builder() -> TestCaBuilder {
        TestCaBuilder::new()
    }

    /// The URL that a client is configured with.
    #[must_use]
    pub fn directory_url(&self) -> String {
        self.authority.url(route::DIRECTORY)
    }

    /// The root of the certificates it issues, as PEM.
    #[must_use]
    pub fn root_pem(&self) -> String {
        self.authority.pki.root_pem()
    }

    /// The root of its own HTTPS certificate, as PEM: what an ACME client is to
    /// trust. Empty for a CA over plain HTTP.
    ///
    /// It is another than [`root_pem`](Self::root_pem), as at every real CA.
    #[must_use]
    pub fn https_root_pem(&self) -> String {
        self.https_root.clone()
    }

    /// The keys it issues with, to issue what no order would bring about.
    #[must_use]
    pub fn pki(&self) -> &TestPki {
        &self.authority.pki
    }

    /// The newest 10,000 requests, in the order they were answered.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.authority.log.records()
    }

    /// How many of those requests were of this operation.
    #[must_use]
    pub fn count(&self, operation: Operation) -> usize {
        self.authority.log.count(operation)
    }

    /// Waits until [`count`](Self::count) is at least `count`.
    pub async fn wait_for(&self, operation: Operation, count: usize) {
        self.authority.log.wait_for(operation, count).await;
    }

    /// The orders so far, as they were placed, each in the state it is in now.
    #[must_use]
    pub fn orders(&self) -> Vec<PlacedOrder> {
        self.authority.placed()
    }

    /// How many nonces were given and spent.
    #[must_use]
    pub fn nonces(&self) -> NonceCounts {
        self.authority.state().nonces.counts()
    }

    /// Makes every nonce given so far bad, as a restart of the CA does.
    pub fn forget_nonces(&self) {
        self.authority.state().nonces.forget_all();
    }

    /// Forgets the requests so far, to count from here.
    pub fn clear_requests(&self) {
        self.authority.log.clear();
    }

    /// The certificates so far, in the order they were issued.
    #[must_use]
    pub fn issued(&self) -> Vec<IssuedCertificate> {
        self.authority.issued()
    }

    /// Changes settings; what is under way keeps those it began with.
    ///
    /// ```
    /// # async fn example(ca: &acme_testing::TestCa) {
    /// ca.configure(|config| config.answers.nonce_reject_rate = 0.5);
    /// ca.configure(|config| config.issuance.validity = std::time::Duration::from_secs(10));
    /// # }
    /// ```
    pub fn configure(&self, change: impl FnOnce(&mut TestCaConfig)) {
        self.authority.configure(change);
    }

    /// Lets validations wait until they are [released](Self::release_validations),
    /// those under way apart.
    pub fn hold_validations(&self) {
        self.authority.held.send_replace(true);
    }

    /// Lets the validations go on that were held, and all later ones.
    pub fn release_validations(&self) {
        self.authority.held.send_replace(false);
    }

    /// Lets a fault strike from now on, until it has struck as often as its rule
    /// says or [`clear_faults`](Self::clear_faults) is called.
    pub fn inject(&self, fault: impl Into<FaultRule>) {
        self.authority.faults.add(fault.into());
    }

    /// Ends all faults, also those of [`fail_next`](Self::fail_next).
    pub fn clear_faults(&self) {
        self.authority.faults.clear();
    }

    /// Where http-01 knocks from now on: a responder's port is often known late.
    pub fn set_http_01_port(&self, port: u16) {
        self.configure(|config| config.validation.http_01_port = port);
    }

    /// Where tls-alpn-01 knocks from now on.
    pub fn set_tls_alpn_01_port(&self, port: u16) {
        self.configure(|config| config.validation.tls_alpn_01_port = port);
    }

    /// Lets the next request of this kind fail; calls add up, first in, first out.
    ///
    /// A failure with a problem is the CA's own: the request is checked and
    /// its nonce spent first, and the answer carries a fresh one.
    /// A bare status is a front end's: nothing was looked at.
    ///
    /// ```
    /// # async fn example(ca: &acme_testing::TestCa) {
    /// use acme_testing::{Failure, Operation, messages::{Problem, ProblemType}};
    ///
    /// ca.fail_next(Operation::NewOrder, 503);
    /// let limited = Problem::new(ProblemType::RateLimited, "too many orders");
    /// ca.fail_next(Operation::NewOrder, Failure::problem(429, limited));
    /// # }
    /// ```
    pub fn fail_next(&self, operation: Operation, failure: impl Into<Failure>) {
        self.inject(Fault::Fail(failure.into()).on(operation).times(1));
    }

    /// Stops the server and waits until its tasks are gone and its port is free.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(());
        // An error says that the task is gone already, which was the aim.
        let _ = (&mut self.task).await;
    }
}

impl Drop for TestCa {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for TestCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestCa")
            .field("directory_url", &self.directory_url())
            .finish_non_exhaustive()
    }
}
