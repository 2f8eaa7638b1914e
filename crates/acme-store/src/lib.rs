#![doc = include_str!("../README.md")]

#[cfg(unix)]
mod account_key;
mod bundle;
mod certificate_store;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(unix)]
mod directory;
#[cfg(unix)]
mod disk_work;
#[cfg(unix)]
mod file_records;
mod memory;
mod memory_records;
mod record_certificates;
mod record_store;
#[cfg(feature = "sealed")]
mod sealed_records;
mod table;
mod version;

#[cfg(unix)]
pub use account_key::{
    AccountKeyError, load_or_create_account_key, load_or_create_account_key_of_type,
};
pub use acme_messages as messages;
pub use acme_messages::jose::BoxFuture;
pub use bundle::{BundleError, CertificateBundle};
pub use certificate_store::{
    CertificateStore, CertificateStoreExt, Cursor, Entry, EntryState, Listed, Page, PutError,
    StoreError, StoreEvent,
};
#[cfg(unix)]
pub use directory::{DirectoryOptions, DirectoryStore};
#[cfg(unix)]
pub use file_records::{EndsBy, FileRecords, FileRecordsError, FileRecordsOptions};
pub use futures_core::stream::BoxStream;
pub use memory::MemoryStore;
pub use memory_records::{Fault, FaultPlan, MemoryRecords, Operation};
pub use record_certificates::{
    Generation, InvalidMetadata, Metadata, RecordCertificates, RollbackError,
};
pub use record_store::{
    Acquired, Capabilities, CommitError, Guard, InvalidKey, Key, KeyPage, Lease, LeaseError, Life,
    NodeId, Op, Prefix, Record, RecordError, RecordEvent, RecordStore, WatchKind, WriteError,
};
#[cfg(feature = "sealed")]
pub use sealed_records::{
    InvalidSealingKey, KeyRing, Rekeyed, SealedRecords, SealedRecordsError, SealingKey,
};
pub use version::{Expect, Version};
