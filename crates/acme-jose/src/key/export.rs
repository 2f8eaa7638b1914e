//! Keys as files are to hold them, PKCS#8, and what is in it.

use p256::elliptic_curve::ALGORITHM_OID as EC;
use pkcs8::{
    ObjectIdentifier, PrivateKeyInfoRef, SecretDocument,
    der::{Encode, asn1::OctetStringRef},
    spki::AlgorithmIdentifierRef,
};
use sec1::{EcParameters, EcPrivateKey};
use zeroize::{Zeroize, Zeroizing};

/// An elliptic key with its public half ([RFC 5915, section 3]) as PKCS#8.
///
/// The half is known here; the curves' own writers would compute it anew, for half the price of
/// a signature.
///
/// [RFC 5915, section 3]: https://www.rfc-editor.org/rfc/rfc5915#section-3
pub(super) fn elliptic(
    curve: ObjectIdentifier,
    scalar: impl AsRef<[u8]> + Zeroize,
    point: &[u8],
) -> pkcs8::Result<SecretDocument> {
    let scalar = Zeroizing::new(scalar);
    let key = EcPrivateKey {
        private_key: (*scalar).as_ref(),
        parameters: None,
        public_key: Some(point),
    };
    let key = Zeroizing::new(key.to_der()?);
    let algorithm = AlgorithmIdentifierRef {
        oid: EC,
        parameters: Some((&curve).into()),
    };
    let info = PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(&key)?);
    Ok(SecretDocument::encode_msg(&info)?)
}

/// An elliptic key without its public half, as SEC1 ([RFC 5915, section 3]): a secret, and the curve
/// it is for.
///
/// [RFC 5915, section 3]: https://www.rfc-editor.org/rfc/rfc5915#section-3
pub(super) fn sec1(
    curve: ObjectIdentifier,
    scalar: impl AsRef<[u8]> + Zeroize,
) -> pkcs8::der::Result<Zeroizing<Vec<u8>>> {
    let scalar = Zeroizing::new(scalar);
    let key = EcPrivateKey {
        private_key: (*scalar).as_ref(),
        parameters: Some(EcParameters::NamedCurve(curve)),
        public_key: None,
    };
    key.to_der().map(Zeroizing::new)
}
