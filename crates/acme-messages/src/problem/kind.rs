//! The kinds of problems: an IANA registry that grows.

use crate::wire::wire_names;

wire_names! {
    /// The kind of a problem: the IANA registry "ACME Error Types"
    /// ([RFC 8555, section 9.7.4](https://www.rfc-editor.org/rfc/rfc8555#section-9.7.4)),
    /// and whatever else a CA says.
    ///
    /// The namespace of the drafts before the RFC, `urn:acme:error:`, is read too.
    pub enum ProblemType also reads "urn:acme:error:" as "urn:ietf:params:acme:error:" {
        /// The account does not exist.
        AccountDoesNotExist = "urn:ietf:params:acme:error:accountDoesNotExist",
        /// The certificate to replace was replaced already ([RFC 9773](https://www.rfc-editor.org/rfc/rfc9773#section-7.4)).
        AlreadyReplaced = "urn:ietf:params:acme:error:alreadyReplaced",
        /// The certificate is revoked already.
        AlreadyRevoked = "urn:ietf:params:acme:error:alreadyRevoked",
        /// An automatically renewed order was canceled ([RFC 8739](https://www.rfc-editor.org/rfc/rfc8739#section-6.3)).
        AutoRenewalCanceled = "urn:ietf:params:acme:error:autoRenewalCanceled",
        /// An automatically renewed order cannot be canceled ([RFC 8739](https://www.rfc-editor.org/rfc/rfc8739#section-6.3)).
        AutoRenewalCancellationInvalid = "urn:ietf:params:acme:error:autoRenewalCancellationInvalid",
        /// An automatically renewed order has come to its end ([RFC 8739](https://www.rfc-editor.org/rfc/rfc8739#section-6.3)).
        AutoRenewalExpired = "urn:ietf:params:acme:error:autoRenewalExpired",
        /// A certificate of an automatically renewed order cannot be revoked ([RFC 8739](https://www.rfc-editor.org/rfc/rfc8739#section-6.3)).
        AutoRenewalRevocationNotSupported = "urn:ietf:params:acme:error:autoRenewalRevocationNotSupported",
        /// A device's attestation does not verify ([draft-ietf-acme-device-attest](https://datatracker.ietf.org/doc/draft-ietf-acme-device-attest/)).
        BadAttestationStatement = "urn:ietf:params:acme:error:badAttestationStatement",
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
        /// The profile is not on offer ([draft-ietf-acme-profiles](https://datatracker.ietf.org/doc/draft-ietf-acme-profiles/)).
        InvalidProfile = "urn:ietf:params:acme:error:invalidProfile",
        /// The request was malformed.
        Malformed = "urn:ietf:params:acme:error:malformed",
        /// CAA records of an onion service must be sent in band ([RFC 9799](https://www.rfc-editor.org/rfc/rfc9799#section-6.4)).
        OnionCaaRequired = "urn:ietf:params:acme:error:onionCAARequired",
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
        /// The delegation is not known ([RFC 9115](https://www.rfc-editor.org/rfc/rfc9115#section-2.3.2)).
        UnknownDelegation = "urn:ietf:params:acme:error:unknownDelegation",
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
        ["urn:ietf:params:acme:error:", "urn:acme:error:"]
            .into_iter()
            .find_map(|it| text.strip_prefix(it))
            .unwrap_or(text)
    }
}

impl Default for ProblemType {
    /// What an absent `type` means ([RFC 9457, section 4.2.1](https://www.rfc-editor.org/rfc/rfc9457#section-4.2.1)).
    fn default() -> Self {
        Self::Other("about:blank".to_owned())
    }
}
