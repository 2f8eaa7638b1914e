//! Where the answer is looked for, and where a redirect leads.

use std::fmt;

use acme_messages::{ServerName, Token, link};
use http::{HeaderValue, Uri};

use crate::ca::limits::MAX_REDIRECT_PATH;

/// The protocol of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// Which of the two ports that a CA may knock at; they stand for those that the CA is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    Http = 80,
    Https = 443,
}

/// Where the answer is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) scheme: Scheme,
    pub(super) host: ServerName,
    pub(super) port: Port,
    /// The path and the query.
    pub(super) path: String,
}

impl Target {
    pub(super) fn first(name: &ServerName, token: &Token) -> Self {
        Self {
            scheme: Scheme::Http,
            host: name.clone(),
            port: Port::Http,
            path: format!("/.well-known/acme-challenge/{}", token.as_str()),
        }
    }

    /// The name without a port, an IPv6 address in brackets.
    pub(super) fn host_header(&self) -> String {
        match &self.host {
            ServerName::Ip(address) if address.is_ipv6() => format!("[{address}]"),
            host => host.to_string(),
        }
    }

    /// Where a redirect from here leads; if a CA may not go there, why not.
    pub(super) fn redirected(&self, location: Option<&HeaderValue>) -> Result<Self, &'static str> {
        let unusable = "has no usable Location";
        let location = location.and_then(|it| it.to_str().ok()).ok_or(unusable)?;
        let url = link::resolve(&self.to_string(), location).ok_or(unusable)?;
        let url = url.split('#').next().unwrap_or_default();
        if has_zone(url) {
            return Err("leads to an address with a zone");
        }
        let url: Uri = url.parse().map_err(|_| unusable)?;
        let scheme = match url.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err("leads to something other than http and https"),
        };
        let authority = url.authority().ok_or("leads to no host")?.as_str();
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = split(authority);
        let port = match (port, scheme) {
            ("", Scheme::Http) | ("80", _) => Port::Http,
            ("", Scheme::Https) | ("443", _) => Port::Https,
            _ => return Err("leads to a port other than 80 and 443"),
        };
        if host.is_empty() {
            return Err("leads to no host");
        }
        if host.ends_with(".well-known") {
            return Err("leads to a host with .well-known: a slash is missing");
        }
        let host: ServerName = host
            .parse()
            .map_err(|_| "leads to a host that is no name")?;
        if host.is_wildcard() {
            return Err("leads to a host that is no name");
        }
        let path = url.path_and_query().map_or("/", |it| it.as_str());
        let path = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/{path}"),
        };
        if path.len() > MAX_REDIRECT_PATH {
            return Err("leads to a path that is too long");
        }
        Ok(Self {
            scheme,
            host,
            port,
            path,
        })
    }
}

/// Whether the host in a URL is an address with a zone ([RFC 6874](https://www.rfc-editor.org/rfc/rfc6874)).
fn has_zone(url: &str) -> bool {
    let inside = url.split_once("//[").and_then(|(_, it)| it.split_once(']'));
    inside.is_some_and(|(address, _)| address.contains('%'))
}

/// The host without brackets, and the port's text.
fn split(authority: &str) -> (&str, &str) {
    if let Some((host, rest)) = authority
        .strip_prefix('[')
        .and_then(|it| it.split_once(']'))
    {
        return (host, rest.strip_prefix(':').unwrap_or(rest));
    }
    authority.split_once(':').unwrap_or((authority, ""))
}

/// As a URL.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}", self.host_header())?;
        let port = self.port as u16;
        if !matches!(
            (self.scheme, self.port),
            (Scheme::Http, Port::Http) | (Scheme::Https, Port::Https)
        ) {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.path)
    }
}
