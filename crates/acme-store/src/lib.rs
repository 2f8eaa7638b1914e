#![doc = include_str!("../README.md")]

mod bundle;
mod certificate_store;
mod memory;
mod version;

pub use acme_messages as messages;
pub use acme_messages::jose::BoxFuture;
pub use bundle::{BundleError, CertificateBundle};
pub use certificate_store::{
    CertificateStore, CertificateStoreExt, Cursor, Entry, EntryState, Listed, Page, PutError,
    StoreError, StoreEvent,
};
pub use futures_core::stream::BoxStream;
pub use memory::MemoryStore;
pub use version::{Expect, Version};
