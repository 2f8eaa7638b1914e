//! The record that says with which keys there may be records.

use base64ct::{Base64, Encoding};
use bytes::Bytes;

use super::{
    envelope::{SealError, is_proof, prove},
    key_ring::{KeyRing, SealingKey},
};

/// The key of that record. It is hidden from whoever uses the store.
pub(super) const KEY: &str = "acme-sealed/keys";

const FIRST: &str = "acme-sealed-keys 1";

/// Ids, each with a proof of its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest(Vec<(String, String)>);

impl Manifest {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        if lines.next() != Some(FIRST) {
            return None;
        }
        let keys = lines.map(|line| {
            let (id, proof) = line.split_once(' ')?;
            Some((id.to_owned(), proof.to_owned()))
        });
        keys.collect::<Option<_>>().map(Self)
    }

    pub(super) fn to_bytes(&self) -> Bytes {
        let lines: String = self
            .0
            .iter()
            .map(|(id, proof)| format!("{id} {proof}\n"))
            .collect();
        format!("{FIRST}\n{lines}").into()
    }

    /// The ids of keys that a ring has not, or has another under.
    pub(super) fn unknown(&self, ring: &KeyRing, namespace: &str) -> Option<(&str, bool)> {
        self.0.iter().find_map(|(id, proved)| match ring.get(id) {
            None => Some((&**id, false)),
            Some(key) => {
                let proof = Base64::decode_vec(proved).unwrap_or_default();
                (!is_proof(&proof, key, namespace)).then_some((&**id, true))
            }
        })
    }

    pub(super) fn has(&self, key: &SealingKey) -> bool {
        self.0.iter().any(|it| it.0 == key.id())
    }

    pub(super) fn add(&mut self, key: &SealingKey, namespace: &str) -> Result<(), SealError> {
        let proof = Base64::encode_string(&prove(key, namespace)?);
        self.0.push((key.id().to_owned(), proof));
        Ok(())
    }

    /// Leaves only one key; gives the ids of the others.
    pub(super) fn retire_all_but(&mut self, key: &SealingKey) -> Vec<String> {
        let others: Vec<_> = self.0.iter().map(|it| it.0.clone()).collect();
        self.0.retain(|it| it.0 == key.id());
        others.into_iter().filter(|it| it != key.id()).collect()
    }
}
