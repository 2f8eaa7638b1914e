//! What every [`CertificateAuthority`] does, asked of any: a suite of behaviours by name.
//!
//! Our own fake CA, our own client before our own CA, and the same client before real CAs pass
//! it. Who implements the trait runs it with [`authority_suite!`](crate::authority_suite), which
//! makes one test of each behaviour, or with [`run`].
//!
//! ```
//! use std::sync::Arc;
//! use acme_testing::{FakeCa, ManualClock, NullResponder, messages::ChallengeType, suite};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = ManualClock::new("2026-11-23T00:00:00Z".parse()?);
//! let authority = Arc::new(FakeCa::new(clock.clone())?);
//! let responder = Arc::new(NullResponder::new(ChallengeType::Http01));
//! let subject = suite::Subject::new(authority, responder).clock(Arc::new(clock));
//! suite::run(&subject).await;
//! # Ok(())
//! # }
//! ```

mod identity;
mod issuance;
mod journal;
mod proof;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use acme_client::{
    CertificateAuthority, CertificateRequest, Error, IssuedCertificate, SystemClock,
};
use acme_messages::{
    Clock, DnsName, ServerName,
    jose::{BoxFuture, KeyType, PrivateKey},
};
use acme_responders::Responder;

use crate::pki::random;

pub use identity::{
    identity_is_stable, preparing_can_be_repeated, renewal_information_is_answered,
};
pub use issuance::{
    one_name_is_issued, orders_run_at_once, several_names_are_issued, the_same_name_is_issued_again,
};
pub use journal::{orders_are_journaled_before_they_are_proved, orders_are_taken_up_again};
pub use proof::{
    a_failing_responder_is_the_error, challenges_are_for_the_names, giving_up_stops_responders,
    giving_up_while_a_responder_starts_stops_it, responders_are_stopped_after_a_failure,
    responders_are_stopped_after_success, without_a_responder_nothing_is_issued,
    wrong_answers_are_refused,
};

/// How long one behaviour may take, in real time, before it counts as hanging.
pub const LIMIT: Duration = Duration::from_secs(120);

/// An authority to ask, and what it takes to prove names to it.
///
/// The suite makes up names of its own below [`names_below`](Self::names_below), new ones for
/// each behaviour, so that nothing that was proved before counts.
#[derive(Clone, Debug)]
pub struct Subject {
    authority: Arc<dyn CertificateAuthority>,
    responder: Arc<dyn Responder>,
    clock: Arc<dyn Clock>,
    parent: DnsName,
    validates: bool,
    /// Told apart from those of other runs, and from each other.
    run: String,
    names: Arc<AtomicUsize>,
}

impl Subject {
    /// An authority, and a responder whose answers it accepts for each name that is made up.
    ///
    /// # Panics
    /// - When the system has no randomness to give.
    #[must_use]
    pub fn new(authority: Arc<dyn CertificateAuthority>, responder: Arc<dyn Responder>) -> Self {
        let run = random::<4>().expect("the system has randomness to give");
        Self {
            authority,
            responder,
            clock: Arc::new(SystemClock),
            parent: "example.com".parse().expect("this is a name"),
            validates: false,
            run: run.iter().map(|byte| format!("{byte:02x}")).collect(),
            names: Arc::default(),
        }
    }

    /// What time it is for the certificates; the system's by default.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What the made-up names end in; `example.com` by default. Before a real CA each name
    /// below it must lead to the responder.
    #[must_use]
    pub fn names_below(mut self, parent: DnsName) -> Self {
        self.parent = parent;
        self
    }

    /// Whether the authority really looks for answers, so that none, or a wrong one, is a
    /// failure; not by default.
    #[must_use]
    pub const fn validates(mut self, validates: bool) -> Self {
        self.validates = validates;
        self
    }

    /// Names that nobody has proved yet.
    fn fresh_names(&self, count: usize) -> Vec<ServerName> {
        let parent = &self.parent;
        let fresh = (0..count).map(|_| {
            let number = self.names.fetch_add(1, Ordering::Relaxed);
            format!("s{}-{number}.{parent}", self.run)
        });
        let parsed = fresh.map(|name| name.parse().expect("the names below have room for a label"));
        parsed.collect()
    }

    async fn obtain(&self, request: &CertificateRequest) -> Result<IssuedCertificate, Error> {
        within(self.authority.obtain(request)).await
    }

    /// Issues for these names and checks what comes.
    async fn issue(&self, names: &[ServerName]) -> IssuedCertificate {
        let key = new_key();
        let request = request(names, &key).responder(self.responder.clone());
        let issued = self
            .obtain(&request)
            .await
            .expect("names that are proved are issued");
        self.verify(&issued, names, &key);
        issued
    }

    /// What a server would not use is nothing that an authority may give.
    fn verify(&self, issued: &IssuedCertificate, names: &[ServerName], key: &PrivateKey) {
        let chain = &issued.chain;
        chain
            .check_key(key.public_jwk())
            .expect("the leaf holds the request's key");
        chain
            .check_names(names)
            .expect("the leaf is for the request's names");
        chain
            .check_links()
            .expect("each certificate is signed by the next");
        chain
            .check_time(self.clock.now())
            .expect("the leaf is valid now");
    }
}

impl AsRef<Self> for Subject {
    fn as_ref(&self) -> &Self {
        self
    }
}

fn new_key() -> PrivateKey {
    PrivateKey::generate(KeyType::EcdsaP256).expect("the system has randomness to give")
}

fn request(names: &[ServerName], key: &PrivateKey) -> CertificateRequest {
    CertificateRequest::for_names(names, key).expect("these names can be asked for")
}

/// Waits for something, but not for ever.
async fn within<T>(future: impl Future<Output = T> + Send) -> T {
    tokio::time::timeout(LIMIT, future)
        .await
        .expect("nothing hangs")
}

/// A behaviour by its name.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name: that of the function, and of the test.
    pub name: &'static str,
    run: for<'a> fn(&'a Subject) -> BoxFuture<'a, ()>,
}

impl Check {
    /// Asks one subject for it.
    ///
    /// # Panics
    /// - When the subject does otherwise.
    pub async fn run(&self, subject: &Subject) {
        (self.run)(subject).await;
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

macro_rules! list {
    ([] $($check:ident,)*) => {
        /// Every behaviour, in the order of [`run`].
        pub const CHECKS: &[Check] = &[$(Check {
            name: stringify!($check),
            run: |subject| Box::pin($check(subject)),
        }),*];
    };
}

crate::__authority_checks!({list} []);

/// Asks a subject for every behaviour, one after the other.
///
/// # Panics
/// - When it does otherwise in any: once all were asked for, with the names of those that failed.
pub async fn run(subject: &Subject) {
    let mut failed = Vec::new();
    for check in CHECKS {
        let subject = subject.clone();
        let outcome = tokio::spawn(async move { check.run(&subject).await });
        if outcome.await.is_err() {
            failed.push(check.name);
        }
    }
    assert!(
        failed.is_empty(),
        "not as an authority does: {}",
        failed.join(", ")
    );
}

/// Makes one test of each behaviour of the [suite](crate::suite), by the same names for each
/// subject.
///
/// It is given an async function that is told the name of the test and gives
/// `Option<impl AsRef<Subject>>`: `None` skips the test, and whoever skips says so aloud.
/// Whatever else the value holds, such as a server, lives as long as the test. The tests use
/// `tokio::test`, so the crate needs tokio.
///
/// ```
/// # // What a test crate has; here the tests are made and not run.
/// mod fake {
///     use std::sync::Arc;
///     use acme_testing::{FakeCa, NullResponder, messages::ChallengeType, suite::Subject};
///
///     async fn subject(_test: &str) -> Option<Subject> {
///         let clock = Arc::new(acme_testing::client::SystemClock);
///         let ca = FakeCa::new(clock).expect("the fake CA is made");
///         let responder = NullResponder::new(ChallengeType::Http01);
///         Some(Subject::new(Arc::new(ca), Arc::new(responder)))
///     }
///
///     acme_testing::authority_suite!(subject);
/// }
/// ```
#[macro_export]
macro_rules! authority_suite {
    ($subject:path) => {
        $crate::__authority_checks!({ $crate::__authority_tests }[$subject]);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __authority_tests {
    ([$subject:path] $($check:ident,)*) => {$(
        #[::tokio::test]
        async fn $check() {
            if let Some(subject) = $subject(stringify!($check)).await {
                $crate::suite::$check(subject.as_ref()).await;
            }
        }
    )*};
}

/// The one list of the behaviours.
#[doc(hidden)]
#[macro_export]
macro_rules! __authority_checks {
    ({$($callback:tt)+} $arguments:tt) => {
        $($callback)+! {
            $arguments
            identity_is_stable,
            preparing_can_be_repeated,
            one_name_is_issued,
            several_names_are_issued,
            the_same_name_is_issued_again,
            orders_run_at_once,
            challenges_are_for_the_names,
            without_a_responder_nothing_is_issued,
            a_failing_responder_is_the_error,
            wrong_answers_are_refused,
            responders_are_stopped_after_success,
            responders_are_stopped_after_a_failure,
            giving_up_stops_responders,
            giving_up_while_a_responder_starts_stops_it,
            orders_are_journaled_before_they_are_proved,
            orders_are_taken_up_again,
            renewal_information_is_answered,
        }
    };
}
