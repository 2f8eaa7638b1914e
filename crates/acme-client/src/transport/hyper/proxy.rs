//! An HTTP proxy on the way to the CA ([RFC 9110, section 9.3.6]).
//!
//! [RFC 9110, section 9.3.6]: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6

use std::{fmt, io};

use http::{HeaderValue, Uri};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The longest answer of a proxy, in bytes: a status line and headers that are passed over.
const MAX_ANSWER: usize = 8 * 1024;

/// An HTTP proxy that opens tunnels with `CONNECT`; it sees which host is asked, and nothing
/// else.
///
/// Its credentials are shown by no `Debug` and no error.
///
/// ```
/// use acme_client::Proxy;
///
/// let proxy = Proxy::new("http://proxy.example:3128")?.basic_auth("user", "secret")?;
/// assert!(!format!("{proxy:?}").contains("secret"));
/// assert!(Proxy::new("socks5://proxy.example").is_err());
/// # Ok::<_, acme_client::InvalidProxy>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    pub(super) uri: Uri,
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// A proxy at an `http` URL; credentials in the URL are taken from there.
    ///
    /// # Errors
    /// - [`InvalidProxy`] when it is no `http` URL with a host.
    pub fn new(url: &str) -> Result<Self, InvalidProxy> {
        let uri: Uri = url.trim().parse().map_err(|_| InvalidProxy::Url)?;
        let authority = uri.authority().ok_or(InvalidProxy::Url)?;
        if uri.scheme_str() != Some("http") || authority.host().is_empty() {
            return Err(InvalidProxy::Url);
        }
        let (credentials, place) = match authority.as_str().rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials.to_owned()), place),
            None => (None, authority.as_str()),
        };
        let port = match authority.port() {
            Some(_) => "",
            None => ":80",
        };
        let proxy = Self {
            uri: format!("http://{place}{port}/")
                .parse()
                .map_err(|_| InvalidProxy::Url)?,
            authorization: None,
        };
        let Some(credentials) = credentials else {
            return Ok(proxy);
        };
        let (user, password) = credentials.split_once(':').unwrap_or((&credentials, ""));
        let decode = |text| percent_decode(text).ok_or(InvalidProxy::Credentials);
        proxy.basic_auth(&decode(user)?, &decode(password)?)
    }

    /// Says who asks ([RFC 7617]).
    ///
    /// # Errors
    /// - [`InvalidProxy`] when the name has a colon or either a control character.
    ///
    /// [RFC 7617]: https://www.rfc-editor.org/rfc/rfc7617
    pub fn basic_auth(mut self, user: &str, password: &str) -> Result<Self, InvalidProxy> {
        let is_bad = |text: &str| text.chars().any(char::is_control);
        if user.contains(':') || is_bad(user) || is_bad(password) {
            return Err(InvalidProxy::Credentials);
        }
        let value = format!("Basic {}", base64(format!("{user}:{password}").as_bytes()));
        let mut value = HeaderValue::try_from(value).map_err(|_| InvalidProxy::Credentials)?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }
}

impl Proxy {
    /// Asks for a tunnel to the host of a URL, over a fresh connection to the proxy.
    pub(super) async fn open_tunnel(&self, stream: &mut TcpStream, to: &Uri) -> io::Result<()> {
        let bad = |what: &str| io::Error::other(format!("the proxy {what}"));
        let host = to.host().ok_or_else(|| bad("is asked for no host"))?;
        let port = to.port_u16().unwrap_or(match to.scheme_str() {
            Some("http") => 80,
            _ => 443,
        });
        let mut request =
            format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
        if let Some(value) = &self.authorization {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(value.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request).await?;

        // The CA says nothing before TLS begins: all that comes is the proxy's.
        let mut answer = Vec::new();
        let end = b"\r\n\r\n";
        while !answer.windows(end.len()).any(|it| it == end) {
            if answer.len() > MAX_ANSWER {
                return Err(bad("answers without end"));
            }
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(bad("closed the connection"));
            }
        }
        let line = answer.split(|it| *it == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_ascii_whitespace();
        let is_http = words
            .next()
            .is_some_and(|version| version.starts_with("HTTP/1."));
        match words.next().and_then(|status| status.parse::<u16>().ok()) {
            Some(200..=299) if is_http && answer.ends_with(end) => Ok(()),
            Some(200..=299) if is_http => Err(bad("speaks before the tunnel is used")),
            Some(407) if is_http => Err(bad("wants other credentials (status 407)")),
            Some(status) if is_http => Err(bad(&format!("refuses the tunnel (status {status})"))),
            _ => Err(bad("does not speak HTTP")),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

/// A proxy cannot be used as it was given; what was given is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProxy {
    /// A user's name or a password cannot be sent.
    #[error("the proxy's user name or password cannot be sent")]
    Credentials,
    /// The URL is not `http://host:port`.
    #[error("the proxy's URL is not http://host:port")]
    Url,
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Padded base64 ([RFC 4648, section 4]).
///
/// [RFC 4648, section 4]: https://www.rfc-editor.org/rfc/rfc4648#section-4
fn base64(bytes: &[u8]) -> String {
    let text = acme_messages::jose::base64url::encode(bytes);
    let mut text = text.replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_come_from_the_url_or_by_themselves() {
        let check = |url: &str, uri: &str, authorization: Option<&str>| {
            let proxy = Proxy::new(url).unwrap();
            assert_eq!(proxy.uri.to_string(), uri);
            let sent = proxy.authorization.as_ref().map(|it| it.to_str().unwrap());
            assert_eq!(sent, authorization);
            assert!(!format!("{proxy:?}").contains("secret"));
        };
        check("http://proxy.example", "http://proxy.example:80/", None);
        check("http://[::1]:3128/", "http://[::1]:3128/", None);
        check(
            "http://Aladdin:open%20sesame@proxy.example:3128",
            "http://proxy.example:3128/",
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        );
        check("http://a@p:1", "http://p:1/", Some("Basic YTo="));
    }

    #[test]
    fn what_is_no_proxy_is_refused_and_not_shown() {
        for url in [
            "",
            "proxy.example",
            "https://p:1",
            "socks5://p:1",
            "http:///x",
            "http://u:%zzsecret@p:1",
            "http://u:%0asecret@p:1",
        ] {
            let error = Proxy::new(url).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{url}");
        }
        let proxy = Proxy::new("http://p:1").unwrap();
        assert!(proxy.clone().basic_auth("a:b", "c").is_err());
        assert!(proxy.basic_auth("a", "b\r\nc").is_err());
    }
}
