//! Which requests a fault strikes, and how a rule is written down.

use std::{fmt, str::FromStr};

use super::{Fault, text};
use crate::ca::route::Operation;

/// A fault, and which requests it strikes: all that it fits, unless told otherwise.
///
/// It can be written down, for a command line:
/// `NAME[:ARGUMENT][@OPERATION[,OPERATION…]][=RATE | =COUNTx][+SKIPPED]`.
///
/// ```
/// use acme_testing::FaultRule;
///
/// let rule: FaultRule = "bad-nonce=0.05".parse()?;
/// assert_eq!(rule.to_string(), "bad-nonce=0.05");
/// for text in [
///     "shuffle",
///     "html:502@newOrder,finalize=3x",
///     "rate-limited:90@newOrder=1x+2",
///     "chain:foreign-key@certificate",
/// ] {
///     assert_eq!(text.parse::<FaultRule>()?.to_string(), text);
/// }
/// let error = "html:teapot".parse::<FaultRule>().unwrap_err();
/// assert!(error.to_string().contains("html"));
/// # Ok::<_, acme_testing::InvalidFault>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct FaultRule {
    pub(super) fault: Fault,
    /// None stands for all.
    operations: Vec<Operation>,
    when: When,
    skip: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Always,
    Next(u32),
    Rate(f64),
}

impl FaultRule {
    /// Only requests of this operation, or of those named before.
    pub fn on(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    /// Only the next `count` requests that it fits.
    pub const fn times(mut self, count: u32) -> Self {
        self.when = When::Next(count);
        self
    }

    /// This share of the requests that it fits, from 0 to 1.
    pub const fn rate(mut self, rate: f64) -> Self {
        self.when = When::Rate(rate);
        self
    }

    /// Not the first `count` requests that it fits.
    pub const fn after(mut self, count: u32) -> Self {
        self.skip = count;
        self
    }

    pub(super) fn fits(&self, operation: Operation) -> bool {
        self.operations.is_empty() || self.operations.contains(&operation)
    }

    /// Whether it strikes a request that it fits; that counts.
    pub(super) fn strikes(&mut self, happens: impl FnOnce(f64) -> bool) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        match &mut self.when {
            When::Always => true,
            When::Next(left) => {
                let strikes = *left > 0;
                *left = left.saturating_sub(1);
                strikes
            }
            When::Rate(rate) => happens(*rate),
        }
    }

    pub(super) const fn is_in_line(&self) -> bool {
        matches!(self.when, When::Next(_)) && self.skip == 0
    }

    pub(super) const fn is_spent(&self) -> bool {
        matches!(self.when, When::Next(0))
    }
}

impl From<Fault> for FaultRule {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            operations: Vec::new(),
            when: When::Always,
            skip: 0,
        }
    }
}

impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::show(&self.fault, f)?;
        for (at, operation) in self.operations.iter().enumerate() {
            let sign = if at == 0 { '@' } else { ',' };
            write!(f, "{sign}{operation}")?;
        }
        match self.when {
            When::Always => {}
            When::Next(count) => write!(f, "={count}x")?,
            When::Rate(rate) => write!(f, "={rate}")?,
        }
        match self.skip {
            0 => Ok(()),
            count => write!(f, "+{count}"),
        }
    }
}

impl FromStr for FaultRule {
    type Err = InvalidFault;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let bad = |what: &str| InvalidFault::new(written, what);
        let (rest, skip) = match written.rsplit_once('+') {
            Some((rest, skip)) => (
                rest,
                skip.parse().map_err(|_| bad("+SKIPPED is no number"))?,
            ),
            None => (written, 0),
        };
        let (rest, when) = match rest.rsplit_once('=') {
            Some((rest, when)) => (
                rest,
                parse_when(when).ok_or_else(|| {
                    bad("after = stands a rate from 0 to 1, or a count such as 3x")
                })?,
            ),
            None => (rest, When::Always),
        };
        let (rest, operations) = match rest.rsplit_once('@') {
            Some((rest, names)) => (
                rest,
                names
                    .split(',')
                    .map(|name| {
                        Operation::from_name(name).ok_or_else(|| {
                            bad(&format!(
                                "there is no operation {name:?}; there are {}",
                                Operation::names()
                            ))
                        })
                    })
                    .collect::<Result<_, _>>()?,
            ),
            None => (rest, Vec::new()),
        };
        let fault = text::read(rest).map_err(|what| bad(&what))?;
        Ok(Self {
            fault,
            operations,
            when,
            skip,
        })
    }
}

fn parse_when(text: &str) -> Option<When> {
    if let Some(count) = text.strip_suffix('x') {
        return count.parse().ok().map(When::Next);
    }
    let rate: f64 = text.parse().ok()?;
    (0.0..=1.0).contains(&rate).then_some(When::Rate(rate))
}

/// A text that is no [`FaultRule`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no fault: {what}")]
pub struct InvalidFault {
    text: String,
    what: String,
}

impl InvalidFault {
    fn new(text: &str, what: &str) -> Self {
        Self {
            text: text.to_owned(),
            what: what.to_owned(),
        }
    }
}
