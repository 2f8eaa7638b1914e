//! Which faults strike: the rules in force, and the draws.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Fault, FaultRule};
use crate::ca::route::Operation;

/// The rules in force, in the order they were injected.
#[derive(Debug)]
pub(in crate::ca) struct Faults(Mutex<Plan>);

#[derive(Debug)]
struct Plan {
    rules: Vec<FaultRule>,
    random: u64,
}

/// Where a fault that answers in the CA's place strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ca) enum Stage {
    /// Before the request is looked at.
    FrontEnd,
    /// When its nonce is.
    Nonce,
    /// After it was checked and its nonce spent.
    Handler,
}

impl Faults {
    pub(in crate::ca) const fn new(seed: u64) -> Self {
        Self(Mutex::new(Plan {
            rules: Vec::new(),
            random: seed,
        }))
    }

    pub(in crate::ca) fn add(&self, rule: FaultRule) {
        self.lock().rules.push(rule);
    }

    pub(in crate::ca) fn clear(&self) {
        self.lock().rules.clear();
    }

    /// The fault that answers in the CA's place at this stage, if there is one.
    ///
    /// A rule for the next few requests is in line: none injected later gets
    /// before it, even where its own stage is still to come.
    pub(in crate::ca) fn instead(&self, operation: Operation, stage: Stage) -> Option<Fault> {
        let mut plan = self.lock();
        let Plan { rules, random } = &mut *plan;
        let mut struck = None;
        for rule in rules.iter_mut() {
            let Some(own) = rule.fault.stage() else {
                continue;
            };
            if !rule.fits(operation) {
                continue;
            }
            if own == stage {
                if rule.strikes(|rate| happens(random, rate)) {
                    struck = Some(rule.fault.clone());
                    break;
                }
            } else if rule.is_in_line() {
                break;
            }
        }
        rules.retain(|rule| !rule.is_spent());
        struck
    }

    /// The faults of answers that strike now, among those that fit.
    ///
    /// One that does not fit is not used up.
    pub(in crate::ca) fn strike(
        &self,
        operation: Operation,
        fits: impl Fn(&Fault) -> bool,
    ) -> Vec<Fault> {
        let mut plan = self.lock();
        if plan.rules.is_empty() {
            return Vec::new();
        }
        let Plan { rules, random } = &mut *plan;
        let mut struck = Vec::new();
        for rule in rules.iter_mut() {
            let answers = rule.fault.stage().is_none();
            if answers
                && rule.fits(operation)
                && fits(&rule.fault)
                && rule.strikes(|rate| happens(random, rate))
            {
                struck.push(rule.fault.clone());
            }
        }
        rules.retain(|rule| !rule.is_spent());
        struck
    }

    /// Draws whether something of this rate happens now.
    pub(in crate::ca) fn happens(&self, rate: f64) -> bool {
        happens(&mut self.lock().random, rate)
    }

    /// Draws a number below `sides`.
    pub(in crate::ca) fn dice(&self, sides: usize) -> usize {
        (draw(&mut self.lock().random) % sides.max(1) as u64) as usize
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn happens(random: &mut u64, rate: f64) -> bool {
    if rate <= 0.0 {
        return false;
    }
    // The upper 53 bits, as a fraction of 1.
    ((draw(random) >> 11) as f64) / ((1u64 << 53) as f64) < rate
}

/// SplitMix64: enough to decide what goes wrong, the same for the same seed.
fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
