//! http-01: a file at a known path ([RFC 8555, section 8.3]).
//!
//! [RFC 8555, section 8.3]: https://www.rfc-editor.org/rfc/rfc8555#section-8.3

use std::{convert::Infallible, net::SocketAddr};

use acme_messages::ServerName;
use bytes::Bytes;
use http::{
    HeaderMap, Request, StatusCode, Uri,
    header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT},
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::{Look, Verdict};
use crate::ca::limits::{MAX_HTTP_01_BODY, MAX_REDIRECTS};

pub(super) async fn validate(look: &Look) -> Verdict<()> {
    let mut target = Target {
        host: look.job.name.clone(),
        path: format!("/.well-known/acme-challenge/{}", look.job.token.as_str()),
    };
    for _ in 0..=MAX_REDIRECTS {
        let (status, headers, body) = fetch(look, &target).await?;
        if !status.is_redirection() {
            return judge(look, status, body);
        }
        target = target.redirected(look, &headers)?;
    }
    Err(look.connection(format_args!("more than {MAX_REDIRECTS} redirects")))
}

fn judge(look: &Look, status: StatusCode, body: Option<Bytes>) -> Verdict<()> {
    if status != StatusCode::OK {
        return Err(look.unauthorized(format_args!("the status is {}", status.as_u16())));
    }
    let Some(body) = body else {
        let detail = format!("the answer has more than {MAX_HTTP_01_BODY} bytes");
        return Err(look.wrong(detail));
    };
    if body.trim_ascii_end() == look.job.key_authorization.as_str().as_bytes() {
        return Ok(());
    }
    Err(look.wrong("the answer is not the key authorization"))
}

/// Fetches a target; a body over the limit is `None`.
async fn fetch(look: &Look, target: &Target) -> Verdict<(StatusCode, HeaderMap, Option<Bytes>)> {
    let address = look.addresses(&target.host).await?[0];
    let port = look.config().http_01_port;
    let stream = look.connect(SocketAddr::new(address, port)).await?;
    let failed = |_| look.connection("the answer is not HTTP");
    let (mut sender, driver) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let request = Request::get(&target.path)
        .header(HOST, target.host_header())
        .header(
            USER_AGENT,
            concat!("acme-testing/", env!("CARGO_PKG_VERSION")),
        )
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| look.connection("the redirect's target is no path"))?;
    let exchange = async {
        let (parts, body) = sender
            .send_request(request)
            .await
            .map_err(failed)?
            .into_parts();
        let body = Limited::new(body, MAX_HTTP_01_BODY).collect().await;
        Ok((
            parts.status,
            parts.headers,
            body.ok().map(|it| it.to_bytes()),
        ))
    };
    let drive = async {
        // What ends the connection early shows in the exchange.
        let _ = driver.await;
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        biased;
        answer = exchange => answer,
        never = drive => match never {},
    }
}

/// Where the answer is looked for.
struct Target {
    host: ServerName,
    path: String,
}

impl Target {
    /// The name without a port, an IPv6 address in brackets.
    fn host_header(&self) -> String {
        match &self.host {
            ServerName::Ip(address) if address.is_ipv6() => format!("[{address}]"),
            host => host.to_string(),
        }
    }

    /// Follows a redirect to a path, or to port 80 of another host.
    fn redirected(&self, look: &Look, headers: &HeaderMap) -> Verdict<Self> {
        let refuse = |detail: &str| look.connection(format_args!("redirect {detail}"));
        let location = headers
            .get(LOCATION)
            .and_then(|it| it.to_str().ok())
            .and_then(|it| it.parse::<Uri>().ok())
            .ok_or_else(|| refuse("without a usable Location"))?;
        let path = location
            .path_and_query()
            .map_or("/", |it| it.as_str())
            .to_owned();
        let Some(authority) = location.authority() else {
            return Ok(Self {
                host: self.host.clone(),
                path,
            });
        };
        if location.scheme_str() != Some("http") || authority.port_u16().unwrap_or(80) != 80 {
            return Err(refuse("to something other than http on port 80"));
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let host = host
            .parse()
            .map_err(|_| refuse("to a host that is no name"))?;
        Ok(Self { host, path })
    }
}
