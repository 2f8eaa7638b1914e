//! The value of an `issue` property ([RFC 8659, section 4.2]).
//!
//! [RFC 8659, section 4.2]: https://www.rfc-editor.org/rfc/rfc8659#section-4.2

/// Who may issue, and on what conditions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IssueValue<'a> {
    /// The issuer; empty where no one may.
    pub(super) issuer: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> IssueValue<'a> {
    /// Reads a value; `None` where it is malformed.
    pub(super) fn read(value: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(value).ok()?;
        let (issuer, rest) = text.split_once(';').unwrap_or((text, ""));
        let issuer = trim(issuer);
        let mut parameters = Vec::new();
        // A semicolon may stand after the issuer, though nothing follows it.
        if !trim(rest).is_empty() {
            for parameter in rest.split(';') {
                let (tag, value) = parameter.split_once('=')?;
                let (tag, value) = (trim(tag), trim(value));
                if !is_label(tag) || !value.bytes().all(|it| it.is_ascii_graphic()) {
                    return None;
                }
                parameters.push((tag, value));
            }
        }
        Some(Self { issuer, parameters })
    }

    /// Whether there is no `accounturi`, or one alone and this one
    /// ([RFC 8657, section 3](https://www.rfc-editor.org/rfc/rfc8657#section-3)).
    pub(super) fn allows_account(&self, url: &str) -> bool {
        self.demands("accounturi", |value| value == url)
    }

    /// Whether there is no `validationmethods`, or one alone that has this method in it
    /// ([RFC 8657, section 4](https://www.rfc-editor.org/rfc/rfc8657#section-4)).
    pub(super) fn allows_method(&self, method: &str) -> bool {
        self.demands("validationmethods", |value| {
            let mut labels = value.split(',');
            let label = |it: &str| {
                !it.is_empty()
                    && it
                        .bytes()
                        .all(|it| it.is_ascii_alphanumeric() || it == b'-')
            };
            labels.clone().all(label) && labels.any(|it| it == method)
        })
    }

    fn demands(&self, tag: &str, met: impl Fn(&str) -> bool) -> bool {
        let mut values = self
            .parameters
            .iter()
            .filter(|(it, _)| it.eq_ignore_ascii_case(tag))
            .map(|(_, value)| *value);
        match (values.next(), values.next()) {
            (None, _) => true,
            (Some(value), None) => met(value),
            // Two cannot be met at once.
            (Some(_), Some(_)) => false,
        }
    }
}

/// Letters and digits, and hyphens between them.
fn is_label(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'-')
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
