//! Contacts of accounts ([RFC 8555, section 7.3]).
//!
//! [RFC 8555, section 7.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3

use acme_messages::{DnsName, ProblemType};

use super::reply::Refusal;

pub(super) fn check(contacts: &[String], most: usize) -> Result<(), Refusal> {
    if contacts.len() > most {
        let detail = format!("there are more than {most} contacts");
        return Err(Refusal::bad_request(ProblemType::InvalidContact, detail));
    }
    contacts.iter().try_for_each(|it| check_contact(it))
}

/// A `mailto:` URL of one address and nothing else.
fn check_contact(contact: &str) -> Result<(), Refusal> {
    let scheme = contact.split_once(':').map(|it| it.0.to_ascii_lowercase());
    if scheme.as_deref() != Some("mailto") {
        let detail = format!("{contact:?} is not a mailto URL");
        return Err(Refusal::bad_request(
            ProblemType::UnsupportedContact,
            detail,
        ));
    }
    let address = &contact["mailto:".len()..];
    let valid = address
        .split_once('@')
        .is_some_and(|(local, domain)| is_local_part(local) && domain.parse::<DnsName>().is_ok());
    if valid {
        return Ok(());
    }
    let detail = format!("{contact:?} is not a mailto URL of exactly one address");
    Err(Refusal::bad_request(ProblemType::InvalidContact, detail))
}

/// Words joined by dots ([RFC 5322, section 3.2.3]), without what begins a URL's
/// query or another address.
///
/// [RFC 5322, section 3.2.3]: https://www.rfc-editor.org/rfc/rfc5322#section-3.2.3
fn is_local_part(text: &str) -> bool {
    let in_word = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=^_`{|}~".contains(&byte);
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(in_word);
    text.split('.').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_are_checked() {
        let check = |contact: &str, expected: Option<ProblemType>| {
            let got = check_contact(contact)
                .err()
                .and_then(|it| it.into_reply().problem);
            assert_eq!(got, expected, "{contact}");
        };
        check("mailto:admin@example.com", None);
        check("MAILTO:admin@example.com", None);
        check("tel:+12025551212", Some(ProblemType::UnsupportedContact));
        check("admin@example.com", Some(ProblemType::UnsupportedContact));
        check("mailto:", Some(ProblemType::InvalidContact));
        check("mailto:admin", Some(ProblemType::InvalidContact));
        check("mailto:@example.com", Some(ProblemType::InvalidContact));
        check(
            "mailto:a@example.com?subject=x",
            Some(ProblemType::InvalidContact),
        );
        check(
            "mailto:a@example.com,b@example.com",
            Some(ProblemType::InvalidContact),
        );
        check("mailto:a.b+tag@example.com", None);
        for address in [
            "a@b@example.com",
            "a b@example.com",
            "a..b@example.com",
            "ü@example.com",
        ] {
            let contact = format!("mailto:{address}");
            check(&contact, Some(ProblemType::InvalidContact));
        }
        check("mailto:a@exa_mple", Some(ProblemType::InvalidContact));
    }
}
