//! How the fake CA fulfils an order.

use std::sync::PoisonError;

use acme_client::{
    CertificateRequest, Error, ErrorKind, IssuedCertificate, JournalEntry, Operation,
};
use tokio::sync::watch;

use super::{FakeOrder, FakeOutcome, Shared, Traffic, issuer};
use crate::mishap::panic_as_told;

impl Shared {
    pub(super) async fn fulfil(
        &self,
        request: &CertificateRequest,
    ) -> Result<IssuedCertificate, Error> {
        let (order, outcome) = self.receive(request);
        let _under_way = UnderWay::new(&self.traffic);
        match outcome {
            FakeOutcome::Hang => std::future::pending().await,
            FakeOutcome::Panic => panic_as_told("the CA"),
            FakeOutcome::Fail(error) if comes_before_proof(&error) => return Err(error),
            _ => {}
        }
        self.place(&order, request).await?;
        let proofs = match self.pre_authorized {
            true => Vec::new(),
            false => self.challenger.prove(request).await?,
        };
        if !self.poll_delay.is_zero() {
            self.clock.sleep(self.poll_delay).await;
        }
        if let FakeOutcome::HangAfterProof = outcome {
            std::future::pending::<()>().await;
        }
        for proof in proofs {
            proof.stop(&*self.clock).await;
        }
        if let FakeOutcome::Fail(error) = outcome {
            self.lock().open.remove(&order.url);
            return Err(error);
        }
        self.gate.pass().await?;
        // Takes a while, as every CA.
        tokio::task::yield_now().await;
        self.issue(request, order, outcome)
    }

    fn account_url(&self) -> String {
        format!("{}/account/1", self.identity)
    }

    /// Writes an order down and decides what becomes of it.
    fn receive(&self, request: &CertificateRequest) -> (FakeOrder, FakeOutcome) {
        let mut state = self.lock();
        let number = state.orders.len() + 1;
        let taken_up = request.order_to_resume().filter(|url| {
            let names = state.open.get(*url);
            names.is_some_and(|it| it == request.names())
        });
        let new = || format!("{}/order/{number}", self.identity);
        let url = taken_up.map_or_else(new, str::to_owned);
        let resumed = taken_up.is_some();
        let now = self.clock.now();
        let order = FakeOrder::new(request, now, &self.account_url(), url, resumed);
        state.orders.push(order.clone());
        let outcome = state.script.take(number, &order);
        let rule = state.script.rule.clone();
        drop(state);
        let outcome = match (outcome, rule) {
            (Some(outcome), _) => outcome,
            (None, Some(rule)) => {
                let mut rule = rule.lock().unwrap_or_else(PoisonError::into_inner);
                rule(&order)
            }
            (None, None) => FakeOutcome::Issue,
        };
        (order, outcome)
    }

    /// From here on an order can be taken up again; a new one is written into the journal.
    async fn place(&self, order: &FakeOrder, request: &CertificateRequest) -> Result<(), Error> {
        if order.resumed {
            return Ok(());
        }
        let (url, names) = (order.url.clone(), order.names.clone());
        self.lock().open.insert(url, names);
        let Some(journal) = request.order_journal() else {
            return Ok(());
        };
        let entry = JournalEntry::new(request, &self.identity, self.account_url(), &order.url);
        journal.record(&entry).await.map_err(|error| {
            Error::new(ErrorKind::Journal, Operation::NewOrder)
                .with_url(&order.url)
                .with_source(error)
        })
    }

    fn issue(
        &self,
        request: &CertificateRequest,
        order: FakeOrder,
        outcome: FakeOutcome,
    ) -> Result<IssuedCertificate, Error> {
        let lifetime = self.lock().lifetime;
        let usual = issuer::validity(self.clock.now(), lifetime);
        let csr = request.csr();
        let issued = match outcome {
            FakeOutcome::IssueFor(validity) => self.issuer.issue(csr, csr.names(), validity),
            FakeOutcome::IssueForNames(names) => self.issuer.issue(csr, &names, usual),
            _ => self.issuer.issue(csr, csr.names(), usual),
        };
        let chain = issued.map_err(|error| {
            Error::new(ErrorKind::BadResponse, Operation::Finalize).with_source(error)
        })?;
        let mut state = self.lock();
        state.issued.push(chain.clone());
        state.open.remove(&order.url);
        let mut issued = IssuedCertificate::new(chain, order.url);
        issued.account_url = Some(self.account_url());
        issued.key = request.key().cloned();
        Ok(issued)
    }
}

/// Whether a real CA would have said so before any challenge.
fn comes_before_proof(error: &Error) -> bool {
    matches!(
        error.operation(),
        Operation::Directory | Operation::NewAccount | Operation::NewNonce | Operation::NewOrder
    )
}

/// One order, counted while it lasts.
struct UnderWay<'a>(&'a watch::Sender<Traffic>);

impl<'a> UnderWay<'a> {
    fn new(traffic: &'a watch::Sender<Traffic>) -> Self {
        traffic.send_modify(|now| {
            now.orders += 1;
            now.under_way += 1;
            now.most_at_once = now.most_at_once.max(now.under_way);
        });
        Self(traffic)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|now| now.under_way -= 1);
    }
}
