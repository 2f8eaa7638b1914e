//! What the stores promise, seen from outside.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets what it did not expect is to fail"
)]

#[cfg(feature = "conformance")]
mod behaviours;
mod bundle;
#[cfg(feature = "conformance")]
mod cas_only;
mod clock;
#[cfg(feature = "conformance")]
mod conformance;
mod faults;
mod lease;
mod memory;
#[cfg(feature = "conformance")]
mod mutants;
mod pki;
mod record_certificates;
mod record_watch;
mod records;
mod removed_names;
#[cfg(feature = "sealed")]
mod sealed_records;

#[cfg(unix)]
mod account_key;
#[cfg(unix)]
mod directory;
#[cfg(unix)]
mod file_records;
#[cfg(unix)]
mod killed;
#[cfg(unix)]
mod names;
#[cfg(target_os = "linux")]
mod notification;
#[cfg(unix)]
mod odd_entries;
#[cfg(unix)]
mod other_process;
#[cfg(unix)]
mod outage;
#[cfg(unix)]
mod permissions;
#[cfg(unix)]
mod record_faults;
#[cfg(unix)]
mod records_killed;
#[cfg(unix)]
mod watch;
