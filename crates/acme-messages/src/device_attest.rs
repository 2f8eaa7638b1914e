//! The challenge device-attest-01 ([draft-ietf-acme-device-attest]): a device's hardware vouches
//! for its key.
//!
//! This is a draft: what is here may change in any version.
//!
//! [draft-ietf-acme-device-attest]: https://datatracker.ietf.org/doc/draft-ietf-acme-device-attest/

use acme_jose::{InvalidBase64Url, base64url};
use serde::{Deserialize, Serialize};

/// The answer to a device-attest-01 challenge: an attestation of the key authorization
/// ([draft-ietf-acme-device-attest](https://datatracker.ietf.org/doc/draft-ietf-acme-device-attest/)).
///
/// The attestation is a WebAuthn attestation object in CBOR; it is not looked into.
///
/// ```
/// use acme_messages::device_attest::AttestationResponse;
///
/// let response = AttestationResponse::new(b"CBOR");
/// assert_eq!(serde_json::to_string(&response)?, r#"{"attObj":"Q0JPUg"}"#);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AttestationResponse {
    /// The attestation object: CBOR, base64url.
    #[serde(rename = "attObj")]
    pub attestation_object: String,
}

impl AttestationResponse {
    /// The answer that holds this attestation object.
    pub fn new(attestation_object: impl AsRef<[u8]>) -> Self {
        Self {
            attestation_object: base64url::encode(attestation_object),
        }
    }

    /// The attestation object in CBOR.
    ///
    /// # Errors
    /// - [`InvalidBase64Url`] when the text is not base64url.
    pub fn attestation(&self) -> Result<Vec<u8>, InvalidBase64Url> {
        base64url::decode(&self.attestation_object)
    }
}
