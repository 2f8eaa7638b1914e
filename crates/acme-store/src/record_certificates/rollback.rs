//! Going back to the generation of before.

use acme_messages::ServerName;

use super::{
    Generation, Kept, RecordCertificates, generation, generation_key, pointer_key, refusal,
};
use crate::{BundleError, Life, RecordError, RecordStore, StoreError, Version, WriteError};

impl<S: RecordStore> RecordCertificates<S> {
    /// All generations of a name that are kept, the current one first.
    ///
    /// # Errors
    /// - [`StoreError`] when the record store cannot say. One that is damaged has an
    ///   error of its own.
    pub async fn generations(&self, name: &ServerName) -> Result<Vec<Generation>, StoreError> {
        let pointer = self.pointer(name).await?.and_then(|it| it.pointer.ok());
        let mut all = Vec::new();
        for id in pointer.iter().flat_map(|it| it.all()) {
            let contents = match self.records.get(&generation_key(name, id)).await {
                Ok(Some(record)) => generation::parse(&record.value),
                Ok(None) => Err(BundleError::NoPem),
                Err(RecordError::Corrupt { .. }) => Err(BundleError::Malformed),
                Err(error) => return Err(StoreError::Records(error)),
            };
            all.push(Generation { id, contents });
        }
        Ok(all)
    }

    /// Puts the newest previous generation that can be loaded in the place of the
    /// current one, and gives the entry's new version.
    ///
    /// Nothing is lost by it: the one that was current becomes the last of the
    /// previous, so that as many calls as there are generations come full circle.
    ///
    /// # Errors
    /// - [`RollbackError::Conflict`] when somebody else was faster. Nothing has changed.
    /// - [`RollbackError::NoGeneration`] when there is nothing to go back to.
    /// - [`RollbackError::Store`] when the record store cannot say, or cannot write. If
    ///   the reason [may pass](StoreError::is_transient), it may have been done.
    pub async fn rollback(&self, name: &ServerName) -> Result<Version, RollbackError> {
        let Some(Kept { pointer, version }) = self.pointer(name).await? else {
            return Err(RollbackError::NoGeneration);
        };
        let pointer = pointer.map_err(|_| RollbackError::NoGeneration)?;
        let generations = self.generations(name).await?;
        let back = generations
            .iter()
            .filter(|it| Some(it.id) != pointer.current())
            .find(|it| pointer.has(it.id) && it.bundle().is_ok())
            .ok_or(RollbackError::NoGeneration)?;
        let moved = pointer.back_to(back.id).to_bytes();
        let key = pointer_key(name);
        let put = self.records.put(&key, moved, version.into(), Life::Durable);
        put.await.map_err(|error| match error {
            WriteError::Conflict => RollbackError::Conflict,
            error => refusal(error).into(),
        })
    }
}

/// A name was not moved to a generation of before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RollbackError {
    /// Somebody else has changed the entry meanwhile.
    #[error("the entry has changed meanwhile")]
    Conflict,
    /// There is no other generation that can be loaded.
    #[error("there is no generation to go back to")]
    NoGeneration,
    /// The records cannot be read or written.
    #[error("the entry could not be moved back")]
    Store(#[from] StoreError),
}
