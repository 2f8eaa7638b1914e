//! Faults on demand: what fails next, and what fails now and then.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use acme_messages::Problem;
use http::StatusCode;

use super::{reply::Reply, route::Operation};

/// How a request is to fail; see [`TestCa::fail_next`](super::TestCa::fail_next).
///
/// A number is a bare status, as a front end answers it: no body, no nonce.
#[derive(Clone, Debug)]
pub struct Failure {
    status: StatusCode,
    problem: Option<Box<Problem>>,
    retry_after: Option<Duration>,
}

impl Failure {
    /// A problem document with this HTTP status.
    ///
    /// A number that is no HTTP status stands for 500.
    #[must_use]
    pub fn problem(status: u16, problem: Problem) -> Self {
        Self {
            problem: Some(Box::new(problem)),
            ..Self::from(status)
        }
    }

    /// Adds a `Retry-After` in seconds.
    #[must_use]
    pub const fn retry_after(mut self, span: Duration) -> Self {
        self.retry_after = Some(span);
        self
    }

    /// Whether a front end fails, before the CA has looked at the request.
    const fn is_bare(&self) -> bool {
        self.problem.is_none()
    }

    fn into_reply(self) -> Reply {
        let reply = match self.problem {
            Some(problem) => Reply::problem(self.status, *problem),
            None => Reply::bare(self.status),
        };
        reply.retry_after(self.retry_after)
    }
}

impl From<u16> for Failure {
    fn from(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            status,
            problem: None,
            retry_after: None,
        }
    }
}

impl From<Problem> for Failure {
    /// A problem with its own status; 400 when it tells none.
    fn from(problem: Problem) -> Self {
        Self::problem(problem.status.unwrap_or(400), problem)
    }
}

#[derive(Debug)]
pub(super) struct Faults {
    queues: Mutex<HashMap<Operation, VecDeque<Failure>>>,
    random: Mutex<u64>,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            queues: Mutex::default(),
            random: Mutex::new(seed),
        }
    }

    pub(super) fn add(&self, operation: Operation, failure: Failure) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.entry(operation).or_default().push_back(failure);
    }

    /// Takes the next failure of an operation if it belongs to this stage.
    pub(super) fn take(&self, operation: Operation, stage: Stage) -> Option<Reply> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.get_mut(&operation)?;
        if queue.front()?.is_bare() != (stage == Stage::FrontEnd) {
            return None;
        }
        queue.pop_front().map(Failure::into_reply)
    }

    /// Draws whether something of this rate happens now (SplitMix64).
    pub(super) fn happens(&self, rate: f64) -> bool {
        if rate <= 0.0 {
            return false;
        }
        let mut state = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = *state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // The upper 53 bits, as a fraction of 1.
        ((bits >> 11) as f64) / ((1u64 << 53) as f64) < rate
    }
}

/// Where a failure strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Before the request is looked at.
    FrontEnd,
    /// After it was checked and its nonce spent.
    Handler,
}
