//! The two spellings of a signature: JOSE's fixed width, X.509's DER.

use acme_jose::SigningAlgorithm;
use const_oid::db::rfc5912::ECDSA_WITH_SHA_256;
use der::{Decode, Encode, Header, Reader, Sequence, SliceReader, Tag, asn1::UintRef};
use spki::AlgorithmIdentifierOwned;

/// `ECDSA-Sig-Value` ([RFC 3279, section 2.2.3]).
///
/// [RFC 3279, section 2.2.3]: https://www.rfc-editor.org/rfc/rfc3279#section-2.2.3
#[derive(Sequence)]
struct EcdsaSignature<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// X.509's name for an algorithm of JOSE.
pub(crate) fn algorithm_identifier(
    algorithm: SigningAlgorithm,
) -> Option<AlgorithmIdentifierOwned> {
    match algorithm {
        SigningAlgorithm::Es256 => Some(AlgorithmIdentifierOwned {
            oid: ECDSA_WITH_SHA_256,
            parameters: None,
        }),
        _ => None,
    }
}

/// Writes a JOSE signature as X.509 wants it; one of another length is refused.
pub(crate) fn to_der(algorithm: SigningAlgorithm, signature: &[u8]) -> der::Result<Vec<u8>> {
    match algorithm {
        SigningAlgorithm::Es256 => {
            if signature.len() != 64 {
                return Err(der::ErrorKind::Length { tag: Tag::Integer }.into());
            }
            let (r, s) = signature.split_at(32);
            EcdsaSignature {
                r: UintRef::new(r)?,
                s: UintRef::new(s)?,
            }
            .to_der()
        }
        _ => Ok(signature.to_vec()),
    }
}

/// Reads an X.509 signature into JOSE's form.
pub(crate) fn from_der(algorithm: SigningAlgorithm, der: &[u8]) -> der::Result<Vec<u8>> {
    match algorithm {
        SigningAlgorithm::Es256 => {
            let signature = EcdsaSignature::from_der(der)?;
            let mut fixed = vec![0; 64];
            for (number, place) in [(signature.r, 0), (signature.s, 32)] {
                let bytes = number.as_bytes();
                let start = (place + 32usize)
                    .checked_sub(bytes.len())
                    .filter(|start| *start >= place)
                    .ok_or(der::ErrorKind::Overflow)?;
                fixed[start..place + 32].copy_from_slice(bytes);
            }
            Ok(fixed)
        }
        _ => Ok(der.to_vec()),
    }
}

/// The received bytes of the first element of a certificate or CSR: what its signature is over.
pub(crate) fn signed_part(der: &[u8]) -> der::Result<&[u8]> {
    let mut reader = SliceReader::new(der)?;
    Header::decode(&mut reader)?;
    reader.tlv_bytes()
}
