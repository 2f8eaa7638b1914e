//! Signatures as X.509 has them: other names and another spelling than JOSE's.
//!
//! A key signs the same way for both; these two turn what
//! [`Signer::sign`](acme_jose::Signer::sign) gives into what stands in a certificate.
//!
//! ```
//! use acme_messages::{jose::{KeyType, PrivateKey, Signer}, x509_signature};
//!
//! let key = PrivateKey::generate(KeyType::EcdsaP256)?;
//! let signature = key.sign(b"to be signed")?;
//! let der = x509_signature::signature(key.algorithm(), &signature).expect("64 bytes");
//! assert_eq!(der[0], 0x30, "a SEQUENCE of two numbers");
//! let algorithm = x509_signature::algorithm(key.algorithm()).expect("X.509 has a name for it");
//! assert_eq!(algorithm, b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

use acme_jose::{HashAlgorithm, Jwk, SigningAlgorithm};
use const_oid::{
    ObjectIdentifier,
    db::rfc5912::{ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ECDSA_WITH_SHA_512},
    db::rfc5912::{
        SHA_256_WITH_RSA_ENCRYPTION, SHA_384_WITH_RSA_ENCRYPTION, SHA_512_WITH_RSA_ENCRYPTION,
    },
    db::rfc8410::ID_ED_25519,
};
use der::{
    Any, Decode, Encode, Header, Reader, Sequence, SliceReader, Tag,
    asn1::{Null, UintRef},
};
use spki::AlgorithmIdentifierOwned;

/// `ECDSA-Sig-Value` ([RFC 3279, section 2.2.3]).
///
/// [RFC 3279, section 2.2.3]: https://www.rfc-editor.org/rfc/rfc3279#section-2.2.3
#[derive(Sequence)]
struct EcdsaSignature<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// What came of checking a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the key's.
    Valid,
    /// It is not.
    Invalid,
    /// This build cannot tell: the algorithm, or the kind of key, is not one it knows.
    Unknown,
}

/// The DER `AlgorithmIdentifier` of an algorithm; `None` where X.509 has none for it
/// ([RFC 5758, section 3.2](https://www.rfc-editor.org/rfc/rfc5758#section-3.2),
/// [RFC 8410](https://www.rfc-editor.org/rfc/rfc8410)).
#[must_use]
pub fn algorithm(algorithm: SigningAlgorithm) -> Option<Vec<u8>> {
    algorithm_identifier(algorithm).ok()??.to_der().ok()
}

/// A JOSE signature as X.509 spells it; `None` where it has not the algorithm's length
/// ([RFC 3279, section 2.2.3](https://www.rfc-editor.org/rfc/rfc3279#section-2.2.3)).
#[must_use]
pub fn signature(algorithm: SigningAlgorithm, signature: &[u8]) -> Option<Vec<u8>> {
    to_der(algorithm, signature).ok()
}

/// X.509's name for the algorithm that a key signs with.
pub(crate) fn algorithm_identifier(
    algorithm: SigningAlgorithm,
) -> der::Result<Option<AlgorithmIdentifierOwned>> {
    let (oid, parameters) = match algorithm {
        SigningAlgorithm::Es256 => (ECDSA_WITH_SHA_256, None),
        SigningAlgorithm::Es384 => (ECDSA_WITH_SHA_384, None),
        SigningAlgorithm::Es512 => (ECDSA_WITH_SHA_512, None),
        SigningAlgorithm::EdDsa => (ID_ED_25519, None),
        SigningAlgorithm::Rs256 => (SHA_256_WITH_RSA_ENCRYPTION, Some(Any::encode_from(&Null)?)),
        SigningAlgorithm::Rs384 => (SHA_384_WITH_RSA_ENCRYPTION, Some(Any::encode_from(&Null)?)),
        SigningAlgorithm::Rs512 => (SHA_512_WITH_RSA_ENCRYPTION, Some(Any::encode_from(&Null)?)),
        _ => return Ok(None),
    };
    Ok(Some(AlgorithmIdentifierOwned { oid, parameters }))
}

/// The width of each of the two numbers in a JOSE signature by an elliptic curve.
const fn width(algorithm: SigningAlgorithm) -> Option<usize> {
    match algorithm {
        SigningAlgorithm::Es256 => Some(32),
        SigningAlgorithm::Es384 => Some(48),
        SigningAlgorithm::Es512 => Some(66),
        _ => None,
    }
}

/// Writes a JOSE signature as X.509 wants it; one of another length is refused.
pub(crate) fn to_der(algorithm: SigningAlgorithm, signature: &[u8]) -> der::Result<Vec<u8>> {
    let Some(width) = width(algorithm) else {
        return Ok(signature.to_vec());
    };
    if signature.len() != 2 * width {
        return Err(der::ErrorKind::Length { tag: Tag::Integer }.into());
    }
    let (r, s) = signature.split_at(width);
    EcdsaSignature {
        r: UintRef::new(r)?,
        s: UintRef::new(s)?,
    }
    .to_der()
}

/// Reads an X.509 signature into the form that a key of JOSE checks.
fn from_der(algorithm: SigningAlgorithm, der: &[u8]) -> der::Result<Vec<u8>> {
    let Some(width) = width(algorithm) else {
        return Ok(der.to_vec());
    };
    let signature = EcdsaSignature::from_der(der)?;
    let mut fixed = vec![0; 2 * width];
    for (number, half) in [signature.r, signature.s]
        .into_iter()
        .zip(fixed.chunks_exact_mut(width))
    {
        let bytes = number.as_bytes();
        let start = width
            .checked_sub(bytes.len())
            .ok_or(der::ErrorKind::Overflow)?;
        half[start..].copy_from_slice(bytes);
    }
    Ok(fixed)
}

/// Checks a signature of X.509, where an elliptic key of any curve goes with any hash.
pub(crate) fn verify(
    key: &Jwk,
    algorithm: ObjectIdentifier,
    message: &[u8],
    signature: &[u8],
) -> Verdict {
    let own = key.algorithm();
    let (family, hash) = match algorithm {
        ECDSA_WITH_SHA_256 => (width(own).is_some(), HashAlgorithm::Sha256),
        ECDSA_WITH_SHA_384 => (width(own).is_some(), HashAlgorithm::Sha384),
        ECDSA_WITH_SHA_512 => (width(own).is_some(), HashAlgorithm::Sha512),
        SHA_256_WITH_RSA_ENCRYPTION => (own == SigningAlgorithm::Rs256, HashAlgorithm::Sha256),
        SHA_384_WITH_RSA_ENCRYPTION => (own == SigningAlgorithm::Rs256, HashAlgorithm::Sha384),
        SHA_512_WITH_RSA_ENCRYPTION => (own == SigningAlgorithm::Rs256, HashAlgorithm::Sha512),
        ID_ED_25519 => (own == SigningAlgorithm::EdDsa, HashAlgorithm::Sha512),
        _ => return Verdict::Unknown,
    };
    if !family {
        return Verdict::Invalid;
    }
    if !SigningAlgorithm::ALL.contains(&own) {
        return Verdict::Unknown;
    }
    let verified = from_der(own, signature)
        .is_ok_and(|signature| key.verify_hash(hash, message, &signature).is_ok());
    if verified {
        Verdict::Valid
    } else {
        Verdict::Invalid
    }
}

/// The received bytes of the first element of a certificate or CSR: what its signature is over.
pub(crate) fn signed_part(der: &[u8]) -> der::Result<&[u8]> {
    let mut reader = SliceReader::new(der)?;
    Header::decode(&mut reader)?;
    reader.tlv_bytes()
}
