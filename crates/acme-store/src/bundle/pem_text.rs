//! Makes PEM text that people glued together by hand readable line by line.

use zeroize::Zeroizing;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const CERTIFICATE: &[u8] = b"CERTIFICATE-----";
const DASHES: &[u8] = b"-----";
/// What OpenSSL also writes in front of ` CERTIFICATE`, and reads as one.
const ALSO_CERTIFICATES: [&[u8]; 2] = [b"TRUSTED ", b"X509 "];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text with each block beginning and ending on a line of its own; `None`
/// without any block.
///
/// `cat` of files without a last line end puts a block's begin behind another's
/// end, editors indent, and some begin a file with a byte order mark. Certificates
/// by their older names get that of today.
pub(crate) fn readable(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // Where a line is broken, or so many bytes are left out.
    let mut changes = Vec::new();
    let mut blocks = 0;
    let mut line_start = 0;
    for (at, byte) in text.iter().enumerate() {
        if matches!(byte, b'\n' | b'\r') {
            line_start = at + 1;
        }
        let begins = text[at..].starts_with(BEGIN);
        let marker = if begins { BEGIN } else { END };
        let Some(label) = text[at..].strip_prefix(marker) else {
            continue;
        };
        let before = &text[line_start..at];
        if may_stand_behind(before) {
            blocks += usize::from(begins);
            if !before.is_empty() {
                changes.push((at, 0));
            }
            let also = ALSO_CERTIFICATES.iter().filter(|it| label.starts_with(it));
            for also in also.filter(|it| label[it.len()..].starts_with(CERTIFICATE)) {
                changes.push((at + marker.len(), also.len()));
            }
        }
    }
    if blocks == 0 {
        return None;
    }
    // Room for all of it: growing would leave copies of the key behind.
    let mut readable = Zeroizing::new(Vec::with_capacity(text.len() + changes.len()));
    let mut copied = 0;
    for (at, left_out) in changes {
        readable.extend_from_slice(&text[copied..at]);
        if left_out == 0 {
            readable.push(b'\n');
        }
        copied = at + left_out;
    }
    readable.extend_from_slice(&text[copied..]);
    Some(readable)
}

/// Whether a marker counts behind this beginning of its line.
fn may_stand_behind(line: &[u8]) -> bool {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    line.ends_with(DASHES) || line.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let made = readable(text.as_bytes());
        assert_eq!(
            made.as_deref().map(Vec::as_slice),
            expected.map(str::as_bytes),
            "{text:?}",
        );
    }

    #[test]
    fn each_block_begins_a_line() {
        check("", None);
        check("no block", None);
        check("# see -----BEGIN X-----", None);
        check("-----END X-----", None);
        check("-----BEGIN X-----\n", Some("-----BEGIN X-----\n"));
        check("a\r\n-----BEGIN X", Some("a\r\n-----BEGIN X"));
        check("\t -----BEGIN X", Some("\t \n-----BEGIN X"));
        check(
            "-----BEGIN X-----\n  -----END X",
            Some("-----BEGIN X-----\n  \n-----END X"),
        );
        check("\u{feff}-----BEGIN X", Some("\u{feff}\n-----BEGIN X"));
        check(
            "-----BEGIN X509 CERTIFICATE-----\n-----END X509 CERTIFICATE-----",
            Some("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"),
        );
        check(
            "-----BEGIN X509 CRL----------BEGIN TRUSTED CERTIFICATE-----",
            Some("-----BEGIN X509 CRL-----\n-----BEGIN CERTIFICATE-----"),
        );
        check(
            "-----END X----------BEGIN Y-----",
            Some("-----END X-----\n-----BEGIN Y-----"),
        );
    }
}
