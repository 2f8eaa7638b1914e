//! Problem documents ([RFC 9457], [RFC 8555, section 6.7]).
//!
//! [RFC 9457]: https://www.rfc-editor.org/rfc/rfc9457
//! [RFC 8555, section 6.7]: https://www.rfc-editor.org/rfc/rfc8555#section-6.7

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Identifier, lenient::null_as_default, wire::wire_names};

/// What the CA says went wrong. Each member may be absent.
///
/// ```
/// use acme_messages::{Problem, ProblemType};
///
/// let text = r#"{"type":"urn:ietf:params:acme:error:caa","detail":"forbidden by CAA"}"#;
/// let problem: Problem = serde_json::from_str(text)?;
/// assert_eq!(problem.kind, ProblemType::Caa);
/// assert_eq!(problem.to_string(), "caa: forbidden by CAA");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Problem {
    /// What kind of problem it is; dispatch on this, not on the HTTP status.
    #[serde(rename = "type", deserialize_with = "null_as_default")]
    pub kind: ProblemType,
    /// A short title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The HTTP status that the server meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The words for people; clients should show them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Where a person can act, for `userActionRequired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What the problem is with; in subproblems only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
    /// The signature algorithms that the server takes, for `badSignatureAlgorithm`.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub algorithms: Vec<String>,
    /// One problem for each identifier ([RFC 8555, section 6.7.1]).
    ///
    /// [RFC 8555, section 6.7.1]: https://www.rfc-editor.org/rfc/rfc8555#section-6.7.1
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub subproblems: Vec<Self>,
}

impl Problem {
    /// A problem with a kind and words for people.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: Some(detail.into()),
            ..Self::default()
        }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads `{}`, which some CAs send for "no error", as none.
pub(crate) fn empty_as_none<'de, D>(deserializer: D) -> Result<Option<Problem>, D::Error>
where
    D: Deserializer<'de>,
{
    let problem = Option::<Problem>::deserialize(deserializer)?;
    Ok(problem.filter(|it| !it.is_empty()))
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.short_name())?;
        if let Some(words) = self.detail.as_deref().or(self.title.as_deref()) {
            write!(f, ": {words}")?;
        }
        for sub in &self.subproblems {
            match &sub.identifier {
                Some(identifier) => write!(f, " [{}: {sub}]", identifier.value)?,
                None => write!(f, " [{sub}]")?,
            }
        }
        Ok(())
    }
}

wire_names! {
    /// The kind of a problem: the IANA registry "ACME Error Types", and whatever else a CA says.
    pub enum ProblemType {
        /// The account does not exist.
        AccountDoesNotExist = "urn:ietf:params:acme:error:accountDoesNotExist",
        /// The certificate to replace was replaced already ([RFC 9773](https://www.rfc-editor.org/rfc/rfc9773#section-7.4)).
        AlreadyReplaced = "urn:ietf:params:acme:error:alreadyReplaced",
        /// The certificate is revoked already.
        AlreadyRevoked = "urn:ietf:params:acme:error:alreadyRevoked",
        /// The CSR is not acceptable.
        BadCsr = "urn:ietf:params:acme:error:badCSR",
        /// The nonce was used, or is too old.
        BadNonce = "urn:ietf:params:acme:error:badNonce",
        /// The key is not acceptable.
        BadPublicKey = "urn:ietf:params:acme:error:badPublicKey",
        /// The reason for revocation is not acceptable.
        BadRevocationReason = "urn:ietf:params:acme:error:badRevocationReason",
        /// The signature's algorithm is not acceptable.
        BadSignatureAlgorithm = "urn:ietf:params:acme:error:badSignatureAlgorithm",
        /// CAA records forbid the CA to issue.
        Caa = "urn:ietf:params:acme:error:caa",
        /// Several problems, told in `subproblems`.
        Compound = "urn:ietf:params:acme:error:compound",
        /// The CA could not connect to the validation target.
        Connection = "urn:ietf:params:acme:error:connection",
        /// DNS did not answer the CA.
        Dns = "urn:ietf:params:acme:error:dns",
        /// The account must be bound to one elsewhere at the CA.
        ExternalAccountRequired = "urn:ietf:params:acme:error:externalAccountRequired",
        /// The response to a challenge was wrong.
        IncorrectResponse = "urn:ietf:params:acme:error:incorrectResponse",
        /// A contact is not acceptable.
        InvalidContact = "urn:ietf:params:acme:error:invalidContact",
        /// The profile is not on offer.
        InvalidProfile = "urn:ietf:params:acme:error:invalidProfile",
        /// The request was malformed.
        Malformed = "urn:ietf:params:acme:error:malformed",
        /// The order cannot be finalized yet.
        OrderNotReady = "urn:ietf:params:acme:error:orderNotReady",
        /// A limit is reached.
        RateLimited = "urn:ietf:params:acme:error:rateLimited",
        /// The CA does not issue for the identifier.
        RejectedIdentifier = "urn:ietf:params:acme:error:rejectedIdentifier",
        /// The CA is in trouble.
        ServerInternal = "urn:ietf:params:acme:error:serverInternal",
        /// The validation target's TLS failed.
        Tls = "urn:ietf:params:acme:error:tls",
        /// The account may not do that.
        Unauthorized = "urn:ietf:params:acme:error:unauthorized",
        /// The kind of contact is not supported.
        UnsupportedContact = "urn:ietf:params:acme:error:unsupportedContact",
        /// The kind of identifier is not supported.
        UnsupportedIdentifier = "urn:ietf:params:acme:error:unsupportedIdentifier",
        /// A person must act, at the URL in `instance`.
        UserActionRequired = "urn:ietf:params:acme:error:userActionRequired",
    }
}

impl ProblemType {
    /// The part after ACME's namespace, or the whole text of a foreign kind.
    #[must_use]
    pub fn short_name(&self) -> &str {
        let text = self.as_str();
        text.strip_prefix("urn:ietf:params:acme:error:")
            .unwrap_or(text)
    }
}

impl Default for ProblemType {
    /// What an absent `type` means ([RFC 9457, section 4.2.1](https://www.rfc-editor.org/rfc/rfc9457#section-4.2.1)).
    fn default() -> Self {
        Self::Other("about:blank".to_owned())
    }
}
