//! One generation of a certificate: key, chain and metadata in one value.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use zeroize::Zeroizing;

use super::Metadata;
use crate::{BundleError, CertificateBundle, StoreError};

const FIRST: &str = "acme-certificate 1";

/// A generation that is kept, loadable or not.
#[derive(Clone, Debug)]
pub struct Generation {
    pub(super) id: GenerationId,
    pub(super) contents: Result<(CertificateBundle, Metadata), BundleError>,
}

impl Generation {
    /// Its id: 32 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        self.id.to_string()
    }

    /// Its bundle.
    ///
    /// # Errors
    /// - [`BundleError`] when it cannot be loaded.
    pub fn bundle(&self) -> Result<&CertificateBundle, BundleError> {
        self.contents.as_ref().map(|it| &it.0).map_err(|it| *it)
    }

    /// What is known of it; nothing of one that cannot be loaded.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.contents.as_ref().ok().map(|it| &it.1)
    }
}

/// What tells generations apart: 128 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GenerationId([u8; 16]);

impl GenerationId {
    pub(super) fn random() -> Result<Self, StoreError> {
        let mut bytes = [0; 16];
        let filled = getrandom::fill(&mut bytes);
        filled.map_err(|error| StoreError::Unavailable(error.into()))?;
        Ok(Self(bytes))
    }

    #[cfg(test)]
    pub(super) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl FromStr for GenerationId {
    type Err = BundleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 32 && text.bytes().all(|it| it.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
        number
            .map(|it| Self(it.to_be_bytes()))
            .ok_or(BundleError::Malformed)
    }
}

/// The value of a generation.
pub(super) fn value(bundle: &CertificateBundle, metadata: &Metadata) -> Bytes {
    let mut head = format!("{FIRST}\n");
    for (name, value) in metadata.iter() {
        head.push_str(&format!("{name}: {value}\n"));
    }
    let pem = bundle.to_pem();
    // Room for all of it: growing would leave copies of the key behind.
    let mut text = Vec::with_capacity(head.len() + 1 + pem.len());
    text.extend_from_slice(head.as_bytes());
    text.push(b'\n');
    text.extend_from_slice(pem.as_bytes());
    // Wiped with the last that needs it.
    Bytes::from_owner(Zeroizing::new(text))
}

/// The bundle in a value.
pub(super) fn bundle(value: &[u8]) -> Result<CertificateBundle, BundleError> {
    parse(value).map(|it| it.0)
}

pub(super) fn parse(value: &[u8]) -> Result<(CertificateBundle, Metadata), BundleError> {
    let end = value
        .windows(2)
        .position(|it| it == b"\n\n")
        .ok_or(BundleError::Malformed)?;
    let (head, pem) = value.split_at(end + 2);
    let head = std::str::from_utf8(head).map_err(|_| BundleError::Malformed)?;
    let mut lines = head.trim_end_matches('\n').lines();
    if lines.next() != Some(FIRST) {
        return Err(BundleError::Malformed);
    }
    let mut metadata = Metadata::default();
    for line in lines {
        let (name, value) = line.split_once(": ").ok_or(BundleError::Malformed)?;
        let set = metadata.set(name, value);
        set.map_err(|_| BundleError::Malformed)?;
    }
    Ok((CertificateBundle::from_pem(pem)?, metadata))
}
