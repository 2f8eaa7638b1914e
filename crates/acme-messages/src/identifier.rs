//! Identifiers of orders and authorizations ([RFC 8555, section 9.7.7], [RFC 8738]).
//!
//! [RFC 8555, section 9.7.7]: https://www.rfc-editor.org/rfc/rfc8555#section-9.7.7
//! [RFC 8738]: https://www.rfc-editor.org/rfc/rfc8738

use serde::{Deserialize, Serialize};

use crate::{InvalidName, ServerName, wire::wire_names};

/// An identifier as it stands on the wire; types this version does not know parse too
/// ([RFC 8555, section 7.1.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.4)).
#[doc(alias = "fqdn_identifier")]
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identifier {
    /// The type.
    #[serde(rename = "type")]
    pub kind: IdentifierType,
    /// The value, as received.
    pub value: String,
}

impl Identifier {
    /// The name this identifier stands for.
    ///
    /// # Errors
    /// - [`InvalidName`] when the value is not a name of its type.
    pub fn server_name(&self) -> Result<ServerName, InvalidName> {
        match &self.kind {
            IdentifierType::Dns => self.value.parse().map(ServerName::Dns),
            IdentifierType::Ip => match self.value.parse() {
                Ok(address) => Ok(ServerName::Ip(address)),
                Err(_) => Err(InvalidName::BadCharacter),
            },
            IdentifierType::Other(_) => Err(InvalidName::BadCharacter),
        }
    }
}

impl From<&ServerName> for Identifier {
    fn from(name: &ServerName) -> Self {
        Self {
            kind: match name {
                ServerName::Dns(_) => IdentifierType::Dns,
                ServerName::Ip(_) => IdentifierType::Ip,
            },
            value: name.to_string(),
        }
    }
}

impl From<ServerName> for Identifier {
    fn from(name: ServerName) -> Self {
        Self::from(&name)
    }
}

wire_names! {
    /// The type of an identifier ([RFC 8555, section 9.7.7](https://www.rfc-editor.org/rfc/rfc8555#section-9.7.7)).
    pub enum IdentifierType {
        /// A DNS name.
        Dns = "dns",
        /// An address ([RFC 8738, section 3](https://www.rfc-editor.org/rfc/rfc8738#section-3)).
        Ip = "ip",
    }
}
