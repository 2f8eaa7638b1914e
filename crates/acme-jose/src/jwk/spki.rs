//! Keys as X.509 writes them: `SubjectPublicKeyInfo` ([RFC 5280, section 4.1.2.7]).
//!
//! [RFC 5280, section 4.1.2.7]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.7

use p256::elliptic_curve::ALGORITHM_OID as EC;
use pkcs8::{
    AssociatedOid, ObjectIdentifier,
    der::{Decode, Encode, asn1::UintRef},
    spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef},
};

use super::{InvalidJwk, Jwk, Kind, RsaMembers};

/// `id-Ed25519` ([RFC 8410, section 3](https://www.rfc-editor.org/rfc/rfc8410#section-3)).
pub(crate) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// `rsaEncryption` ([RFC 8017, appendix A.1](https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1)).
pub(crate) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// `RSAPublicKey`: a sequence of modulus and exponent, both integers.
type RsaPublicKey<'a> = Vec<UintRef<'a>>;

impl Jwk {
    /// The key as a DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// - [`InvalidJwk::UnsupportedKey`] never for a key that parsed; the encoder's type says so.
    pub fn to_spki_der(&self) -> Result<Vec<u8>, InvalidJwk> {
        match &self.0 {
            Kind::P256(key) => {
                let curve = p256::NistP256::OID;
                write(EC, Some(&curve), key.to_sec1_point(false).as_bytes())
            }
            #[cfg(feature = "p384")]
            Kind::P384(key) => {
                let curve = p384::NistP384::OID;
                write(EC, Some(&curve), key.to_sec1_point(false).as_bytes())
            }
            #[cfg(feature = "p521")]
            Kind::P521(key) => {
                let curve = p521::NistP521::OID;
                write(EC, Some(&curve), key.to_sec1_point(false).as_bytes())
            }
            Kind::Ed25519(key) => write(ED25519, None, key),
            Kind::Rsa(members) => write_rsa(members),
        }
    }

    /// An elliptic key's point as SEC1 writes it, uncompressed.
    pub(crate) fn point(&self) -> Option<Box<[u8]>> {
        match &self.0 {
            Kind::P256(key) => Some(key.to_sec1_point(false).as_bytes().into()),
            #[cfg(feature = "p384")]
            Kind::P384(key) => Some(key.to_sec1_point(false).as_bytes().into()),
            #[cfg(feature = "p521")]
            Kind::P521(key) => Some(key.to_sec1_point(false).as_bytes().into()),
            Kind::Ed25519(_) | Kind::Rsa(_) => None,
        }
    }

    /// Reads a DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// - [`InvalidJwk::UnsupportedKey`] when it is none, or of a kind this build does not know.
    /// - [`InvalidJwk`] when the key itself is bad.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, InvalidJwk> {
        let spki =
            SubjectPublicKeyInfoRef::from_der(der).map_err(|_| InvalidJwk::UnsupportedKey)?;
        let bits = spki.subject_public_key.as_bytes();
        let bits = bits.ok_or(InvalidJwk::UnsupportedKey)?;
        let kind = match spki.algorithm.oid {
            EC => elliptic(&spki.algorithm, bits)?,
            ED25519 => {
                let key = <[u8; 32]>::try_from(bits).map_err(|_| InvalidJwk::BadCoordinate)?;
                super::verify::check_ed25519(&key)?;
                Kind::Ed25519(key)
            }
            RSA => {
                let key = RsaPublicKey::from_der(bits).map_err(|_| InvalidJwk::BadRsaMember)?;
                let [n, e] = &key[..] else {
                    return Err(InvalidJwk::BadRsaMember);
                };
                let (n, e) = (n.as_bytes().to_vec(), e.as_bytes().to_vec());
                Kind::Rsa(RsaMembers::new(n, e)?)
            }
            _ => return Err(InvalidJwk::UnsupportedKey),
        };
        Ok(Self(kind))
    }
}

fn elliptic(algorithm: &AlgorithmIdentifierRef<'_>, point: &[u8]) -> Result<Kind, InvalidJwk> {
    let curve = algorithm
        .parameters_oid()
        .map_err(|_| InvalidJwk::UnsupportedKey)?;
    let bad = |_| InvalidJwk::NotOnCurve;
    match curve {
        p256::NistP256::OID => p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .map(Kind::P256)
            .map_err(bad),
        #[cfg(feature = "p384")]
        p384::NistP384::OID => p384::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .map(Kind::P384)
            .map_err(bad),
        #[cfg(feature = "p521")]
        p521::NistP521::OID => p521::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .map(Kind::P521)
            .map_err(bad),
        _ => Err(InvalidJwk::UnsupportedKey),
    }
}

fn write_rsa(members: &RsaMembers) -> Result<Vec<u8>, InvalidJwk> {
    let number = |bytes| UintRef::new(bytes).map_err(|_| InvalidJwk::UnsupportedKey);
    let key: RsaPublicKey<'_> = vec![number(&members.n)?, number(&members.e)?];
    let key = key.to_der().map_err(|_| InvalidJwk::UnsupportedKey)?;
    let null = pkcs8::der::asn1::Null;
    let algorithm = AlgorithmIdentifierRef {
        oid: RSA,
        parameters: Some(null.into()),
    };
    info(algorithm, &key)
}

fn write(
    oid: ObjectIdentifier,
    curve: Option<&ObjectIdentifier>,
    key: &[u8],
) -> Result<Vec<u8>, InvalidJwk> {
    let parameters = curve.map(Into::into);
    info(AlgorithmIdentifierRef { oid, parameters }, key)
}

fn info(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> Result<Vec<u8>, InvalidJwk> {
    let bits = pkcs8::der::asn1::BitStringRef::from_bytes(key);
    let subject_public_key = bits.map_err(|_| InvalidJwk::UnsupportedKey)?;
    SubjectPublicKeyInfoRef {
        algorithm,
        subject_public_key,
    }
    .to_der()
    .map_err(|_| InvalidJwk::UnsupportedKey)
}
