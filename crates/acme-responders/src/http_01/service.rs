//! The answers as a tower service: for a listener of its own, or mounted in an application.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use acme_messages::ServerName;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower_service::Service;

use super::{CHALLENGE_PATH, Http01Responder};

/// Answers challenges; sends everything else to https, or away with 404
/// ([RFC 8555, section 8.3](https://www.rfc-editor.org/rfc/rfc8555#section-8.3)).
///
/// Paths under `/.well-known/acme-challenge/` are never redirected.
#[derive(Clone, Debug)]
pub struct Http01Service {
    responder: Http01Responder,
    https_port: Option<u16>,
}

impl Http01Responder {
    /// The answers as a tower service that sends everything else to https on port 443.
    #[must_use]
    pub fn service(&self) -> Http01Service {
        Http01Service {
            responder: self.clone(),
            https_port: Some(443),
        }
    }
}

impl Http01Service {
    /// Sends everything that is no challenge to https on this port; `None` answers 404.
    #[must_use]
    pub fn https_port(mut self, port: Option<u16>) -> Self {
        self.https_port = port;
        self
    }

    /// The answer to one request.
    pub fn respond<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        if !path.starts_with(CHALLENGE_PATH) {
            return self.redirect(request);
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
            let allowed = header::HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, allowed);
            return response;
        }
        match self.responder.lookup(path) {
            Some(answer) => {
                let mut response = Response::new(Full::from(answer));
                response.headers_mut().insert(
                    header::CONTENT_TYPE,
                    header::HeaderValue::from_static("text/plain"),
                );
                response
            }
            None => status(StatusCode::NOT_FOUND),
        }
    }

    fn redirect<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let Some(port) = self.https_port else {
            return status(StatusCode::NOT_FOUND);
        };
        let Some(host) = host(request) else {
            return status(StatusCode::BAD_REQUEST);
        };
        let Some(path) = path(request) else {
            return status(StatusCode::BAD_REQUEST);
        };
        let location = match port {
            443 => format!("https://{host}{path}"),
            _ => format!("https://{host}:{port}{path}"),
        };
        let Ok(location) = header::HeaderValue::try_from(location) else {
            return status(StatusCode::BAD_REQUEST);
        };
        let mut response = status(StatusCode::PERMANENT_REDIRECT);
        response.headers_mut().insert(header::LOCATION, location);
        response
    }
}

/// The path and query that were asked for; `None` where a request has no path of its own
/// ([RFC 9112, sections 3.2.3 and 3.2.4]).
///
/// [RFC 9112, sections 3.2.3 and 3.2.4]: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.3
fn path<B>(request: &Request<B>) -> Option<String> {
    let text = request.uri().path_and_query()?.as_str();
    if request.method() == Method::CONNECT || text == "*" {
        None
    } else if text.starts_with('/') {
        Some(text.to_owned())
    } else {
        // `http://example.com?query`: the path is empty, which means the root.
        Some(format!("/{text}"))
    }
}

/// The host that was asked for, without its port, if it is a name or an address.
fn host<B>(request: &Request<B>) -> Option<String> {
    let text = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => {
            // Two hosts are none (RFC 9112, section 3.2).
            let mut all = request.headers().get_all(header::HOST).iter();
            let first = all.next()?;
            if all.next().is_some() {
                return None;
            }
            first.to_str().ok()?
        }
    };
    // A user has no place in `Host` (RFC 9110, section 7.2), nor in a redirect.
    if text.contains('@') {
        return None;
    }
    let authority: http::uri::Authority = text.parse().ok()?;
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    match bare.unwrap_or(host).parse::<ServerName>().ok()? {
        ServerName::Ip(std::net::IpAddr::V6(address)) => Some(format!("[{address}]")),
        name if name.is_wildcard() => None,
        name => Some(name.to_string()),
    }
}

fn status(code: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = code;
    response
}

impl<B> Service<Request<B>> for Http01Service {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.respond(&request)))
    }
}
