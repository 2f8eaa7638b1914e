//! A transport that loses, changes and invents answers.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use acme_client::{Cryptography, HttpTransport, TransportError, messages::jose::BoxFuture};
use bytes::Bytes;
use http::{Request, Response};

use crate::{InjectedFault, ReceivedRequest};

/// Stands before another transport and meddles with what passes. Clones are one.
///
/// ```
/// use acme_testing::{Exchange, FaultyTransport, Meddling, ScriptedTransport};
/// use acme_testing::client::HttpTransport;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let script = ScriptedTransport::new([Exchange::get("https://ca.example/directory")]);
/// let transport = FaultyTransport::over(script.clone());
/// transport.once("/directory", Meddling::LoseAnswer);
/// let request = http::Request::get("https://ca.example/directory").body(bytes::Bytes::new())?;
/// assert!(transport.send(request, 1024).await.is_err());
/// script.finish(); // It came all the same.
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FaultyTransport {
    next: Arc<dyn HttpTransport>,
    rule: Arc<Mutex<Rule>>,
}

type Change = Box<dyn FnOnce(&mut Response<Bytes>) + Send>;
type Rule = Box<dyn FnMut(&ReceivedRequest) -> Meddling + Send>;

/// What a [`FaultyTransport`] does with a request.
#[non_exhaustive]
pub enum Meddling {
    /// Answers by itself: nobody else sees the request.
    Answer(Response<Bytes>),
    /// Sends it and changes the answer.
    Change(Change),
    /// Never comes back, and sends nothing.
    Hang,
    /// Sends it, and loses the answer.
    LoseAnswer,
    /// Loses it.
    LoseRequest,
    /// Sends it and gives the answer back.
    Pass,
}

impl FaultyTransport {
    /// Lets everything pass to `next`, until it is told otherwise.
    pub fn over(next: impl HttpTransport) -> Self {
        Self {
            next: Arc::new(next),
            rule: Arc::new(Mutex::new(Box::new(|_| Meddling::Pass))),
        }
    }

    /// Decides from now on about each request.
    pub fn rule(&self, rule: impl FnMut(&ReceivedRequest) -> Meddling + Send + 'static) {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(rule);
    }

    /// Meddles with the first request whose URL contains `part`, and lets everything else pass.
    pub fn once(&self, part: impl Into<String>, meddling: Meddling) {
        let (part, mut meddling) = (part.into(), Some(meddling));
        self.rule(move |request| match request.url().contains(&part) {
            true => meddling.take().unwrap_or(Meddling::Pass),
            false => Meddling::Pass,
        });
    }

    fn decide(&self, request: &ReceivedRequest) -> Meddling {
        let mut rule = self.rule.lock().unwrap_or_else(PoisonError::into_inner);
        rule(request)
    }
}

impl HttpTransport for FaultyTransport {
    fn send(
        &self,
        request: Request<Bytes>,
        max_body: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let lost = || TransportError::new("the connection broke", InjectedFault);
            match self.decide(&ReceivedRequest::new(&request)) {
                Meddling::Answer(answer) => Ok(answer),
                Meddling::Change(change) => {
                    let mut answer = self.next.send(request, max_body).await?;
                    change(&mut answer);
                    Ok(answer)
                }
                Meddling::Hang => std::future::pending().await,
                Meddling::LoseAnswer => {
                    self.next.send(request, max_body).await?;
                    Err(lost())
                }
                Meddling::LoseRequest => Err(lost()),
                Meddling::Pass => self.next.send(request, max_body).await,
            }
        })
    }

    fn cryptography(&self) -> Option<Arc<dyn Cryptography>> {
        self.next.cryptography()
    }

    fn product(&self) -> Option<&str> {
        self.next.product()
    }
}

impl fmt::Debug for FaultyTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyTransport")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Meddling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer(_) => "Answer",
            Self::Change(_) => "Change",
            Self::Hang => "Hang",
            Self::LoseAnswer => "LoseAnswer",
            Self::LoseRequest => "LoseRequest",
            Self::Pass => "Pass",
        })
    }
}
