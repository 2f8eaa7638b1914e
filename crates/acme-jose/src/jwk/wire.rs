//! Keys in JSON: read strictly, written canonically.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};

use super::{InvalidJwk, Jwk, Kind, RsaMembers};
use crate::base64url;

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Kind::P256(key) => {
                let point = key.to_sec1_point(false);
                elliptic(serializer, "P-256", point.as_bytes())
            }
            #[cfg(feature = "p384")]
            Kind::P384(key) => {
                let point = key.to_sec1_point(false);
                elliptic(serializer, "P-384", point.as_bytes())
            }
            #[cfg(feature = "p521")]
            Kind::P521(key) => {
                let point = key.to_sec1_point(false);
                elliptic(serializer, "P-521", point.as_bytes())
            }
            Kind::Ed25519(key) => {
                let mut members = serializer.serialize_struct("Jwk", 3)?;
                members.serialize_field("crv", "Ed25519")?;
                members.serialize_field("kty", "OKP")?;
                members.serialize_field("x", &base64url::encode(key))?;
                members.end()
            }
            Kind::Rsa(key) => {
                let mut members = serializer.serialize_struct("Jwk", 3)?;
                members.serialize_field("e", &base64url::encode(&key.e))?;
                members.serialize_field("kty", "RSA")?;
                members.serialize_field("n", &base64url::encode(&key.n))?;
                members.end()
            }
        }
    }
}

/// Writes an uncompressed point: a byte that says so, then two coordinates of one width.
fn elliptic<S: Serializer>(serializer: S, curve: &str, point: &[u8]) -> Result<S::Ok, S::Error> {
    let coordinates = point.get(1..).unwrap_or_default();
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    let mut members = serializer.serialize_struct("Jwk", 4)?;
    members.serialize_field("crv", curve)?;
    members.serialize_field("kty", "EC")?;
    members.serialize_field("x", &base64url::encode(x))?;
    members.serialize_field("y", &base64url::encode(y))?;
    members.end()
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Members::deserialize(deserializer)?
            .check()
            .map_err(de::Error::custom)
    }
}

/// What may stand in a key; the private members only to be refused.
#[derive(Deserialize)]
struct Members {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    #[serde(default, deserialize_with = "crate::present::present")]
    d: bool,
    #[serde(default, deserialize_with = "crate::present::present")]
    p: bool,
    #[serde(default, deserialize_with = "crate::present::present")]
    q: bool,
    #[serde(default, deserialize_with = "crate::present::present")]
    dp: bool,
    #[serde(default, deserialize_with = "crate::present::present")]
    dq: bool,
    #[serde(default, deserialize_with = "crate::present::present")]
    qi: bool,
    #[serde(default, deserialize_with = "crate::present::present")]
    oth: bool,
    #[serde(default, deserialize_with = "crate::present::present")]
    k: bool,
}

impl Members {
    fn check(self) -> Result<Jwk, InvalidJwk> {
        let private = [
            self.d, self.p, self.q, self.dp, self.dq, self.qi, self.oth, self.k,
        ];
        if private.contains(&true) {
            return Err(InvalidJwk::PrivateMember);
        }
        let kind = match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => {
                let point = self.point(32)?;
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point);
                Kind::P256(key.map_err(|_| InvalidJwk::NotOnCurve)?)
            }
            #[cfg(feature = "p384")]
            ("EC", Some("P-384")) => {
                let point = self.point(48)?;
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&point);
                Kind::P384(key.map_err(|_| InvalidJwk::NotOnCurve)?)
            }
            #[cfg(feature = "p521")]
            ("EC", Some("P-521")) => {
                let point = self.point(66)?;
                let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(&point);
                Kind::P521(key.map_err(|_| InvalidJwk::NotOnCurve)?)
            }
            ("OKP", Some("Ed25519")) => {
                let key = coordinate(self.x.as_deref(), 32)?;
                let key = <[u8; 32]>::try_from(key).map_err(|_| InvalidJwk::BadCoordinate)?;
                super::verify::check_ed25519(&key)?;
                Kind::Ed25519(key)
            }
            ("RSA", _) => {
                let number = |text: Option<String>| {
                    let text = text.ok_or(InvalidJwk::MissingMember)?;
                    base64url::decode(&text).map_err(|_| InvalidJwk::BadRsaMember)
                };
                Kind::Rsa(RsaMembers::new(number(self.n)?, number(self.e)?)?)
            }
            _ => return Err(InvalidJwk::UnsupportedKey),
        };
        Ok(Jwk(kind))
    }

    /// The uncompressed point of two coordinates.
    fn point(&self, width: usize) -> Result<Vec<u8>, InvalidJwk> {
        let mut point = vec![4];
        point.extend(coordinate(self.x.as_deref(), width)?);
        point.extend(coordinate(self.y.as_deref(), width)?);
        Ok(point)
    }
}

/// A coordinate of exactly the curve's width ([RFC 7518, section 6.2.1.2]).
///
/// [RFC 7518, section 6.2.1.2]: https://www.rfc-editor.org/rfc/rfc7518#section-6.2.1.2
fn coordinate(text: Option<&str>, width: usize) -> Result<Vec<u8>, InvalidJwk> {
    let text = text.ok_or(InvalidJwk::MissingMember)?;
    base64url::decode(text)
        .ok()
        .filter(|bytes| bytes.len() == width)
        .ok_or(InvalidJwk::BadCoordinate)
}
