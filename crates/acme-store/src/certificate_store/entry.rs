//! What a certificate store gives: pages of names, entries, and hints.

use acme_messages::ServerName;

use crate::{BundleError, CertificateBundle, Version};

/// A part of a listing, and where the next part begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The listed.
    pub items: Vec<T>,
    /// What to ask for the next page with; `None` on the last.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// A page with nothing behind it.
    #[must_use]
    pub const fn last(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// Where the next page of a store's names begins; only that store can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(Box<[u8]>);

impl Cursor {
    /// Takes the bytes that a store finds its place with.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, for the store that made them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A name that a store has something for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The name.
    pub name: ServerName,
    /// The version that [`CertificateStore::get`](crate::CertificateStore::get) gives, if nothing changes meanwhile.
    pub version: Version,
}

impl Listed {
    /// A name at a version.
    #[must_use]
    pub const fn new(name: ServerName, version: Version) -> Self {
        Self { name, version }
    }
}

/// What a store keeps for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// What it is.
    pub contents: EntryState,
    /// What a [`put`](crate::CertificateStore::put) that replaces it must expect.
    pub version: Version,
}

impl Entry {
    /// An entry in the given state.
    #[must_use]
    pub const fn new(contents: EntryState, version: Version) -> Self {
        Self { contents, version }
    }

    /// A request for a certificate.
    #[must_use]
    pub const fn blank(version: Version) -> Self {
        Self::new(EntryState::Blank, version)
    }

    /// The bundle, if there is one.
    #[must_use]
    pub const fn bundle(&self) -> Option<&CertificateBundle> {
        match &self.contents {
            EntryState::Bundle(bundle) => Some(bundle),
            EntryState::Blank | EntryState::Damaged(_) => None,
        }
    }
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// Nothing: a request to issue.
    Blank,
    /// A key and its certificate.
    Bundle(CertificateBundle),
    /// Something that makes no bundle, which a person should look at.
    ///
    /// It may be the only copy of a key that another program can read, so it is
    /// no request to issue.
    Damaged(BundleError),
}

/// A hint from [`CertificateStore::watch`](crate::CertificateStore::watch).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreEvent {
    /// The entry of this name may have changed, come or gone.
    Changed(ServerName),
    /// Anything may have changed: list again.
    Resync,
}
