//! What can go wrong, whose fault it is, and what was being done.

use std::fmt;

/// What kind of thing went wrong.
///
/// | kind | whose fault | what a caller should do |
/// |---|---|---|
/// | `AuthorizationFailed` | the set-up of the names | show the problem; a new order after a while |
/// | `BadResponse` | the CA, or something in between | again later |
/// | `InvalidChain` | the CA | keep the old certificate; again much later |
/// | `InvalidUrl` | the configuration, or the CA | mend the URL |
/// | `Journal` | the journal's keeper | mend it, then again |
/// | `NoSupportedChallenge` | the configuration | add a responder for an offered type |
/// | `NotOffered` | the configuration | do without: this CA has no such resource |
/// | `OrderFailed` | see the problem | a new order after a while |
/// | `Problem` | see the problem's kind | see the problem's kind |
/// | `Request` | the caller | mend the request |
/// | `Responder` | the responder | mend it, then again |
/// | `Sign` | the key's keeper | mend it, then again |
/// | `TermsNotAgreed` | the caller | read the terms, then agree |
/// | `Timeout` | the network, or the CA | again later |
/// | `Transport` | the network, or the CA | again later |
/// | `Undecided` | the network, or the CA | again later; the CA may have done it all the same |
/// | `UnknownProfile` | the configuration | choose one of the profiles that the error lists |
/// | `WrongState` | the caller | look at the order's state first |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The CA looked at a name and did not find the answer; see the problem.
    AuthorizationFailed,
    /// An answer was not what the protocol says.
    BadResponse,
    /// The certificate is not what was ordered, or its chain does not hold together.
    InvalidChain,
    /// A URL is not one to send a request to: not https, or malformed.
    InvalidUrl,
    /// The journal could not write down what was to be kept first.
    Journal,
    /// None of the challenges that the CA offers has a responder here.
    NoSupportedChallenge,
    /// The CA's directory has no resource for this.
    NotOffered,
    /// The order became invalid; see the problem.
    OrderFailed,
    /// The CA refused, and said why.
    Problem,
    /// The request could not be made from what the caller gave.
    Request,
    /// A responder could not start.
    Responder,
    /// The key could not sign.
    Sign,
    /// The CA has terms of service that were not agreed to.
    TermsNotAgreed,
    /// It took longer than allowed.
    Timeout,
    /// The CA could not be reached, or the connection broke.
    Transport,
    /// An answer was lost, and whether the CA did what it was asked cannot be found out.
    Undecided,
    /// The CA has no profile of this name.
    UnknownProfile,
    /// The order is not in a state for this.
    WrongState,
}

impl ErrorKind {
    /// Whose fault it is, as far as the kind alone tells.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::AuthorizationFailed | Self::OrderFailed => Fault::Names,
            Self::BadResponse | Self::InvalidChain | Self::Problem => Fault::Authority,
            Self::InvalidUrl
            | Self::NoSupportedChallenge
            | Self::NotOffered
            | Self::Request
            | Self::TermsNotAgreed
            | Self::UnknownProfile
            | Self::WrongState => Fault::Caller,
            Self::Journal | Self::Responder | Self::Sign => Fault::Helper,
            Self::Timeout | Self::Transport | Self::Undecided => Fault::Network,
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::AuthorizationFailed => "the CA did not accept the proof",
            Self::BadResponse => "the CA's answer makes no sense",
            Self::InvalidChain => "the CA's certificate was refused",
            Self::InvalidUrl => "not an https URL",
            Self::Journal => "the journal failed",
            Self::NoSupportedChallenge => "no responder for any challenge on offer",
            Self::NotOffered => "the CA does not offer it",
            Self::OrderFailed => "the order failed",
            Self::Problem => "the CA refused",
            Self::Request => "the request cannot be made",
            Self::Responder => "a responder failed",
            Self::Sign => "the key could not sign",
            Self::TermsNotAgreed => "the CA's terms of service are not agreed to",
            Self::Timeout => "no answer in time",
            Self::Transport => "the CA cannot be reached",
            Self::Undecided => "the answer was lost, and what became of it is unknown",
            Self::UnknownProfile => "the CA has no such profile",
            Self::WrongState => "the order is not in a state for this",
        }
    }
}

/// Whose fault an error is: who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The CA's, or that of a machine before it.
    Authority,
    /// The caller's, or the configuration's.
    Caller,
    /// That of a responder, a journal or a key's keeper.
    Helper,
    /// That of the set-up of the names: DNS, ports, CAA.
    Names,
    /// The network's.
    Network,
}

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Looking at, changing or closing an account.
    Account,
    /// Looking at an authorization.
    Authorization,
    /// Fetching a certificate.
    Certificate,
    /// Saying that a challenge can be validated.
    Challenge,
    /// A request that this crate knows nothing about.
    Custom,
    /// Giving up an authorization.
    DeactivateAuthorization,
    /// Fetching the directory.
    Directory,
    /// Finalizing an order.
    Finalize,
    /// Changing an account's key.
    KeyChange,
    /// Making or finding an account.
    NewAccount,
    /// Asking for an authorization ahead of an order.
    NewAuthorization,
    /// Fetching a nonce.
    NewNonce,
    /// Placing an order.
    NewOrder,
    /// Looking at an order.
    Order,
    /// Listing an account's orders.
    Orders,
    /// Fetching renewal information.
    RenewalInfo,
    /// Revoking a certificate.
    RevokeCertificate,
}

impl Operation {
    /// The operation's name in logs, metrics and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Authorization => "authorization",
            Self::Certificate => "certificate",
            Self::Challenge => "challenge",
            Self::Custom => "custom",
            Self::DeactivateAuthorization => "deactivateAuthorization",
            Self::Directory => "directory",
            Self::Finalize => "finalize",
            Self::KeyChange => "keyChange",
            Self::NewAccount => "newAccount",
            Self::NewAuthorization => "newAuthz",
            Self::NewNonce => "newNonce",
            Self::NewOrder => "newOrder",
            Self::Order => "order",
            Self::Orders => "orders",
            Self::RenewalInfo => "renewalInfo",
            Self::RevokeCertificate => "revokeCert",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
