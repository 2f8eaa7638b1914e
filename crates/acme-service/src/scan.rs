//! A look through the store: what has changed since the last one.

use std::collections::{BTreeSet, HashMap};

use acme_messages::{Clock, ServerName};
use acme_store::{
    BundleError, CertificateStore, CertificateStoreExt, EntryState, StoreError, Version,
};

use crate::{decide::Holding, job::bounded};

/// What to look at.
#[derive(Debug)]
pub(crate) enum Scope {
    /// Every name; the versions that are known need not be read.
    All(HashMap<ServerName, Version>),
    /// Some names.
    Names(BTreeSet<ServerName>),
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Findings {
    /// Whether names that were not found are gone.
    pub(crate) complete: bool,
    /// Names that are as they were.
    pub(crate) same: Vec<ServerName>,
    /// Names that are new, or changed.
    pub(crate) changed: Vec<(ServerName, Version, Found)>,
    /// Names that were looked for and are not there.
    pub(crate) gone: Vec<ServerName>,
    /// Why an entry could not be read; it is left as it was known.
    pub(crate) unread: Option<StoreError>,
}

/// What is kept for a name.
#[derive(Debug)]
pub(crate) enum Found {
    /// Something to keep valid.
    Managed(Holding),
    /// Something that a person must look at.
    Damaged(BundleError),
}

/// Looks through the store. An entry that cannot be read is left as it was known.
pub(crate) async fn scan(
    store: &dyn CertificateStore,
    clock: &dyn Clock,
    scope: Scope,
) -> Result<Findings, StoreError> {
    let mut findings = Findings {
        complete: matches!(scope, Scope::All(_)),
        same: Vec::new(),
        changed: Vec::new(),
        gone: Vec::new(),
        unread: None,
    };
    let mut to_read = Vec::new();
    match scope {
        Scope::All(known) => {
            for listed in bounded(clock, store.list_all()).await? {
                if known.get(&listed.name) == Some(&listed.version) {
                    findings.same.push(listed.name);
                } else {
                    to_read.push(listed.name);
                }
            }
        }
        Scope::Names(names) => to_read.extend(names),
    }
    for name in to_read {
        match bounded(clock, store.get(&name)).await {
            Ok(Some(entry)) => {
                let found = found(entry.contents);
                findings.changed.push((name, entry.version, found));
            }
            Ok(None) => findings.gone.push(name),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%name, %error, cause, "an entry of the store cannot be read");
                findings.same.push(name);
                findings.unread.get_or_insert(error);
            }
        }
    }
    Ok(findings)
}

fn found(contents: EntryState) -> Found {
    match contents {
        EntryState::Blank => Found::Managed(Holding::Nothing),
        EntryState::Bundle(bundle) => {
            let leaf = bundle.chain().leaf();
            Found::Managed(Holding::Certificate {
                not_before: leaf.not_before,
                not_after: leaf.not_after,
            })
        }
        EntryState::Damaged(error) => Found::Damaged(error),
    }
}
