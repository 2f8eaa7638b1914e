//! The record's text: an issuer and parameters ([RFC 8659, section 4.2]).
//!
//! [RFC 8659, section 4.2]: https://www.rfc-editor.org/rfc/rfc8659#section-4.2

use acme_messages::DnsName;

/// A record that names this CA.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) account: &'a str,
    pub(super) wildcard: bool,
    /// In seconds since 1970.
    pub(super) until: Option<i64>,
}

/// Why a text is not a record to go by.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It names another issuer, or none.
    AnothersOrUnreadable,
    /// It names this CA, and says something that it cannot.
    Malformed(String),
}

impl<'a> Record<'a> {
    pub(super) fn read(value: &'a [u8], issuers: &[String]) -> Result<Self, Unusable> {
        let text = str::from_utf8(value).map_err(|_| Unusable::AnothersOrUnreadable)?;
        let (issuer, parameters) = match text.split_once(';') {
            Some((issuer, parameters)) => (issuer, Some(parameters)),
            None => (text, None),
        };
        let issuer: DnsName = trim(issuer)
            .parse()
            .map_err(|_| Unusable::AnothersOrUnreadable)?;
        if !issuers.iter().any(|it| it == issuer.as_str()) {
            return Err(Unusable::AnothersOrUnreadable);
        }
        let mut seen = Parameters::default();
        for parameter in parameters.into_iter().flat_map(|it| it.split(';')) {
            seen.add(trim(parameter)).map_err(Unusable::Malformed)?;
        }
        let until = match seen.until {
            None => None,
            Some(until) => Some(until.parse().map_err(|_| {
                Unusable::Malformed(format!("has the persistUntil {until:?}, which is no time"))
            })?),
        };
        match seen.account {
            None | Some("") => Err(Unusable::Malformed("has no accounturi".to_owned())),
            Some(account) => Ok(Self {
                account,
                // What other policies there are counts as none.
                wildcard: seen
                    .policy
                    .is_some_and(|it| it.eq_ignore_ascii_case("wildcard")),
                until,
            }),
        }
    }
}

#[derive(Default)]
struct Parameters<'a> {
    account: Option<&'a str>,
    policy: Option<&'a str>,
    until: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    fn add(&mut self, parameter: &'a str) -> Result<(), String> {
        if parameter.is_empty() {
            return Err("has an empty parameter".to_owned());
        }
        let (tag, value) = match parameter.split_once('=') {
            Some((tag, value)) if !trim(tag).is_empty() => (trim(tag), trim(value)),
            _ => return Err(format!("has {parameter:?}, which is not tag=value")),
        };
        if !value.bytes().all(|it| it.is_ascii_graphic() && it != b';') {
            return Err(format!("has the {tag} {value:?}, which no value can be"));
        }
        let known = match tag.to_ascii_lowercase().as_str() {
            "accounturi" => &mut self.account,
            "policy" => &mut self.policy,
            "persistuntil" => &mut self.until,
            // The draft: parameters that are not known are passed over.
            _ => return Ok(()),
        };
        match known.replace(value) {
            None => Ok(()),
            Some(_) => Err(format!("has {tag} twice")),
        }
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
