#![doc = include_str!("../README.md")]

mod answers;
mod builder;
mod decide;
mod engine;
mod error;
mod event;
mod handle;
mod job;
mod policy;
mod scan;

pub use acme_client as client;
pub use acme_messages as messages;
pub use acme_store as store;
pub use builder::{
    DEFAULT_CHECK_INTERVAL, DEFAULT_PARALLEL, IssuingService, IssuingServiceBuilder,
    MIN_CHECK_INTERVAL,
};
pub use error::{IssueError, ServiceStopped};
pub use event::{InitialCheck, ServiceEvent};
pub use handle::ServiceHandle;
pub use job::ISSUE_DEADLINE;
pub use policy::RenewalPolicy;
