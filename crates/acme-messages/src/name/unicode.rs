//! Names that people write, and names that certificates hold ([RFC 5890], [UTS 46]).
//!
//! [RFC 5890]: https://www.rfc-editor.org/rfc/rfc5890
//! [UTS 46]: https://www.unicode.org/reports/tr46/

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::{DnsName, InvalidName};

/// The longest text taken, in bytes: a character of a name has four at most.
const MAX_UNICODE_LENGTH: usize = 4 * DnsName::MAX_LENGTH;

impl DnsName {
    /// Turns a name as people write it into A-labels: what goes into orders
    /// ([RFC 8555, section 7.1.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.4)) and certificates.
    ///
    /// Takes what [`FromStr`](std::str::FromStr) takes too, but an `xn--` label must be one that
    /// stands for something. The rules are those of UTS 46, not transitional, with those of host
    /// names for ASCII: upper case becomes lower case, as in Unicode so in ASCII; the ideographic
    /// full stop is a dot. Registries and CAs may allow less.
    ///
    /// Needs the feature `idna`.
    ///
    /// ```
    /// use acme_messages::DnsName;
    ///
    /// let name = DnsName::from_unicode("*.Bücher.example")?;
    /// assert_eq!(name.as_str(), "*.xn--bcher-kva.example");
    /// assert_eq!(name.to_unicode()?, "*.bücher.example");
    /// # Ok::<_, acme_messages::InvalidName>(())
    /// ```
    ///
    /// # Errors
    /// - [`InvalidName::BadUnicode`] when UTS 46 has no A-label for a label that is not ASCII, or
    ///   an `xn--` label stands for nothing.
    /// - As [`FromStr`](std::str::FromStr) otherwise.
    pub fn from_unicode(text: &str) -> Result<Self, InvalidName> {
        if text.len() > MAX_UNICODE_LENGTH {
            return Err(InvalidName::TooLong);
        }
        let base = text.strip_prefix("*.").unwrap_or(text);
        let wildcard = &text[..text.len() - base.len()];
        // What is ASCII is judged below, with an error that says more.
        let base = Uts46::new()
            .to_ascii(
                base.as_bytes(),
                AsciiDenyList::EMPTY,
                Hyphens::Allow,
                DnsLength::Ignore,
            )
            .map_err(|_| InvalidName::BadUnicode)?;
        format!("{wildcard}{base}").parse()
    }

    /// The name as people read it.
    ///
    /// Names that look alike need not be the same; show [`as_str`](Self::as_str) where
    /// that matters. Needs the feature `idna`.
    ///
    /// # Errors
    /// - [`InvalidName::BadUnicode`] when an `xn--` label stands for nothing
    ///   ([RFC 8555, section 7.1.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.4) has
    ///   servers check that).
    pub fn to_unicode(&self) -> Result<String, InvalidName> {
        let base = self.base();
        let wildcard = &self.as_str()[..self.as_str().len() - base.len()];
        let (base, result) =
            Uts46::new().to_unicode(base.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
        result.map_err(|_| InvalidName::BadUnicode)?;
        Ok(format!("{wildcard}{base}"))
    }
}
