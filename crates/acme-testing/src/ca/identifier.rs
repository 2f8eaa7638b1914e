//! What may be ordered: identifiers checked ([RFC 8555, section 7.4]).
//!
//! [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4

use acme_messages::{Identifier, IdentifierType, Problem, ProblemType, ServerName};
use http::StatusCode;

use super::{
    config::{OrderConfig, Profile},
    reply::Refusal,
    state,
};

/// The names of an order, all of them checked.
pub(super) fn check_all(
    identifiers: &[Identifier],
    config: &OrderConfig,
    profile: Option<&Profile>,
) -> Result<Vec<ServerName>, Refusal> {
    if identifiers.is_empty() {
        return Err(Refusal::malformed("an order needs an identifier"));
    }
    let most = profile.map_or(config.max_identifiers, |it| it.max_identifiers);
    if identifiers.len() > most {
        let detail = format!("there are more than {most} identifiers");
        return Err(Refusal::malformed(detail));
    }
    let mut names = Vec::with_capacity(identifiers.len());
    let mut problems = Vec::new();
    for identifier in identifiers {
        match check(identifier, config, profile) {
            Ok(name) if names.contains(&name) => {}
            Ok(name) => names.push(name),
            Err(mut problem) => {
                problem.identifier = Some(identifier.clone());
                problems.push(*problem);
            }
        }
    }
    if problems.is_empty() {
        return Ok(names);
    }
    Err(Refusal::with(
        StatusCode::BAD_REQUEST,
        state::join(problems),
    ))
}

/// One name: a DNS name in letters of either case, its `xn--` labels standing for
/// something ([RFC 8555, section 7.1.4]); an address in its one canonical form
/// ([RFC 8738, section 3]).
///
/// [RFC 8555, section 7.1.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1.4
/// [RFC 8738, section 3]: https://www.rfc-editor.org/rfc/rfc8738#section-3
pub(super) fn check(
    identifier: &Identifier,
    config: &OrderConfig,
    profile: Option<&Profile>,
) -> Result<ServerName, Box<Problem>> {
    let value = &identifier.value;
    if let IdentifierType::Other(kind) = &identifier.kind {
        let detail = format!("there are no certificates for identifiers of type {kind:?}");
        return Err(Box::new(Problem::new(
            ProblemType::UnsupportedIdentifier,
            detail,
        )));
    }
    let rejected = |detail| Box::new(Problem::new(ProblemType::RejectedIdentifier, detail));
    let name = identifier
        .server_name()
        .map_err(|error| rejected(format!("{value:?}: {error}")))?;
    if is_blocked(&name, config) {
        return Err(rejected(format!("nothing is issued for {value:?}")));
    }
    if matches!(name, ServerName::Ip(_)) && profile.is_some_and(|it| !it.addresses) {
        return Err(rejected("the profile is not for addresses".to_owned()));
    }
    let as_written = match &name {
        ServerName::Dns(dns) => {
            dns.to_unicode()
                .map_err(|error| rejected(format!("{value:?}: {error}")))?;
            dns.as_str() == value.to_ascii_lowercase()
        }
        ServerName::Ip(address) => address.to_string() == *value,
    };
    if as_written {
        return Ok(name);
    }
    let detail = format!("{value:?} must be written as {:?}", name.to_string());
    Err(rejected(detail))
}

/// Whether a name is a blocked one or below it.
fn is_blocked(name: &ServerName, config: &OrderConfig) -> bool {
    let ServerName::Dns(name) = name else {
        return config.blocked.contains(&name.to_string());
    };
    let labels = name.base().match_indices('.').map(|(at, _)| at + 1);
    std::iter::once(0)
        .chain(labels)
        .any(|start| config.blocked.contains(&name.base()[start..]))
}
