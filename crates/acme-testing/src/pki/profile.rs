//! The extensions of the three kinds of certificate ([RFC 5280, section 4.2]).
//!
//! [RFC 5280, section 4.2]: https://www.rfc-editor.org/rfc/rfc5280#section-4.2

use acme_messages::ServerName;
use const_oid::db::rfc5280::ID_KP_SERVER_AUTH;
use der::asn1::{Ia5String, OctetString};
use spki::SubjectPublicKeyInfoRef;
use x509_cert::{
    TbsCertificate,
    builder::{self, profile::BuilderProfile},
    ext::{
        Extension, ToExtension,
        pkix::{
            AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
            SubjectAltName, SubjectKeyIdentifier, name::GeneralName,
        },
    },
    name::Name,
};

/// What a certificate is, and so what stands in it.
pub(super) enum Profile<'a> {
    Root {
        subject: &'a Name,
    },
    Intermediate {
        subject: &'a Name,
        issuer: &'a Name,
        /// How many more intermediates may stand between it and a leaf.
        below: u8,
    },
    Leaf {
        issuer: &'a Name,
        names: &'a [ServerName],
    },
}

impl BuilderProfile for Profile<'_> {
    fn get_issuer(&self, subject: &Name) -> Name {
        match self {
            Self::Root { .. } => subject.clone(),
            Self::Intermediate { issuer, .. } | Self::Leaf { issuer, .. } => (*issuer).clone(),
        }
    }

    fn get_subject(&self) -> Name {
        match self {
            Self::Root { subject } | Self::Intermediate { subject, .. } => (*subject).clone(),
            Self::Leaf { .. } => Name::default(),
        }
    }

    fn build_extensions(
        &self,
        key: SubjectPublicKeyInfoRef<'_>,
        issuer_key: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let authority = authority_key_identifier(issuer_key)?;
        let extensions = match self {
            Self::Root { .. } => {
                let mut extensions = authority_extensions(None)?;
                extensions.push(plain(&SubjectKeyIdentifier::try_from(key)?)?);
                extensions
            }
            Self::Intermediate { below, .. } => {
                let mut extensions = authority_extensions(Some(*below))?;
                extensions.push(plain(&ExtendedKeyUsage(vec![ID_KP_SERVER_AUTH]))?);
                extensions.push(plain(&SubjectKeyIdentifier::try_from(key)?)?);
                extensions.push(plain(&authority)?);
                extensions
            }
            Self::Leaf { names, .. } => vec![
                plain(&KeyUsage(KeyUsages::DigitalSignature.into()))?,
                plain(&ExtendedKeyUsage(vec![ID_KP_SERVER_AUTH]))?,
                (
                    true,
                    &BasicConstraints {
                        ca: false,
                        path_len_constraint: None,
                    },
                )
                    .to_extension(&Name::default(), &[])?,
                plain(&authority)?,
                plain(&alternative_names(names)?)?,
            ],
        };
        Ok(extensions)
    }
}

/// Encodes an extension; each type knows whether it is critical beside an empty subject.
fn plain<'a, T>(extension: &'a T) -> builder::Result<Extension>
where
    &'a T: ToExtension<Error = der::Error>,
{
    Ok(extension.to_extension(&Name::default(), &[])?)
}

fn authority_extensions(path_length: Option<u8>) -> builder::Result<Vec<Extension>> {
    let usage = KeyUsages::KeyCertSign | KeyUsages::CRLSign | KeyUsages::DigitalSignature;
    Ok(vec![
        plain(&KeyUsage(usage))?,
        (
            true,
            &BasicConstraints {
                ca: true,
                path_len_constraint: path_length,
            },
        )
            .to_extension(&Name::default(), &[])?,
    ])
}

fn authority_key_identifier(
    issuer: SubjectPublicKeyInfoRef<'_>,
) -> builder::Result<AuthorityKeyIdentifier> {
    let SubjectKeyIdentifier(identifier) = SubjectKeyIdentifier::try_from(issuer)?;
    Ok(AuthorityKeyIdentifier {
        key_identifier: Some(OctetString::new(identifier.as_bytes())?),
        ..AuthorityKeyIdentifier::default()
    })
}

/// The extension with these names, in this order.
pub(crate) fn alternative_names(names: &[ServerName]) -> der::Result<SubjectAltName> {
    names
        .iter()
        .map(|name| match name {
            ServerName::Dns(name) => Ok(GeneralName::DnsName(Ia5String::new(name.as_str())?)),
            ServerName::Ip(address) => Ok(GeneralName::from(*address)),
        })
        .collect::<der::Result<Vec<_>>>()
        .map(SubjectAltName)
}
