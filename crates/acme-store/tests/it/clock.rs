//! Clocks that do what a test says.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use acme_store::{
    BoxFuture,
    messages::{Clock, Timestamp},
};

/// A clock that moves when a test says so.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestClock(Arc<Mutex<Timestamp>>);

impl TestClock {
    pub(crate) fn advance(&self, span: Duration) {
        *self.0.lock().unwrap() += span;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        unreachable!("nothing that is given this clock waits")
    }
}

/// A clock on which no sleep takes any time, and which remembers them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Impatient(Arc<Mutex<Vec<Duration>>>);

impl Impatient {
    pub(crate) fn sleeps(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

impl Clock for Impatient {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        self.0.lock().unwrap().push(span);
        Box::pin(tokio::task::yield_now())
    }
}
