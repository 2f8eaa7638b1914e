//! A transport that expects certain requests, in their order, and no others.

mod exchange;

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use acme_client::{HttpTransport, TransportError, messages::jose::BoxFuture};
use bytes::Bytes;
use http::{Request, Response, StatusCode};

use crate::ReceivedRequest;

pub use exchange::Exchange;

/// A transport with a script: each request must be the next one expected, and each
/// expected one must come.
///
/// A request that is not in the script is answered with status 500 and the body
/// `StubbingError`, whatever the caller makes of that, and remembered. The test
/// fails when the script is [finished](Self::finish), or when the transport is
/// dropped without a panic under way. A clone is the same transport for somebody
/// else, such as a client: it checks nothing when it is dropped.
///
/// ```
/// use acme_testing::{Exchange, ScriptedTransport, client::Client};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let directory = "https://ca.example/directory";
/// let script = ScriptedTransport::new([Exchange::get(directory).json(json!({
///     "newNonce": "https://ca.example/nonce",
///     "newAccount": "https://ca.example/account",
///     "newOrder": "https://ca.example/order",
/// }))]);
/// let client = Client::builder(directory, script.clone()).build()?;
/// assert_eq!(client.directory().await?.new_order, "https://ca.example/order");
/// script.finish();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ScriptedTransport {
    script: Arc<Mutex<Script>>,
    /// Whether its end is the end of the script.
    checks: bool,
}

#[derive(Debug, Default)]
struct Script {
    expected: VecDeque<Exchange>,
    requests: Vec<ReceivedRequest>,
    unexpected: Vec<String>,
}

impl ScriptedTransport {
    /// The body of the answer to a request that is not in the script.
    pub const UNEXPECTED_BODY: &'static str = "StubbingError";

    /// A transport that expects these exchanges, in this order.
    pub fn new(exchanges: impl IntoIterator<Item = Exchange>) -> Self {
        let script = Script {
            expected: exchanges.into_iter().collect(),
            ..Script::default()
        };
        Self {
            script: Arc::new(Mutex::new(script)),
            checks: true,
        }
    }

    /// Adds an exchange behind those that are still expected.
    pub fn expect(&self, exchange: Exchange) {
        self.lock().expected.push_back(exchange);
    }

    /// The requests so far, in their order, unexpected ones included.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.lock().requests.clone()
    }

    /// Whether all went by the script so far, and the script is at its end.
    ///
    /// # Errors
    /// - [`ScriptError`] with the requests that were not expected, and those that did not come.
    pub fn outcome(&self) -> Result<(), ScriptError> {
        let script = self.lock();
        let error = ScriptError {
            unexpected: script.unexpected.clone(),
            missing: script.expected.iter().map(ToString::to_string).collect(),
        };
        match error.unexpected.is_empty() && error.missing.is_empty() {
            true => Ok(()),
            false => Err(error),
        }
    }

    /// Demands that all went by the script, and that the script is at its end.
    ///
    /// # Panics
    /// - When a request came that was not expected.
    /// - When an expected request did not come.
    #[track_caller]
    pub fn finish(mut self) {
        self.checks = false;
        if let Err(error) = self.outcome() {
            panic!("{error}");
        }
    }

    fn answer(&self, request: &ReceivedRequest) -> Result<Response<Bytes>, TransportError> {
        let exchange = {
            let mut script = self.lock();
            script.requests.push(request.clone());
            let wrong = match script.expected.front() {
                None => Some(format!(
                    "No more requests expected, but request {request} made."
                )),
                Some(next) => next
                    .refuses(request)
                    .map(|why| format!("{next} expected, but request {request} made: {why}.")),
            };
            match wrong {
                None => script.expected.pop_front(),
                Some(wrong) => {
                    script.unexpected.push(wrong);
                    None
                }
            }
        };
        match exchange {
            Some(exchange) => exchange.answer(request),
            None => {
                let mut answer =
                    Response::new(Bytes::from_static(Self::UNEXPECTED_BODY.as_bytes()));
                *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                Ok(answer)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpTransport for ScriptedTransport {
    fn send(
        &self,
        request: Request<Bytes>,
        max_body: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let answer = self.answer(&ReceivedRequest::new(&request))?;
            match answer.body().len() <= max_body {
                true => Ok(answer),
                false => Err(TransportError::body_too_long()),
            }
        })
    }
}

impl Clone for ScriptedTransport {
    fn clone(&self) -> Self {
        Self {
            script: self.script.clone(),
            checks: false,
        }
    }
}

impl Drop for ScriptedTransport {
    fn drop(&mut self) {
        if self.checks
            && !thread::panicking()
            && let Err(error) = self.outcome()
        {
            panic!("{error}");
        }
    }
}

/// What did not go by a script.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScriptError {
    /// A sentence for each request that was not the one expected.
    pub unexpected: Vec<String>,
    /// The requests that did not come.
    pub missing: Vec<String>,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.unexpected.join(" "))?;
        if !self.missing.is_empty() {
            let missing = self.missing.join(", ");
            let space = if self.unexpected.is_empty() { "" } else { " " };
            let words = "Not all expected requests were made. Still expecting:";
            write!(f, "{space}{words} {missing}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ScriptError {}
