//! One request on a connection of its own.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use acme_messages::{ProblemType, ServerName};
use bytes::Bytes;
use http::{
    HeaderValue, Request, StatusCode,
    header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT},
};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, client::Resumption, pki_types::ServerName as TlsName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Look, Miss, Target, Verdict,
    target::{Port, Scheme},
};
use crate::ca::{
    limits::MAX_HTTP_01_BODY,
    validation::{address::reason, tls_verifier::ShownCertificate},
};

/// What a server answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) location: Option<HeaderValue>,
    pub(super) body: Body,
}

/// What an answer holds.
#[derive(Debug)]
pub(super) enum Body {
    BrokenOff,
    TooLong,
    Whole(Bytes),
}

pub(super) async fn fetch(look: &Look, target: &Target, address: IpAddr) -> Result<Answer, Miss> {
    let port = match target.port {
        Port::Http => look.config().http_01_port,
        Port::Https => look.config().https_port,
    };
    let address = SocketAddr::new(address, port);
    let stream = look.connect(address).await.map_err(Miss::Dial)?;
    let answer = match target.scheme {
        Scheme::Http => exchange(look, target, stream).await,
        Scheme::Https => {
            let stream = shake_hands(look, target, stream).await?;
            exchange(look, target, stream).await
        }
    };
    Ok(answer?)
}

/// Begins TLS with whatever certificate is shown: who asks for one may not have one yet.
async fn shake_hands(
    look: &Look,
    target: &Target,
    stream: TcpStream,
) -> Verdict<TlsStream<TcpStream>> {
    let tls = |error: &dyn std::fmt::Display| {
        look.problem(ProblemType::Tls, format_args!("{target}: {error}"))
    };
    let provider = &look.provider;
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| tls(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ShownCertificate::new(Arc::clone(provider))))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    let name = match &target.host {
        ServerName::Dns(name) => TlsName::try_from(name.as_str().to_owned()),
        ServerName::Ip(address) => Ok(TlsName::from(*address)),
    };
    let name = name.map_err(|error| tls(&error))?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|error| {
            match error
                .get_ref()
                .and_then(|it| it.downcast_ref::<rustls::Error>())
            {
                Some(error) => tls(error),
                None => look.connection(format_args!("{target}: {}", reason(&error))),
            }
        })
}

/// Asks, and reads no more than an answer may have.
async fn exchange<S>(look: &Look, target: &Target, stream: S) -> Verdict<Answer>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let failed = |_| look.connection(format_args!("{target}: the answer is not HTTP"));
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
        .map_err(|_| look.connection(format_args!("{target}: this cannot be asked for")))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(failed)?;
        let (parts, body) = response.into_parts();
        let body = match parts.status {
            StatusCode::OK => Limited::new(body, MAX_HTTP_01_BODY - 1).collect().await,
            // Of what else comes the status says it all.
            _ => Ok(http_body_util::Collected::default()),
        };
        Ok(Answer {
            status: parts.status,
            location: parts.headers.get(LOCATION).cloned(),
            body: match body {
                Ok(body) => Body::Whole(body.to_bytes()),
                Err(error) if error.is::<LengthLimitError>() => Body::TooLong,
                Err(_) => Body::BrokenOff,
            },
        })
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
