//! What is asked of a client, and what the CA must have seen of it.

/// One thing that a client is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// Makes an account (RFC 8555, section 7.3).
    Register,
    /// Makes an account that is bound to another elsewhere (section 7.3.4).
    RegisterBound,
    /// Makes one that is not, which must be refused.
    RegisterUnbound,
    /// Changes the contact (section 7.3.2).
    Update,
    /// Replaces the account's key (section 7.3.5).
    ChangeKey,
    /// Gets a certificate (section 7.4).
    Issue(Certificate),
    /// Gets a certificate with the other chain on offer (section 7.4.2).
    IssueOtherChain(Certificate),
    /// Gets the next one for the same names.
    Renew(Certificate),
    /// Revokes with the account's key (section 7.6).
    Revoke(Certificate),
    /// Revokes what is revoked, which must be refused.
    RevokeAgain(Certificate),
    /// Revokes with the certificate's own key.
    RevokeByItsKey(Certificate),
    /// Closes the account (section 7.3.6).
    Deactivate,
}

/// What a certificate is for, and how it is had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) names: &'static [&'static str],
    pub(super) challenge: Challenge,
    pub(super) key: Key,
}

/// How names are proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Dns01,
    Http01,
    TlsAlpn01,
}

/// The key of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    P256,
    Rsa,
}

impl Certificate {
    pub(super) const fn new(
        names: &'static [&'static str],
        challenge: Challenge,
        key: Key,
    ) -> Self {
        Self {
            names,
            challenge,
            key,
        }
    }
}

impl Challenge {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Dns01 => "dns-01",
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
        }
    }
}

impl Operation {
    /// The certificate that a client has anew after it.
    pub(super) const fn brings(self) -> Option<Certificate> {
        match self {
            Self::Issue(it) | Self::IssueOtherChain(it) | Self::Renew(it) => Some(it),
            _ => None,
        }
    }

    /// Whether the CA is to refuse it.
    pub(super) const fn is_refused(self) -> bool {
        matches!(self, Self::RegisterUnbound | Self::RevokeAgain(_))
    }

    /// Lines that must be in the CA's log, each with all of these parts.
    pub(super) fn evidence(self) -> Vec<[String; 2]> {
        let answered = |operation: &str, member: &str| {
            [format!("operation=\"{operation}\""), member.to_owned()]
        };
        match self {
            Self::Register | Self::RegisterBound => vec![answered("newAccount", "status=201")],
            // The directory says so, and many do not even ask then.
            Self::RegisterUnbound => Vec::new(),
            Self::Update | Self::Deactivate => vec![answered("account", "status=200")],
            Self::ChangeKey => vec![answered("keyChange", "status=200")],
            Self::Issue(certificate)
            | Self::IssueOtherChain(certificate)
            | Self::Renew(certificate) => vec![
                answered("certificate", "status=200"),
                [
                    "validated".to_owned(),
                    format!("challenge=\"{}\"", certificate.challenge.as_str()),
                ],
            ],
            Self::Revoke(_) | Self::RevokeByItsKey(_) => vec![answered("revokeCert", "status=200")],
            Self::RevokeAgain(_) => vec![answered("revokeCert", "problem=\"alreadyRevoked\"")],
        }
    }
}
