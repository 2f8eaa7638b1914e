//! Account key rollover: the inner signature by the new key ([RFC 8555, section 7.3.5]).
//!
//! [RFC 8555, section 7.3.5]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.5

use serde::{Deserialize, Serialize};

use crate::{FlattenedJws, Jwk, JwsError, ProtectedHeader, UnsignedJws};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyChange {
    account: String,
    old_key: Jwk,
}

/// The client's side: what the new key is to sign
/// ([RFC 8555, section 7.3.5](https://www.rfc-editor.org/rfc/rfc8555#section-7.3.5)).
///
/// The signed JWS, as JSON, is the payload of the outer one, which the old key
/// signs; both go to the exact text of the CA's `keyChange` URL.
///
/// ```
/// use acme_jose::{KeyType, PrivateKey, Signer, key_change};
///
/// let (old, new) = (
///     PrivateKey::generate(KeyType::EcdsaP256)?,
///     PrivateKey::generate(KeyType::EcdsaP256)?,
/// );
/// let (url, account) = ("https://ca.example/key-change", "https://ca.example/acct/1");
///
/// let unsigned = key_change::unsigned(url, account, old.public_jwk(), new.public_jwk());
/// let signature = new.sign(unsigned.signing_input())?;
/// let inner = unsigned.assemble(&signature).to_json();
///
/// let new_key = key_change::verify(&inner, url, account, old.public_jwk())?;
/// assert_eq!(&new_key, new.public_jwk());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn unsigned(url: &str, account: &str, old_key: &Jwk, new_key: &Jwk) -> UnsignedJws {
    let header = ProtectedHeader::with_jwk(new_key.clone(), url);
    let change = KeyChange {
        account: account.to_owned(),
        old_key: old_key.clone(),
    };
    // Strings, and an object of strings: serialization has nothing to refuse.
    UnsignedJws::new(header, &serde_json::to_vec(&change).unwrap_or_default())
}

/// The CA's side: checks the inner JWS and gives the new key.
///
/// `url` is that of the outer JWS, `account` its `kid`, `old_key` the account's
/// key. That the account is active and no other has the new key is the CA's to know.
///
/// # Errors
/// - [`KeyChangeError`] with the first of the RFC's checks that fails.
pub fn verify(
    inner: &[u8],
    url: &str,
    account: &str,
    old_key: &Jwk,
) -> Result<Jwk, KeyChangeError> {
    let jws = FlattenedJws::from_json(inner).map_err(KeyChangeError::Jws)?;
    let header = jws.header();
    if header.nonce.is_some() || header.kid.is_some() {
        return Err(KeyChangeError::BadHeader);
    }
    let new_key = header.jwk.as_ref().ok_or(KeyChangeError::BadHeader)?;
    jws.verify(new_key)
        .map_err(|_| KeyChangeError::BadSignature)?;
    let change: KeyChange =
        crate::object::from_slice(jws.payload()).map_err(|_| KeyChangeError::BadPayload)?;
    if header.url != url {
        return Err(KeyChangeError::WrongUrl);
    }
    if change.account != account {
        return Err(KeyChangeError::WrongAccount);
    }
    if change.old_key != *old_key {
        return Err(KeyChangeError::WrongOldKey);
    }
    Ok(new_key.clone())
}

/// A key change was refused
/// ([RFC 8555, section 7.3.5](https://www.rfc-editor.org/rfc/rfc8555#section-7.3.5)).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyChangeError {
    /// The inner header has no `jwk`, or has a `nonce` or a `kid`.
    #[error("the inner header must have jwk, and neither nonce nor kid")]
    BadHeader,
    /// The inner payload is not a key change.
    #[error("the inner payload is not an object with account and oldKey")]
    BadPayload,
    /// The new key did not sign the inner JWS.
    #[error("the new key did not sign the inner JWS")]
    BadSignature,
    /// The inner JWS cannot be read.
    #[error("the inner JWS cannot be read")]
    Jws(#[source] JwsError),
    /// It is for another account.
    #[error("the key change is for another account")]
    WrongAccount,
    /// It names another old key.
    #[error("the key change names another old key")]
    WrongOldKey,
    /// Inner and outer URL differ.
    #[error("the inner URL is not the outer one")]
    WrongUrl,
}
