//! A transport that writes down what passes, and which operation of ACME it is.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use acme_client::{
    Cryptography, HttpTransport, Operation, TransportError,
    messages::{
        Account, Authorization, Directory, Order, OrdersList,
        jose::{BoxFuture, Nonce},
        link,
    },
};
use bytes::Bytes;
use http::{Request, Response};

use crate::ReceivedRequest;

/// Records each request on its way to another transport, and counts them by operation.
///
/// It learns which URL is for what from the answers that pass: the directory,
/// accounts, orders and authorizations. Giving an authorization up counts as looking
/// at it, since both go to one URL. Clones record together.
///
/// ```
/// use acme_testing::{Exchange, RecordingTransport, ScriptedTransport};
/// use acme_testing::client::{Client, Operation};
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
/// let transport = RecordingTransport::over(script);
/// let client = Client::builder(directory, transport.clone()).build()?;
/// client.directory().await?;
/// client.directory().await?; // It is kept.
/// assert_eq!(transport.count(Operation::Directory), 1);
/// assert_eq!(transport.exchanges()[0].status, Some(200));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RecordingTransport {
    next: Arc<dyn HttpTransport>,
    record: Arc<Mutex<Record>>,
}

#[derive(Debug, Default)]
struct Record {
    exchanges: Vec<RecordedExchange>,
    map: Map,
    /// How many were forgotten, so that those under way find their place.
    cleared: usize,
}

/// A request that passed, and what came back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedExchange {
    /// The request.
    pub request: ReceivedRequest,
    /// What it was for; `None` when no answer before had told of its URL.
    pub operation: Option<Operation>,
    /// The status of the answer; `None` when there is none, or not yet.
    pub status: Option<u16>,
    /// The nonce that came with the answer.
    pub answer_nonce: Option<Nonce>,
}

impl RecordingTransport {
    /// Records what passes on its way to `next`.
    pub fn over(next: impl HttpTransport) -> Self {
        Self {
            next: Arc::new(next),
            record: Arc::default(),
        }
    }

    /// What has passed, in the order of the requests.
    #[must_use]
    pub fn exchanges(&self) -> Vec<RecordedExchange> {
        self.lock().exchanges.clone()
    }

    /// How many requests were for an operation.
    #[must_use]
    pub fn count(&self, operation: Operation) -> usize {
        let record = self.lock();
        let those = record.exchanges.iter();
        those.filter(|it| it.operation == Some(operation)).count()
    }

    /// The operations in the order of the requests.
    #[must_use]
    pub fn operations(&self) -> Vec<Option<Operation>> {
        self.lock()
            .exchanges
            .iter()
            .map(|it| it.operation)
            .collect()
    }

    /// The nonces that were sent, in the order of the requests.
    #[must_use]
    pub fn nonces(&self) -> Vec<Nonce> {
        let record = self.lock();
        let sent = record.exchanges.iter().filter_map(|it| it.request.nonce());
        sent.cloned().collect()
    }

    /// Forgets the requests so far, and not what was learned from their answers.
    pub fn clear(&self) {
        let mut record = self.lock();
        record.cleared += record.exchanges.len();
        record.exchanges.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpTransport for RecordingTransport {
    fn send(
        &self,
        request: Request<Bytes>,
        max_body: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let received = ReceivedRequest::new(&request);
            let url = received.url().to_owned();
            let (place, operation) = self.lock().begin(received);
            let answer = self.next.send(request, max_body).await?;
            self.lock().end(place, &url, operation, &answer);
            Ok(answer)
        })
    }

    fn cryptography(&self) -> Option<Arc<dyn Cryptography>> {
        self.next.cryptography()
    }

    fn product(&self) -> Option<&str> {
        self.next.product()
    }
}

impl Record {
    fn begin(&mut self, request: ReceivedRequest) -> (usize, Option<Operation>) {
        let operation = self.map.operation(request.url());
        self.exchanges.push(RecordedExchange {
            request,
            operation,
            status: None,
            answer_nonce: None,
        });
        (self.cleared + self.exchanges.len() - 1, operation)
    }

    fn end(
        &mut self,
        place: usize,
        url: &str,
        operation: Option<Operation>,
        answer: &Response<Bytes>,
    ) {
        self.map.learn(url, operation, answer);
        let place = place.checked_sub(self.cleared);
        if let Some(exchange) = place.and_then(|it| self.exchanges.get_mut(it)) {
            exchange.status = Some(answer.status().as_u16());
            exchange.answer_nonce = text(answer, "replay-nonce").and_then(|it| it.parse().ok());
        }
    }
}

/// Which URL is for what.
#[derive(Debug, Default)]
struct Map {
    exact: HashMap<String, Operation>,
    renewal_info: Option<String>,
}

impl Map {
    fn operation(&self, url: &str) -> Option<Operation> {
        if let Some(operation) = self.exact.get(url) {
            return Some(*operation);
        }
        match &self.renewal_info {
            // Nothing is known yet: a client begins at the directory.
            None if self.exact.is_empty() => Some(Operation::Directory),
            Some(base) if url.starts_with(base) => Some(Operation::RenewalInfo),
            _ => None,
        }
    }

    fn learn(&mut self, url: &str, operation: Option<Operation>, answer: &Response<Bytes>) {
        if !answer.status().is_success() {
            return;
        }
        match operation {
            Some(Operation::Directory) => self.learn_directory(url, answer.body()),
            Some(Operation::NewAccount | Operation::Account) => {
                if let Some(account) = text(answer, "location") {
                    self.add(account, Operation::Account);
                }
                if let Ok(account) = serde_json::from_slice::<Account>(answer.body()) {
                    self.add_some(account.orders, Operation::Orders);
                }
            }
            Some(Operation::Orders) => {
                if let Ok(list) = serde_json::from_slice::<OrdersList>(answer.body()) {
                    for order in list.orders {
                        self.add(order, Operation::Order);
                    }
                }
                for next in links(answer, url, "next") {
                    self.add(next, Operation::Orders);
                }
            }
            Some(Operation::NewAuthorization) => {
                if let Some(authorization) = text(answer, "location") {
                    self.add(authorization, Operation::Authorization);
                }
                self.learn_authorization(answer.body());
            }
            Some(Operation::NewOrder | Operation::Order | Operation::Finalize) => {
                if let Some(order) = text(answer, "location") {
                    self.add(order, Operation::Order);
                }
                self.learn_order(answer.body());
            }
            Some(Operation::Authorization) => self.learn_authorization(answer.body()),
            Some(Operation::Certificate) => {
                for alternate in links(answer, url, "alternate") {
                    self.add(alternate, Operation::Certificate);
                }
            }
            _ => {}
        }
    }

    fn learn_directory(&mut self, url: &str, body: &Bytes) {
        let Ok(directory) = serde_json::from_slice::<Directory>(body) else {
            return;
        };
        self.add(url, Operation::Directory);
        self.add(directory.new_nonce, Operation::NewNonce);
        self.add(directory.new_account, Operation::NewAccount);
        self.add(directory.new_order, Operation::NewOrder);
        self.add_some(directory.new_authz, Operation::NewAuthorization);
        self.add_some(directory.revoke_cert, Operation::RevokeCertificate);
        self.add_some(directory.key_change, Operation::KeyChange);
        self.renewal_info = directory.renewal_info;
    }

    fn learn_order(&mut self, body: &Bytes) {
        let Ok(order) = serde_json::from_slice::<Order>(body) else {
            return;
        };
        for authorization in order.authorizations {
            self.add(authorization, Operation::Authorization);
        }
        self.add(order.finalize, Operation::Finalize);
        self.add_some(order.certificate, Operation::Certificate);
    }

    fn learn_authorization(&mut self, body: &Bytes) {
        let Ok(authorization) = serde_json::from_slice::<Authorization>(body) else {
            return;
        };
        for challenge in authorization.challenges {
            self.add(challenge.url, Operation::Challenge);
        }
    }

    fn add_some(&mut self, url: Option<String>, operation: Operation) {
        if let Some(url) = url {
            self.add(url, operation);
        }
    }

    fn add(&mut self, url: impl Into<String>, operation: Operation) {
        self.exact.insert(url.into(), operation);
    }
}

fn text<'a>(answer: &'a Response<Bytes>, header: &str) -> Option<&'a str> {
    answer.headers().get(header)?.to_str().ok()
}

fn links(answer: &Response<Bytes>, base: &str, relation: &str) -> Vec<String> {
    let headers = answer.headers().get_all("link").iter();
    let links = link::parse(headers.filter_map(|it| it.to_str().ok()), base);
    link::urls(&links, relation).map(str::to_owned).collect()
}
