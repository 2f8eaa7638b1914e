//! The `Retry-After` header ([RFC 9110, section 10.2.3]).
//!
//! [RFC 9110, section 10.2.3]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// Reads a `Retry-After` value: seconds, or one of the three forms of an HTTP date
/// ([RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
///
/// A date in the past is no wait at all; a value that is neither is `None`.
/// The caller clamps the result: a server may say anything.
///
/// ```
/// use std::time::Duration;
/// use acme_messages::retry_after;
/// use jiff::Timestamp;
///
/// let now: Timestamp = "1994-11-06T08:49:30Z".parse()?;
/// assert_eq!(retry_after::parse("120", now), Some(Duration::from_secs(120)));
/// let date = "Sun, 06 Nov 1994 08:49:37 GMT";
/// assert_eq!(retry_after::parse(date, now), Some(Duration::from_secs(7)));
/// assert_eq!(retry_after::parse("soon", now), None);
/// # Ok::<_, jiff::Error>(())
/// ```
#[doc(alias = "retry_after")]
#[must_use]
pub fn parse(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than 64 bits hold is a long wait, not a bad header.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let since_epoch = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let now = u64::try_from(now.as_second()).unwrap_or_default();
    Some(Duration::from_secs(
        since_epoch.as_secs().saturating_sub(now),
    ))
}
