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

/// What stands in the place of a proof once no record needs the key any more.
const RETIRED: &str = "retired";

/// How many retired keys are remembered: the last ones.
const MAX_RETIRED: usize = 64;

/// Ids, each with a proof of its key, or retired.
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
        let mut needed = self.0.iter().filter(|it| it.1 != RETIRED);
        needed.find_map(|(id, proved)| match ring.get(id) {
            None => Some((&**id, false)),
            Some(key) => {
                let proof = Base64::decode_vec(proved).unwrap_or_default();
                (!is_proof(&proof, key, namespace)).then_some((&**id, true))
            }
        })
    }

    pub(super) fn has(&self, key: &SealingKey) -> bool {
        self.0.iter().any(|it| it.0 == key.id() && it.1 != RETIRED)
    }

    /// Whether a key of this id was ever said to seal, as far as that is remembered.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.0.iter().any(|it| it.0 == id)
    }

    pub(super) fn add(&mut self, key: &SealingKey, namespace: &str) -> Result<(), SealError> {
        let proof = Base64::encode_string(&prove(key, namespace)?);
        self.0.retain(|it| it.0 != key.id());
        self.0.push((key.id().to_owned(), proof));
        Ok(())
    }

    /// Leaves only one key that is needed; gives the ids of the others.
    pub(super) fn retire_all_but(&mut self, key: &SealingKey) -> Vec<String> {
        let mut others = Vec::new();
        for (id, proof) in &mut self.0 {
            if id != key.id() && proof != RETIRED {
                RETIRED.clone_into(proof);
                others.push(id.clone());
            }
        }
        let retired = self.0.iter().filter(|it| it.1 == RETIRED).count();
        let mut forgotten = retired.saturating_sub(MAX_RETIRED);
        self.0.retain(|it| {
            let forget = forgotten > 0 && it.1 == RETIRED;
            forgotten -= usize::from(forget);
            !forget
        });
        others
    }
}
