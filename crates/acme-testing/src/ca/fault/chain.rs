//! What may be wrong with the certificate that is downloaded.

use std::time::Duration;

use acme_messages::{CertificateChain, Timestamp};

use crate::{CertificateValidity, PkiError, TestPki};

/// What is wrong, or unusual, with the certificate that is downloaded.
///
/// The first five are still right, and a client has to take them
/// ([RFC 8555, section 9.1] and its erratum 5983 allow one end of line between
/// certificates, CAs send others); the rest a client has to refuse.
///
/// [RFC 8555, section 9.1]: https://www.rfc-editor.org/rfc/rfc8555#section-9.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChainFault {
    /// Blank lines stand between the certificates.
    BlankLines,
    /// Lines end with CR LF.
    Crlf,
    /// The last line has no end.
    NoFinalNewline,
    /// Text stands behind the certificates.
    TrailingText,
    /// The root stands at the end.
    WithRoot,
    /// There is no certificate.
    Empty,
    /// The leaf's time is over.
    Expired,
    /// A block that is no certificate stands behind the leaf (RFC 8555, section 11.4).
    ForeignBlock,
    /// The leaf is for another key.
    ForeignKey,
    /// The leaf's time is still to come.
    NotYetValid,
    /// The intermediates were swapped for another CA's of the same shape.
    OtherIssuer,
    /// There are far more certificates than a chain has.
    TooLong,
    /// The leaf is for other names.
    WrongNames,
    /// The leaf stands last.
    WrongOrder,
}

const NAMES: &[(&str, ChainFault)] = &[
    ("blank-lines", ChainFault::BlankLines),
    ("crlf", ChainFault::Crlf),
    ("empty", ChainFault::Empty),
    ("expired", ChainFault::Expired),
    ("foreign-block", ChainFault::ForeignBlock),
    ("foreign-key", ChainFault::ForeignKey),
    ("no-final-newline", ChainFault::NoFinalNewline),
    ("not-yet-valid", ChainFault::NotYetValid),
    ("other-issuer", ChainFault::OtherIssuer),
    ("too-long", ChainFault::TooLong),
    ("trailing-text", ChainFault::TrailingText),
    ("with-root", ChainFault::WithRoot),
    ("wrong-names", ChainFault::WrongNames),
    ("wrong-order", ChainFault::WrongOrder),
];

/// How many certificates a chain has that is far too long.
const TOO_LONG: usize = 300;

/// The lifetime of a leaf whose time is moved.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// How far from now the time of a leaf lies that is not valid.
const FAR: Duration = Duration::from_secs(10 * 24 * 60 * 60);

impl ChainFault {
    /// Every kind there is.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|it| it.1)
    }

    pub(super) fn name(self) -> &'static str {
        let named = NAMES.iter().find(|it| it.1 == self);
        named.map_or("unnamed", |it| it.0)
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        let named = NAMES.iter().find(|it| it.0 == name);
        named.map(|it| it.1)
    }

    pub(super) fn names() -> String {
        NAMES.iter().map(|it| it.0).collect::<Vec<_>>().join(", ")
    }

    /// What is downloaded in place of a chain.
    pub(super) fn spoil(
        self,
        chain: &CertificateChain,
        pki: &TestPki,
        now: Timestamp,
    ) -> Result<String, PkiError> {
        let pem = chain.to_pem();
        let leaf = chain.leaf();
        let validity = CertificateValidity::between(leaf.not_before, leaf.not_after);
        let shifted = |begin: Timestamp| CertificateValidity::starting(begin, HOUR);
        let far = i64::try_from(FAR.as_secs()).unwrap_or_default();
        let moved = |seconds: i64| {
            Timestamp::from_second(now.as_second().saturating_add(seconds)).unwrap_or(now)
        };
        let issued = match self {
            Self::Expired => pki.issue(&leaf.spki, &leaf.names, shifted(moved(-far)))?,
            Self::NotYetValid => pki.issue(&leaf.spki, &leaf.names, shifted(moved(far)))?,
            Self::ForeignKey => pki.issue_server(&leaf.names, validity)?.0,
            Self::OtherIssuer => {
                let other = TestPki::new()?.issue(&leaf.spki, &leaf.names, validity)?;
                return Ok(swap_rest(&pem, &other.to_pem()));
            }
            Self::WrongNames => {
                let names = ["wrong.example".parse().map_err(PkiError::encode)?];
                pki.issue(&leaf.spki, &names, validity)?
            }
            _ => return Ok(self.rewrite(&pem, pki)),
        };
        Ok(issued.to_pem())
    }

    /// The same certificates, told otherwise.
    fn rewrite(self, pem: &str, pki: &TestPki) -> String {
        let mut blocks = blocks(pem);
        match self {
            Self::BlankLines => blocks.join("\n"),
            Self::Crlf => pem.replace('\n', "\r\n"),
            Self::NoFinalNewline => pem.trim_end().to_owned(),
            Self::TrailingText => format!("{pem}That is all.\n"),
            Self::WithRoot => format!("{pem}{}", pki.root_pem()),
            Self::ForeignBlock => {
                let foreign = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
                blocks.insert(1.min(blocks.len()), foreign);
                blocks.concat()
            }
            Self::TooLong => {
                let last = blocks.last().copied().unwrap_or_default();
                format!("{pem}{}", last.repeat(TOO_LONG))
            }
            Self::WrongOrder => {
                blocks.reverse();
                blocks.concat()
            }
            _ => String::new(),
        }
    }
}

/// The leaf of one chain before the rest of another.
fn swap_rest(leaf: &str, rest: &str) -> String {
    let leaf = blocks(leaf).into_iter().take(1);
    leaf.chain(blocks(rest).into_iter().skip(1)).collect()
}

/// The certificates of a PEM text of ours, each with its last line's end.
fn blocks(pem: &str) -> Vec<&str> {
    pem.split_inclusive("-----END CERTIFICATE-----\n").collect()
}
