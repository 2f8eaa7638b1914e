//! The `Link` header ([RFC 8288]): where a CA says what belongs to what it sent.
//!
//! ACME has the relations `alternate` ([RFC 8555, section 7.4.2]), `up` ([section 7.5.1]),
//! `index` ([section 7.1]), `next` ([section 7.1.2.1]), `terms-of-service` ([section 7.3.3])
//! and `help` ([section 6.6]).
//!
//! [RFC 8288]: https://www.rfc-editor.org/rfc/rfc8288
//! [RFC 8555, section 7.4.2]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4.2
//! [section 7.5.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.5.1
//! [section 7.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1
//! [section 7.1.2.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1.2.1
//! [section 7.3.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.3
//! [section 6.6]: https://www.rfc-editor.org/rfc/rfc8555#section-6.6

mod reference;

pub use reference::resolve;

/// The most links taken from one answer; what comes after them is passed over.
///
/// A CA with a dozen alternate chains needs a dozen.
pub const MAX_LINKS: usize = 64;

/// The longest header value read, in bytes; a longer one is passed over.
///
/// Most servers refuse to send a longer one.
pub const MAX_LENGTH: usize = 16_384;

/// One link: a URL, and how it relates to what was asked for ([RFC 8288, section 2](https://www.rfc-editor.org/rfc/rfc8288#section-2)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// The URL: the exact text received, or what a relative reference stands for.
    pub url: String,
    /// The relations, in lower case; one at least ([RFC 8288, section 3.3](https://www.rfc-editor.org/rfc/rfc8288#section-3.3)).
    pub relations: Vec<String>,
    /// The other parameters: names in lower case, values without quotes and escapes.
    pub parameters: Vec<(String, String)>,
}

impl Link {
    /// Whether the link has this relation; case does not matter.
    #[must_use]
    pub fn has_relation(&self, relation: &str) -> bool {
        self.relations
            .iter()
            .any(|it| it.eq_ignore_ascii_case(relation))
    }

    /// The first value of a parameter; case does not matter in its name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(it, _)| it.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Reads the `Link` headers of one answer; `base` is the URL that was asked
/// ([RFC 8288, section 3](https://www.rfc-editor.org/rfc/rfc8288#section-3)).
///
/// Several headers and one header with commas are alike. A part that is malformed,
/// has no relation, or cannot be resolved is passed over: a slip in one
/// link hides no other.
///
/// ```
/// use acme_messages::link;
///
/// let headers = [
///     "<https://ca.example/cert/1/1>;rel=\"alternate\", </cert/1/2>; REL=alternate",
///     "</directory>;rel=\"index\"",
/// ];
/// let links = link::parse(headers, "https://ca.example/cert/1");
/// let alternates: Vec<_> = link::urls(&links, "alternate").collect();
/// assert_eq!(alternates, ["https://ca.example/cert/1/1", "https://ca.example/cert/1/2"]);
/// ```
#[must_use]
pub fn parse<'a>(headers: impl IntoIterator<Item = &'a str>, base: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for header in headers {
        if header.len() > MAX_LENGTH {
            continue;
        }
        let mut rest = header;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                break;
            }
            if links.len() == MAX_LINKS {
                return links;
            }
            links.extend(link_value(&mut rest, base));
            rest = after_this_value(rest);
        }
    }
    links
}

/// The URLs that have this relation to what was asked for, in their order.
///
/// A link with an `anchor` tells of something else and is left out
/// ([RFC 8288, section 3.2](https://www.rfc-editor.org/rfc/rfc8288#section-3.2)).
pub fn urls<'a>(links: &'a [Link], relation: &'a str) -> impl Iterator<Item = &'a str> {
    links
        .iter()
        .filter(move |it| it.has_relation(relation) && it.parameter("anchor").is_none())
        .map(|it| it.url.as_str())
}

/// One `link-value` ([RFC 8288, appendix B.2]), as far as it can be read.
///
/// [RFC 8288, appendix B.2]: https://www.rfc-editor.org/rfc/rfc8288#appendix-B.2
fn link_value(rest: &mut &str, base: &str) -> Option<Link> {
    let (reference, after) = rest.strip_prefix('<')?.split_once('>')?;
    *rest = after;
    let mut relations: Option<Vec<String>> = None;
    let mut parameters = Vec::new();
    while let Some(after) = rest.trim_start_matches([' ', '\t']).strip_prefix(';') {
        *rest = after.trim_start_matches([' ', '\t']);
        let (name, value) = parameter(rest)?;
        match name.as_str() {
            "" => {}
            // RFC 8288, section 3.3: the first one counts.
            "rel" if relations.is_none() => {
                relations = Some(
                    value
                        .split_ascii_whitespace()
                        .map(str::to_ascii_lowercase)
                        .collect(),
                );
            }
            "rel" => {}
            _ => parameters.push((name, value)),
        }
    }
    Some(Link {
        url: resolve(base, reference)?,
        relations: relations.filter(|it| !it.is_empty())?,
        parameters,
    })
}

/// One parameter ([RFC 8288, appendix B.3]); `None` when a quote is not closed.
///
/// [RFC 8288, appendix B.3]: https://www.rfc-editor.org/rfc/rfc8288#appendix-B.3
fn parameter(rest: &mut &str) -> Option<(String, String)> {
    let name = take_until(rest, &['=', ';', ',']).trim_end_matches([' ', '\t']);
    let name = name.to_ascii_lowercase();
    let Some(after) = rest.strip_prefix('=') else {
        return Some((name, String::new()));
    };
    *rest = after.trim_start_matches([' ', '\t']);
    let value = match quoted_string(rest) {
        Some((value, after)) => {
            *rest = after;
            value?
        }
        None => {
            let value = take_until(rest, &[';', ',']);
            value.trim_end_matches([' ', '\t']).to_owned()
        }
    };
    Some((name, value))
}

fn take_until<'a>(rest: &mut &'a str, ends: &[char]) -> &'a str {
    let (taken, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    *rest = after;
    taken
}

/// A quoted string ([RFC 9110, section 5.6.4]) and what comes after it: its value is `None`
/// when it does not end.
///
/// [RFC 9110, section 5.6.4]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.4
fn quoted_string(text: &str) -> Option<(Option<String>, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((Some(value), &inside[at + 1..])),
            '\\' => value.extend(characters.next().map(|it| it.1)),
            other => value.push(other),
        }
    }
    Some((None, ""))
}

/// What comes after the next comma that stands in no quotes.
fn after_this_value(text: &str) -> &str {
    let mut rest = text;
    loop {
        take_until(&mut rest, &['"', ',']);
        match quoted_string(rest) {
            Some((_, after)) => rest = after,
            None => return rest.strip_prefix(',').unwrap_or(rest),
        }
    }
}
