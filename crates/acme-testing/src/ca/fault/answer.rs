//! Faults of answers: headers, bodies, and what stands in them.

use acme_messages::{CertificateChain, Timestamp};
use http::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderName, LINK, LOCATION, RETRY_AFTER},
};

use super::{Failure, Fault, json};
use crate::ca::{
    authority::Authority,
    delivery::Delivery,
    reply::{Content, Reply},
    router::REPLAY_NONCE,
};

/// What became of an answer.
#[derive(Debug)]
pub(in crate::ca) enum Outcome {
    Answer(Reply),
    /// The connection is to be closed without one.
    Closed,
    /// The client is to wait for one in vain.
    Silent,
}

impl Fault {
    /// What a fault answers in the CA's place.
    pub(in crate::ca) fn answer(self) -> Outcome {
        Outcome::Answer(match self {
            Self::DropRequest => return Outcome::Closed,
            Self::Silence => return Outcome::Silent,
            Self::Html(status) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                Reply::html(status)
            }
            Self::RateLimited(span) => Failure::rate_limited(span).into_reply(),
            Self::Fail(failure) => failure.into_reply(),
            _ => Reply::empty(StatusCode::INTERNAL_SERVER_ERROR),
        })
    }

    /// Whether there is something in this answer for the fault to change.
    pub(in crate::ca) fn fits(&self, reply: &Reply) -> bool {
        let has = |name: HeaderName| reply.headers.contains_key(name);
        match self {
            Self::Chain(_) => reply.is_chain(),
            Self::Charset => has(CONTENT_TYPE),
            Self::CutBody
            | Self::EmptyBody
            | Self::EndlessBody
            | Self::HtmlBody
            | Self::SlowBody(_)
            | Self::StalledBody => !matches!(reply.content, Content::Nothing),
            Self::DropAnswer => true,
            Self::MangledNonce | Self::NoNonce | Self::UsedNonce => has(REPLAY_NONCE),
            Self::NoLinks => has(LINK),
            Self::NoLocation => has(LOCATION),
            Self::NoRetryAfter => has(RETRY_AFTER),
            Self::RetryAfterDate(_) | Self::RetryAfterText(_) => {
                has(RETRY_AFTER) || reply.is_unfinished()
            }
            fault => match &reply.content {
                Content::Json(body) => json::fits(fault, body),
                _ => false,
            },
        }
    }
}

impl Authority {
    /// Lets one fault strike an answer that it fits; whether there is still an answer.
    pub(in crate::ca) fn spoil(&self, fault: &Fault, reply: &mut Reply) -> bool {
        match fault {
            Fault::Chain(kind) => {
                if let Content::Text(pem) = &mut reply.content
                    && let Ok(chain) = CertificateChain::from_pem(pem.as_bytes())
                    && let Ok(spoilt) = kind.spoil(&chain, &self.pki, self.now())
                {
                    *pem = spoilt;
                }
            }
            Fault::Charset => {
                if let Some(kind) = reply.headers.get(CONTENT_TYPE) {
                    let kind = kind.to_str().unwrap_or_default();
                    let kind = format!("{kind}; charset=utf-8");
                    reply.set_header(CONTENT_TYPE, &kind);
                }
            }
            Fault::CutBody => reply.delivery = Delivery::Cut,
            Fault::EndlessBody => reply.delivery = Delivery::Endless,
            Fault::SlowBody(pause) => reply.delivery = Delivery::Slow(*pause),
            Fault::StalledBody => reply.delivery = Delivery::Stalled,
            Fault::DropAnswer => return false,
            Fault::EmptyBody => reply.content = Content::Nothing,
            Fault::HtmlBody => {
                let page = "<html><body><h1>It works!</h1></body></html>\n";
                reply.content = Content::Text(page.to_owned());
                reply.set_header(CONTENT_TYPE, "text/html");
            }
            Fault::MangledNonce => reply.set_header(REPLAY_NONCE, "not+base64url/=="),
            Fault::UsedNonce => {
                let nonce = reply.headers.get(REPLAY_NONCE);
                if let Some(nonce) = nonce.and_then(|it| it.to_str().ok()) {
                    self.state().nonces.withdraw(nonce);
                }
            }
            Fault::NoNonce => drop(reply.headers.remove(REPLAY_NONCE)),
            Fault::NoLinks => drop(reply.headers.remove(LINK)),
            Fault::NoLocation => drop(reply.headers.remove(LOCATION)),
            Fault::NoRetryAfter => drop(reply.headers.remove(RETRY_AFTER)),
            Fault::RetryAfterDate(ahead) => {
                let moment = self.now().checked_add(*ahead).unwrap_or(Timestamp::MAX);
                reply.set_header(RETRY_AFTER, &http_date(moment));
            }
            Fault::RetryAfterText(text) => reply.set_header(RETRY_AFTER, text),
            fault => {
                if let Content::Json(body) = &mut reply.content {
                    json::apply(fault, body, &|sides| self.faults.dice(sides));
                }
            }
        }
        true
    }
}

/// The one form of a date that is still written ([RFC 9110, section 5.6.7]).
///
/// [RFC 9110, section 5.6.7]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
fn http_date(moment: Timestamp) -> String {
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
