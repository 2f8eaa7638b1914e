//! What every store must do, asked of any: for the authors of stores.
//!
//! For a certificate store there is [`CertificateSuite`], for a record store [`Suite`].
//! It is given a way to open handles on a namespace, and hooks that do to
//! the engine what only its author knows how to do. It gives a [`Report`]: each check
//! has an id, and is passed, failed, or skipped with a reason. What cannot be seen
//! without a hook that is absent is skipped, never passed.
//!
//! ```
//! use std::sync::Arc;
//! use acme_store::{MemoryRecords, RecordStore, conformance::Suite};
//! # use std::time::{Duration, Instant};
//! # use acme_store::{BoxFuture, messages::{Clock, Timestamp}};
//! # #[derive(Debug)]
//! # struct SystemClock(Instant);
//! # impl Clock for SystemClock {
//! #     fn now(&self) -> Timestamp { Timestamp::now() }
//! #     fn monotonic(&self) -> Duration { self.0.elapsed() }
//! #     fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> { Box::pin(tokio::time::sleep(span)) }
//! # }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let clock = Arc::new(SystemClock(Instant::now()));
//! // A store of one's own opens a handle on the namespace it is given. In memory, a
//! // handle is a clone; one store is no namespace of another.
//! let stores = Arc::new(std::sync::Mutex::new(std::collections::HashMap::new()));
//! let suite = Suite::new("MemoryRecords", clock.clone(), move |namespace| {
//!     let mut stores = stores.lock().expect("no panic");
//!     let store = stores.entry(namespace).or_insert_with(|| MemoryRecords::new(clock.clone()));
//!     let store: Arc<dyn RecordStore> = Arc::new(store.clone());
//!     Box::pin(async { Ok(store) })
//! });
//! let report = suite.only(&["K1", "V2", "R2"]).run().await;
//! println!("{report}");
//! assert!(report.is_conformant());
//! assert_eq!(report.skipped().next().expect("nothing restarts memory").id, "R2");
//! # Ok::<_, Box<dyn std::error::Error>>(()) })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

#[cfg(unix)]
mod assistant;
mod certificates;
#[cfg(unix)]
mod child;
mod failing;
mod ground;
mod guarding;
mod keys;
mod leasing;
mod listing;
mod lives;
mod mirror;
mod reading;
mod report;
mod sealing;
mod suite;
mod unanswered;
mod versions;
mod watching;

#[cfg(unix)]
pub use assistant::assist;
pub use certificates::CertificateSuite;
pub use report::{CheckReport, Outcome, Report};
pub use suite::{BoxError, Suite};
