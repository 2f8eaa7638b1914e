//! The checks that each signed request must pass ([RFC 8555, sections 6.2 to 6.5]).
//!
//! [RFC 8555, sections 6.2 to 6.5]: https://www.rfc-editor.org/rfc/rfc8555#section-6.2

use acme_messages::{
    AccountStatus, Problem, ProblemType,
    jose::{FlattenedJws, Jwk, JwsError, SigningAlgorithm, base64url},
};
use http::{StatusCode, header::CONTENT_TYPE, request::Parts};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    authority::Authority,
    config::Style,
    fault::Stage,
    limits::MAX_BODY,
    log::RequestRecord,
    reply::Refusal,
    route::{self, Operation, Route},
};

/// A request that passed all checks.
#[derive(Debug)]
pub(super) struct SignedRequest {
    pub(super) sender: Sender,
    /// The exact URL that was signed.
    pub(super) url: String,
    payload: Vec<u8>,
}

/// Who signed a request.
#[derive(Debug)]
pub(super) enum Sender {
    /// A valid account, by its id.
    Account(String),
    /// A key that the request brought along.
    Key(Box<Jwk>),
}

impl SignedRequest {
    /// The account that signed.
    pub(super) fn account(&self) -> Result<&str, Refusal> {
        match &self.sender {
            Sender::Account(id) => Ok(id),
            Sender::Key(_) => Err(Refusal::malformed("the request must be signed with `kid`")),
        }
    }

    /// The key that the request brought along.
    pub(super) fn key(&self) -> Result<&Jwk, Refusal> {
        match &self.sender {
            Sender::Key(key) => Ok(key),
            Sender::Account(_) => Err(Refusal::malformed("the request must be signed with `jwk`")),
        }
    }

    /// Whether it is a POST-as-GET: its payload is empty.
    pub(super) fn is_fetch(&self) -> bool {
        self.payload.is_empty()
    }

    /// Demands a POST-as-GET ([RFC 8555, section 6.3]).
    ///
    /// [RFC 8555, section 6.3]: https://www.rfc-editor.org/rfc/rfc8555#section-6.3
    pub(super) fn demand_fetch(&self) -> Result<(), Refusal> {
        if self.is_fetch() {
            return Ok(());
        }
        Err(Refusal::malformed("the payload must be empty here"))
    }

    /// The payload as it was signed.
    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Reads the payload, an object; members it does not know are passed over.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        // serde would take an array of the members' values too.
        if !self.payload.trim_ascii_start().starts_with(b"{") {
            return Err(Refusal::malformed("the payload is not an object"));
        }
        serde_json::from_slice(&self.payload).map_err(|error| {
            Refusal::malformed(format!("the payload is not as it should be: {error}"))
        })
    }
}

impl Authority {
    /// Demands a `User-Agent`, which each ACME client must send ([RFC 8555, section 6.1]).
    ///
    /// [RFC 8555, section 6.1]: https://www.rfc-editor.org/rfc/rfc8555#section-6.1
    pub(super) fn check_user_agent(parts: &Parts) -> Result<(), Refusal> {
        match parts.headers.get(http::header::USER_AGENT) {
            Some(value) if !value.is_empty() => Ok(()),
            _ => Err(Refusal::malformed("the request has no User-Agent")),
        }
    }

    /// Reads and checks a POST.
    ///
    /// The nonce is spent as soon as it is seen, whatever becomes of the
    /// request ([RFC 8555, section 6.5]); that it was not good is told last.
    ///
    /// [RFC 8555, section 6.5]: https://www.rfc-editor.org/rfc/rfc8555#section-6.5
    pub(super) async fn authenticate(
        &self,
        parts: &Parts,
        route: Route<'_>,
        body: Incoming,
        record: &mut RequestRecord,
    ) -> Result<SignedRequest, Refusal> {
        let style = self.config().style;
        let media_type = parts
            .headers
            .get(CONTENT_TYPE)
            .map(http::HeaderValue::as_bytes);
        if media_type != Some(b"application/jose+json") {
            let status = match style {
                Style::Boulder => StatusCode::BAD_REQUEST,
                Style::Rfc8555 | Style::Pebble => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            };
            let detail = "the Content-Type must be application/jose+json";
            return Err(Refusal::new(status, ProblemType::Malformed, detail));
        }
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            let detail = format!("the body is cut off, or has more than {MAX_BODY} bytes");
            Refusal::new(status, ProblemType::Malformed, detail)
        })?;
        let body = body.to_bytes();
        let jws = FlattenedJws::from_json(&body).map_err(|error| {
            self.spend_nonce_of(&body);
            refuse_jws(error, style)
        })?;
        record.nonce = jws.header().nonce.as_ref().map(|it| it.as_str().to_owned());
        record.payload = String::from_utf8_lossy(jws.payload()).into_owned();
        let fresh = match &jws.header().nonce {
            Some(nonce) => self.state().nonces.spend(nonce.as_str()),
            None => false,
        };
        let sender = self.check_signature(&jws, route.operation)?;
        if let Sender::Account(id) = &sender {
            record.account_url = Some(self.url(route::account(id)));
        }
        self.check_url(&jws, parts)?;
        let rate = self.config().answers.nonce_reject_rate;
        let refused = self.faults.happens(rate)
            || self.faults.instead(route.operation, Stage::Nonce).is_some();
        if !fresh || refused {
            let detail = "the nonce is missing, was used, or is too old";
            return Err(Refusal::bad_request(ProblemType::BadNonce, detail));
        }
        if let Sender::Account(id) = &sender {
            self.check_account(id)?;
        }
        Ok(SignedRequest {
            sender,
            url: jws.header().url.clone(),
            payload: jws.payload().to_vec(),
        })
    }

    /// Spends the nonce of a request whose header is not taken otherwise.
    fn spend_nonce_of(&self, body: &[u8]) {
        #[derive(Deserialize)]
        struct Outer {
            protected: String,
        }
        #[derive(Deserialize)]
        struct Header {
            nonce: String,
        }
        let header = serde_json::from_slice(body)
            .ok()
            .and_then(|it: Outer| base64url::decode(&it.protected).ok())
            .and_then(|it| serde_json::from_slice(&it).ok());
        if let Some(Header { nonce }) = header {
            self.state().nonces.spend(&nonce);
        }
    }

    fn check_signature(&self, jws: &FlattenedJws, operation: Operation) -> Result<Sender, Refusal> {
        let header = jws.header();
        let (sender, key) = match (&header.jwk, &header.kid) {
            (Some(_), Some(_)) => {
                return Err(Refusal::malformed("the header has both `jwk` and `kid`"));
            }
            (None, None) => {
                return Err(Refusal::malformed("the header has neither `jwk` nor `kid`"));
            }
            (Some(jwk), None) => {
                if !matches!(
                    operation,
                    Operation::NewAccount | Operation::RevokeCertificate
                ) {
                    return Err(Refusal::malformed("the header must have `kid`, not `jwk`"));
                }
                (Sender::Key(Box::new(jwk.clone())), jwk.clone())
            }
            (None, Some(kid)) => {
                if operation == Operation::NewAccount {
                    return Err(Refusal::malformed("the header must have `jwk`, not `kid`"));
                }
                let (id, key) = self.find_account(kid)?;
                (Sender::Account(id), key)
            }
        };
        if !key.fits(header.alg) {
            let detail = format!("the key is not one of {}", header.alg);
            return Err(Refusal::malformed(detail));
        }
        // Outside all locks: a signature takes far longer to check than anything else here.
        jws.verify(&key)
            .map_err(|_| Refusal::malformed("the signature does not verify"))?;
        Ok(sender)
    }

    fn find_account(&self, kid: &str) -> Result<(String, Jwk), Refusal> {
        let id = self.id_in(kid, "/account/");
        let state = self.state();
        id.and_then(|id| state.accounts.get_key_value(id))
            .map(|(id, account)| (id.clone(), account.key.clone()))
            .ok_or_else(|| {
                let detail = "`kid` is not the URL of an account here";
                Refusal::bad_request(ProblemType::AccountDoesNotExist, detail)
            })
    }

    /// The signed URL must be, to the letter, the one the request came to
    /// ([RFC 8555, section 6.4]).
    ///
    /// [RFC 8555, section 6.4]: https://www.rfc-editor.org/rfc/rfc8555#section-6.4
    fn check_url(&self, jws: &FlattenedJws, parts: &Parts) -> Result<(), Refusal> {
        let path = parts.uri.path_and_query().map_or("/", |it| it.as_str());
        if jws.header().url == self.url(path) {
            return Ok(());
        }
        let detail = "`url` is not the URL that the request was sent to";
        Err(match self.config().style {
            Style::Rfc8555 => Refusal::unauthorized(detail),
            Style::Boulder | Style::Pebble => Refusal::malformed(detail),
        })
    }

    /// By [RFC 8555, section 7.3.6] a closed account gets 401; at Boulder and Pebble, 403.
    ///
    /// [RFC 8555, section 7.3.6]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.6
    pub(super) fn check_account(&self, id: &str) -> Result<(), Refusal> {
        let status = self.state().accounts.get(id).map(|it| it.status.clone());
        match status {
            Some(AccountStatus::Valid) => Ok(()),
            status => {
                let status = status.map_or_else(|| "unknown".to_owned(), |it| it.to_string());
                let detail = format!("the account is {status}");
                let code = match self.config().style {
                    Style::Rfc8555 => StatusCode::UNAUTHORIZED,
                    Style::Boulder | Style::Pebble => StatusCode::FORBIDDEN,
                };
                Err(Refusal::new(code, ProblemType::Unauthorized, detail))
            }
        }
    }
}

pub(super) fn refuse_jws(error: JwsError, style: Style) -> Refusal {
    let kind = match error {
        JwsError::BadPublicKey => ProblemType::BadPublicKey,
        JwsError::UnsupportedAlgorithm(_) => ProblemType::BadSignatureAlgorithm,
        _ => ProblemType::Malformed,
    };
    let mut problem = Problem::new(kind, error.to_string());
    if problem.kind == ProblemType::BadSignatureAlgorithm && style != Style::Pebble {
        problem.algorithms = SigningAlgorithm::ALL
            .iter()
            .map(ToString::to_string)
            .collect();
    }
    Refusal::with(StatusCode::BAD_REQUEST, problem)
}
