//! A sealed value: encrypted with a key of its own, which a key of the ring wraps.
//!
//! ```text
//! "acme-sealed/1"  kind  length of id  id  nonce (24)  wrapped key (48)  value and tag
//! ```
//!
//! Both are sealed to their place, `("acme-sealed/1", part, kind, namespace, key, id)`,
//! so that nothing can be moved to another. The value's nonce is zero: its key is used
//! once. That of the wrapping is 192 random bits, so that it may be used for ever.

use bytes::Bytes;
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, XChaCha20Poly1305,
    aead::{AeadInOut, Nonce},
};
use zeroize::Zeroizing;

use super::key_ring::{KeyRing, SealingKey};
use crate::Life;

const MAGIC: &[u8] = b"acme-sealed/1";

const NONCE: usize = 24;
const TAG: usize = 16;
const WRAPPED: usize = SealingKey::LENGTH + TAG;

/// The most that sealing adds to a value, in bytes.
pub(super) const OVERHEAD: usize =
    MAGIC.len() + 2 + SealingKey::MAX_ID_LENGTH + NONCE + WRAPPED + TAG;

/// How long a record lives, as far as sealing it anew must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Durable = 0,
    Ephemeral = 1,
}

impl From<Life> for Kind {
    fn from(life: Life) -> Self {
        match life {
            Life::Durable => Self::Durable,
            Life::Ephemeral(_) => Self::Ephemeral,
        }
    }
}

/// What is sealed beside the value: its wrapped key, the value, or a proof of a key.
#[derive(Clone, Copy)]
enum Part {
    Key = 0,
    Value = 1,
    Proof = 2,
}

/// The place that something is sealed to.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) namespace: &'a str,
    pub(super) key: &'a str,
}

impl Place<'_> {
    fn data(&self, part: Part, kind: Kind, id: &str) -> Vec<u8> {
        let mut data = MAGIC.to_vec();
        data.extend([part as u8, kind as u8]);
        for text in [self.namespace, self.key, id] {
            // Lengths keep texts from running into each other; none is over 4 GiB.
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            data.extend(length.to_be_bytes());
            data.extend(text.as_bytes());
        }
        data
    }
}

/// Why something cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SealError {
    #[error("there are no random bytes to seal with")]
    Random(#[source] getrandom::Error),
    #[error("the value is too long to be sealed")]
    TooLong,
}

/// Why something cannot be opened.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OpenFailure {
    #[error("it is damaged, from another place, or was never sealed")]
    Damaged,
    #[error("it is sealed with the key {id:?}, which is not in the ring")]
    UnknownKey { id: String },
}

/// The head of a sealed value.
pub(super) struct Envelope<'a> {
    pub(super) kind: Kind,
    pub(super) id: &'a str,
    nonce: &'a [u8; NONCE],
    wrapped: &'a [u8; WRAPPED],
    value: &'a [u8],
}

impl<'a> Envelope<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (&[kind, length], rest) = rest.split_first_chunk()?;
        let kind = match kind {
            0 => Kind::Durable,
            1 => Kind::Ephemeral,
            _ => return None,
        };
        let (id, rest) = rest.split_at_checked(length.into())?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (wrapped, value) = rest.split_first_chunk()?;
        Some(Self {
            kind,
            id: std::str::from_utf8(id).ok()?,
            nonce,
            wrapped,
            value,
        })
    }

    pub(super) fn open(&self, ring: &KeyRing, place: Place<'_>) -> Result<Bytes, OpenFailure> {
        let Some(outer) = ring.get(self.id) else {
            let id = self.id.to_owned();
            return Err(OpenFailure::UnknownKey { id });
        };
        let damaged = |_| OpenFailure::Damaged;
        let mut key = Zeroizing::new(self.wrapped.to_vec());
        wrapping(outer)
            .decrypt_in_place(
                &(*self.nonce).into(),
                &place.data(Part::Key, self.kind, self.id),
                &mut *key,
            )
            .map_err(damaged)?;
        let inner = ChaCha20Poly1305::new_from_slice(&key).map_err(|_| OpenFailure::Damaged)?;
        let mut value = Zeroizing::new(self.value.to_vec());
        inner
            .decrypt_in_place(
                &Nonce::<ChaCha20Poly1305>::default(),
                &place.data(Part::Value, self.kind, self.id),
                &mut *value,
            )
            .map_err(damaged)?;
        // Wiped with the last that needs it.
        Ok(Bytes::from_owner(value))
    }
}

fn wrapping(key: &SealingKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

pub(super) fn seal(
    outer: &SealingKey,
    place: Place<'_>,
    kind: Kind,
    value: &[u8],
) -> Result<Bytes, SealError> {
    let id = outer.id();
    let mut key = Zeroizing::new([0; SealingKey::LENGTH]);
    getrandom::fill(&mut *key).map_err(SealError::Random)?;
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(SealError::Random)?;
    let too_long = |_| SealError::TooLong;

    // Room for all of it: growing would leave copies of the value behind.
    let mut sealed = Zeroizing::new(Vec::with_capacity(value.len() + TAG));
    sealed.extend_from_slice(value);
    ChaCha20Poly1305::new((&*key).into())
        .encrypt_in_place(
            &Nonce::<ChaCha20Poly1305>::default(),
            &place.data(Part::Value, kind, id),
            &mut *sealed,
        )
        .map_err(too_long)?;
    let mut wrapped = Zeroizing::new(Vec::with_capacity(WRAPPED));
    wrapped.extend_from_slice(&*key);
    wrapping(outer)
        .encrypt_in_place(
            &nonce.into(),
            &place.data(Part::Key, kind, id),
            &mut *wrapped,
        )
        .map_err(too_long)?;

    let mut bytes = Vec::with_capacity(OVERHEAD + value.len());
    bytes.extend_from_slice(MAGIC);
    // An id has at most 64 characters.
    bytes.extend([kind as u8, u8::try_from(id.len()).unwrap_or(u8::MAX)]);
    bytes.extend_from_slice(id.as_bytes());
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&wrapped);
    bytes.extend_from_slice(&sealed);
    Ok(bytes.into())
}

/// What proves to whoever has a key that others mean the same key by its id: nothing,
/// sealed.
pub(super) fn prove(key: &SealingKey, namespace: &str) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(SealError::Random)?;
    let data = proof_data(key, namespace);
    let mut tag = Vec::new();
    wrapping(key)
        .encrypt_in_place(&nonce.into(), &data, &mut tag)
        .map_err(|_| SealError::TooLong)?;
    Ok([&nonce[..], &tag].concat())
}

pub(super) fn is_proof(proof: &[u8], key: &SealingKey, namespace: &str) -> bool {
    let Some((nonce, tag)) = proof.split_first_chunk::<NONCE>() else {
        return false;
    };
    let data = proof_data(key, namespace);
    let opened = wrapping(key).decrypt_in_place(&(*nonce).into(), &data, &mut tag.to_vec());
    opened.is_ok()
}

fn proof_data(key: &SealingKey, namespace: &str) -> Vec<u8> {
    let place = Place { namespace, key: "" };
    place.data(Part::Proof, Kind::Durable, key.id())
}
