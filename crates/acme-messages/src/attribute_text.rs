//! The text of an attribute of a name, whichever kind of string it is
//! ([RFC 5280, section 4.1.2.4]).
//!
//! [RFC 5280, section 4.1.2.4]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.4

use der::{Any, Tag, Tagged};

/// Reads the text; `None` when the value is no string, or is damaged.
pub(crate) fn read(value: &Any) -> Option<String> {
    let bytes = value.value();
    let utf8 = std::str::from_utf8(bytes).ok().map(str::to_owned);
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString => utf8,
        // What stands in these is Latin-1 or UTF-8; nobody writes what T.61 says.
        Tag::TeletexString => {
            utf8.or_else(|| Some(bytes.iter().map(|it| char::from(*it)).collect()))
        }
        Tag::BmpString => {
            let (units, rest) = bytes.as_chunks();
            let units = units.iter().map(|it| u16::from_be_bytes(*it));
            let text = char::decode_utf16(units).collect::<Result<_, _>>().ok();
            text.filter(|_| rest.is_empty())
        }
        _ => None,
    }
}
