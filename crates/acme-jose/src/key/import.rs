//! Keys as files hold them: PKCS#8, PKCS#1, SEC1, in PEM or DER.

use p256::elliptic_curve::ALGORITHM_OID as EC;
use pkcs8::{
    AssociatedOid, ObjectIdentifier, PrivateKeyInfoRef,
    der::{
        Decode, Reader, SliceReader, Tag, TagNumber, Tagged,
        asn1::{AnyRef, ContextSpecific, OctetStringRef},
    },
    spki::AlgorithmIdentifierRef,
};
use rustls_pki_types::{
    PrivateKeyDer,
    pem::{PemObject, SectionKind},
};
use sec1::EcPrivateKey;
use zeroize::Zeroizing;

use super::{KeyError, Secret};
use crate::jwk::{ED25519, RSA};

pub(super) fn from_pem(text: &[u8]) -> Result<Secret, KeyError> {
    if contains(text, b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || contains(text, b"Proc-Type: 4,ENCRYPTED")
    {
        return Err(KeyError::Encrypted);
    }
    // A byte order mark would hide the line it stands on.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut found = None;
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
        let (kind, der) = section.map_err(|_| KeyError::Malformed)?;
        let der = Zeroizing::new(der);
        let key = match kind {
            SectionKind::PrivateKey => from_pkcs8(&der),
            SectionKind::EcPrivateKey => from_sec1(&der, None),
            SectionKind::RsaPrivateKey => Secret::from_pkcs1(&der),
            _ => continue,
        };
        if found.replace(key?).is_some() {
            return Err(KeyError::Several);
        }
    }
    found.ok_or_else(|| {
        if text.split(|byte| b"\r\n".contains(byte)).any(begins_key) {
            KeyError::Unsupported
        } else {
            KeyError::Missing
        }
    })
}

pub(super) fn from_der(der: &[u8]) -> Result<Secret, KeyError> {
    match PrivateKeyDer::try_from(der) {
        Ok(PrivateKeyDer::Pkcs8(_)) => from_pkcs8(der),
        Ok(PrivateKeyDer::Sec1(_)) => from_sec1(der, None),
        Ok(PrivateKeyDer::Pkcs1(_)) => Secret::from_pkcs1(der),
        Ok(_) => Err(KeyError::Unsupported),
        Err(_) => Err(unreadable_pkcs8(der)),
    }
}

fn from_pkcs8(der: &[u8]) -> Result<Secret, KeyError> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| unreadable_pkcs8(der))?;
    let key = info.private_key.as_bytes();
    match info.algorithm.oid {
        EC => {
            let curve = info.algorithm.parameters_oid();
            from_sec1(key, Some(curve.map_err(|_| KeyError::Unsupported)?))
        }
        ED25519 => Secret::from_ed25519_pkcs8(der),
        RSA => Secret::from_pkcs1(key),
        _ => Err(KeyError::Unsupported),
    }
}

/// Reads `ECPrivateKey` ([RFC 5915]); its own parameters, or those around it, name the curve.
///
/// [RFC 5915]: https://www.rfc-editor.org/rfc/rfc5915
fn from_sec1(der: &[u8], curve: Option<ObjectIdentifier>) -> Result<Secret, KeyError> {
    let key = EcPrivateKey::from_der(der).map_err(|_| unreadable_sec1(der))?;
    let own = key.parameters.as_ref().and_then(|it| it.named_curve());
    let curve = match (curve, own) {
        (Some(around), Some(own)) if around != own => return Err(KeyError::Mismatched),
        (Some(curve), _) | (None, Some(curve)) => curve,
        (None, None) => return Err(KeyError::Unsupported),
    };
    let secret = match curve {
        p256::NistP256::OID => Secret::from_p256(&scalar(key.private_key, 32)?)?,
        #[cfg(feature = "p384")]
        p384::NistP384::OID => Secret::from_p384(&scalar(key.private_key, 48)?)?,
        _ => return Err(KeyError::Unsupported),
    };
    match key.public_key {
        Some(public) if !secret.has_point(public) => Err(KeyError::Mismatched),
        _ => Ok(secret),
    }
}

/// The scalar in the curve's width, which [RFC 5915, section 3] demands, and not every writer
/// heeds.
///
/// [RFC 5915, section 3]: https://www.rfc-editor.org/rfc/rfc5915#section-3
fn scalar(written: &[u8], width: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let zeros = written.iter().take_while(|it| **it == 0).count();
    let number = &written[zeros..];
    let missing = width.checked_sub(number.len());
    let missing = missing.ok_or(KeyError::Malformed)?;
    let mut scalar = Zeroizing::new(vec![0; width]);
    scalar[missing..].copy_from_slice(number);
    Ok(scalar)
}

/// Whether a line begins a private key, of whatever kind.
fn begins_key(line: &[u8]) -> bool {
    line.starts_with(b"-----BEGIN ") && line.trim_ascii_end().ends_with(b" PRIVATE KEY-----")
}

/// What is wrong with bytes that are no PKCS#8: they may be what encryption made of it
/// (`EncryptedPrivateKeyInfo`, [RFC 5958, section 3]).
///
/// [RFC 5958, section 3]: https://www.rfc-editor.org/rfc/rfc5958#section-3
fn unreadable_pkcs8(der: &[u8]) -> KeyError {
    let encrypted = SliceReader::new(der).and_then(|mut reader| {
        reader.sequence(|inside| {
            AlgorithmIdentifierRef::decode(inside)?;
            <&OctetStringRef>::decode(inside)
        })
    });
    match encrypted {
        Ok(_) => KeyError::Encrypted,
        Err(_) => KeyError::Malformed,
    }
}

/// What is wrong with bytes that are no SEC1 key: they may spell out the curve, which
/// [RFC 5480, section 2.1.1] forbids.
///
/// [RFC 5480, section 2.1.1]: https://www.rfc-editor.org/rfc/rfc5480#section-2.1.1
fn unreadable_sec1(der: &[u8]) -> KeyError {
    let curve = AnyRef::from_der(der).and_then(|key| {
        let mut inside = SliceReader::new(key.value())?;
        u8::decode(&mut inside)?;
        <&OctetStringRef>::decode(&mut inside)?;
        ContextSpecific::<AnyRef<'_>>::decode_explicit(&mut inside, TagNumber(0))
    });
    match curve {
        Ok(Some(curve)) if curve.value.tag() == Tag::Sequence => KeyError::Unsupported,
        _ => KeyError::Malformed,
    }
}

fn contains(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|window| window == needle)
}
