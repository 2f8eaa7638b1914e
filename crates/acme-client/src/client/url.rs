//! Which URLs are spoken to.

use std::net::IpAddr;

use http::Uri;

use crate::{Error, ErrorKind, Operation};

/// Requests go to https only; everything else is refused before it is sent.
pub(super) fn check(operation: Operation, url: &str, http_to_loopback: bool) -> Result<Uri, Error> {
    let refuse = || {
        Error::new(ErrorKind::InvalidUrl, operation)
            .with_url(url)
            .with_unsent(true)
    };
    let uri: Uri = url
        .parse()
        .map_err(|error: http::uri::InvalidUri| refuse().with_source(error))?;
    let host = uri.host().unwrap_or_default();
    match uri.scheme_str() {
        _ if host.is_empty() => Err(refuse()),
        Some("https") => Ok(uri),
        Some("http") if http_to_loopback && is_loopback(host) => Ok(uri),
        _ => Err(refuse()),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse().is_ok_and(|it: IpAddr| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        let check = |url, allowed, good| {
            let result = check(Operation::Directory, url, allowed);
            assert_eq!(result.is_ok(), good, "{url} {allowed}");
        };
        check("https://ca.example/dir", false, true);
        check("http://127.0.0.1:4000/dir", true, true);
        check("http://[::1]:4000/dir", true, true);
        check("http://127.0.0.1:4000/dir", false, false);
        check("http://ca.example/dir", true, false);
        // Whoever answers for DNS says where this is.
        check("http://localhost/dir", true, false);
        check("http://127.0.0.1.example/dir", true, false);
    }
}
