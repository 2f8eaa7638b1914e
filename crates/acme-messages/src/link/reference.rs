//! Relative references ([RFC 3986, section 5]).
//!
//! [RFC 3986, section 5]: https://www.rfc-editor.org/rfc/rfc3986#section-5

/// The parts of a URI reference ([RFC 3986, appendix B]).
///
/// [RFC 3986, appendix B]: https://www.rfc-editor.org/rfc/rfc3986#appendix-B
struct Reference<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Reference<'a> {
    fn read(text: &'a str) -> Self {
        let (text, fragment) = split(text, '#');
        let (text, query) = split(text, '?');
        let (scheme, text) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ => (None, text),
        };
        let (authority, path) = match text.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            None => (None, text),
        };
        Self {
            scheme,
            authority,
            path,
            query,
            fragment,
        }
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The URL that a reference stands for, seen from `base` ([RFC 3986, section 5.2](https://www.rfc-editor.org/rfc/rfc3986#section-5.2)).
///
/// A reference with a scheme of its own stays the exact text it is, dot segments and all: ACME
/// signs URLs as received. `None` when a reference without one meets a base without one, or
/// holds what no URL can: white space, control characters, or what is not ASCII.
///
/// ```
/// use acme_messages::link;
///
/// let base = "https://ca.example/acme/order/1";
/// assert_eq!(link::resolve(base, "../cert/1").as_deref(), Some("https://ca.example/acme/cert/1"));
/// assert_eq!(link::resolve("acme/order", "../cert/1"), None);
/// ```
#[must_use]
pub fn resolve(base: &str, reference: &str) -> Option<String> {
    if !reference.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let own = Reference::read(reference);
    if own.scheme.is_some() {
        return Some(reference.to_owned());
    }
    let base = Reference::read(base);
    let scheme = base.scheme?;
    let (authority, path, query) = if own.authority.is_some() {
        (own.authority, remove_dot_segments(own.path), own.query)
    } else if own.path.is_empty() {
        let query = own.query.or(base.query);
        (base.authority, base.path.to_owned(), query)
    } else if own.path.starts_with('/') {
        (base.authority, remove_dot_segments(own.path), own.query)
    } else {
        let path = remove_dot_segments(&merge(&base, own.path));
        (base.authority, path, own.query)
    };
    Some(recompose(scheme, authority, &path, query, own.fragment))
}

/// [RFC 3986, section 5.2.3](https://www.rfc-editor.org/rfc/rfc3986#section-5.2.3).
fn merge(base: &Reference<'_>, path: &str) -> String {
    if base.authority.is_some() && base.path.is_empty() {
        return format!("/{path}");
    }
    let folder = base.path.rfind('/').map_or("", |at| &base.path[..=at]);
    format!("{folder}{path}")
}

/// [RFC 3986, section 5.2.4](https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4).
fn remove_dot_segments(path: &str) -> String {
    let mut input = path;
    let mut output = String::with_capacity(path.len());
    while !input.is_empty() {
        if let Some(rest) = input
            .strip_prefix("../")
            .or_else(|| input.strip_prefix("./"))
        {
            input = rest;
        } else if input.starts_with("/./") {
            input = &input[2..];
        } else if input == "/." {
            input = "/";
        } else if input.starts_with("/../") || input == "/.." {
            input = if input.len() > 3 { &input[3..] } else { "/" };
            output.truncate(output.rfind('/').unwrap_or_default());
        } else if input == "." || input == ".." {
            input = "";
        } else {
            let slash = usize::from(input.starts_with('/'));
            let end = input[slash..]
                .find('/')
                .map_or(input.len(), |at| at + slash);
            output.push_str(&input[..end]);
            input = &input[end..];
        }
    }
    output
}

/// [RFC 3986, section 5.3](https://www.rfc-editor.org/rfc/rfc3986#section-5.3).
fn recompose(
    scheme: &str,
    authority: Option<&str>,
    path: &str,
    query: Option<&str>,
    fragment: Option<&str>,
) -> String {
    let mut url = format!("{scheme}:");
    match authority {
        Some(authority) => url.extend(["//", authority]),
        // Two slashes would make an authority of the path's first segment.
        None if path.starts_with("//") => url.push_str("/."),
        None => {}
    }
    url.push_str(path);
    url.extend(query.iter().flat_map(|it| ["?", it]));
    url.extend(fragment.iter().flat_map(|it| ["#", it]));
    url
}
