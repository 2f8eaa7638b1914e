//! What the subject of a CSR says.

use const_oid::db::rfc4519::CN;
use der::{Any, Decode, Encode, Tag, asn1::SetOfVec};
use x509_cert::{attr::AttributeTypeAndValue, name::Name};

use crate::ServerName;

/// What stands in a CSR's subject as the common name.
///
/// The names are always alternative names too; an address never is a common name
/// ([RFC 8738, section 3](https://www.rfc-editor.org/rfc/rfc8738#section-3)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommonName {
    /// None: the subject is empty, as Let's Encrypt and most CAs would have it.
    #[default]
    Omit,
    /// The first name, if it is a DNS name of at most [`MAX_LENGTH`](Self::MAX_LENGTH)
    /// characters; else none.
    FirstName,
    /// The first name as [`FirstName`](Self::FirstName) has it; for one that is too long
    /// [`DUMMY`](Self::DUMMY).
    ///
    /// The dummy breaks orders at CAs that count the common name among the names asked for,
    /// as Boulder does: [RFC 8555, section 7.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.4)
    /// demands exactly the order's.
    FirstNameOrDummy,
}

impl CommonName {
    /// The longest common name, in characters: `ub-common-name` ([RFC 5280, appendix A.1]).
    ///
    /// [RFC 5280, appendix A.1]: https://www.rfc-editor.org/rfc/rfc5280#appendix-A.1
    pub const MAX_LENGTH: usize = 64;

    /// What stands for a name that is too long, under a top-level domain that will never be
    /// ([RFC 6761, section 6.4](https://www.rfc-editor.org/rfc/rfc6761#section-6.4)).
    pub const DUMMY: &str = "san.too.long.invalid";

    /// The text for these names.
    pub(super) fn text(self, names: &[ServerName]) -> Option<&str> {
        let Some(ServerName::Dns(first)) = names.first() else {
            return None;
        };
        let fits = first.as_str().len() <= Self::MAX_LENGTH;
        match self {
            Self::FirstName | Self::FirstNameOrDummy if fits => Some(first.as_str()),
            Self::FirstNameOrDummy => Some(Self::DUMMY),
            Self::Omit | Self::FirstName => None,
        }
    }
}

/// A subject of this common name, or an empty one.
///
/// It is put together by hand: read from text, a comma would begin another part.
pub(super) fn subject(common_name: Option<&str>) -> der::Result<Name> {
    let Some(text) = common_name else {
        return Ok(Name::default());
    };
    let attribute = AttributeTypeAndValue {
        oid: CN,
        value: Any::new(Tag::Utf8String, text.as_bytes())?,
    };
    let mut part = SetOfVec::new();
    part.insert(attribute)?;
    Name::from_der(&vec![part].to_der()?)
}
