//! What is to go wrong, as `--fault NAME=VALUE` says it.

use std::{str::FromStr, time::Duration};

use acme_testing::{Operation, TestCa};

use super::span;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// The next request of this kind is answered with this status, as a front end would.
    FailNext(Operation, u16),
    /// The share of good nonces that are refused.
    NonceReject(f64),
    /// How many answers call a finalized order `processing`.
    Processing(u32),
    /// The `Retry-After` of what is not final yet.
    RetryAfter(Duration),
}

/// The faults that are no operation: name, form of the value, what it does.
const KNOWN: [(&str, &str, &str); 3] = [
    (
        "nonce-reject",
        "RATE",
        "the share of good nonces refused, 0 to 1",
    ),
    (
        "processing",
        "NUMBER",
        "answers that call a finalized order processing",
    ),
    (
        "retry-after",
        "SPAN",
        "the Retry-After of what is not final yet",
    ),
];

/// The operations whose next request can be made to fail.
const OPERATIONS: [(&str, Operation); 12] = [
    ("account", Operation::Account),
    ("authorization", Operation::Authorization),
    ("certificate", Operation::Certificate),
    ("challenge", Operation::Challenge),
    ("directory", Operation::Directory),
    ("finalize", Operation::Finalize),
    ("new-account", Operation::NewAccount),
    ("new-nonce", Operation::NewNonce),
    ("new-order", Operation::NewOrder),
    ("order", Operation::Order),
    ("renewal-info", Operation::RenewalInfo),
    ("revoke-certificate", Operation::RevokeCertificate),
];

impl Fault {
    /// Lets it go wrong from now on.
    pub(super) fn apply(&self, ca: &TestCa) {
        match self {
            Self::FailNext(operation, status) => ca.fail_next(*operation, *status),
            Self::NonceReject(rate) => ca.configure(|it| it.answers.nonce_reject_rate = *rate),
            Self::Processing(answers) => ca.configure(|it| it.issuance.processing_polls = *answers),
            Self::RetryAfter(span) => ca.configure(|it| it.answers.retry_after = Some(*span)),
        }
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("a fault reads NAME=VALUE; {}", known()))?;
        match name {
            "nonce-reject" => match value.parse() {
                Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(Self::NonceReject(rate)),
                _ => Err(format!("{value:?} is no rate between 0 and 1")),
            },
            "processing" => match value.parse() {
                Ok(answers) => Ok(Self::Processing(answers)),
                Err(_) => Err(format!("{value:?} is no number of answers")),
            },
            "retry-after" => span::parse(value).map(Self::RetryAfter),
            name => {
                let operation = OPERATIONS.iter().find(|it| it.0 == name);
                let (_, operation) =
                    operation.ok_or_else(|| format!("no fault is called {name:?}; {}", known()))?;
                match value.parse() {
                    Ok(status) if (400..=599).contains(&status) => {
                        Ok(Self::FailNext(*operation, status))
                    }
                    _ => Err(format!("{value:?} is no status from 400 to 599")),
                }
            }
        }
    }
}

/// All faults there are, on one line.
fn known() -> String {
    let mut text = "known are".to_owned();
    for (name, form, what) in KNOWN {
        text.push_str(&format!(" {name}={form} ({what}),"));
    }
    text.push_str(" and OPERATION=STATUS (the next request fails) for");
    for (name, _) in OPERATIONS {
        text.push_str(&format!(" {name}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_a_name_and_a_value() {
        let good = |text: &str, expected| assert_eq!(text.parse(), Ok(expected), "{text}");
        good("nonce-reject=0.05", Fault::NonceReject(0.05));
        good("nonce-reject=1", Fault::NonceReject(1.0));
        good("processing=2", Fault::Processing(2));
        good("retry-after=3s", Fault::RetryAfter(Duration::from_secs(3)));
        good("new-order=503", Fault::FailNext(Operation::NewOrder, 503));
    }

    #[test]
    fn a_bad_fault_says_what_is_wrong() {
        for (text, part) in [
            ("gremlins=1", "no fault is called \"gremlins\""),
            ("gremlins=1", "nonce-reject=RATE"),
            ("gremlins=1", "revoke-certificate"),
            ("nonce-reject", "NAME=VALUE"),
            ("nonce-reject=2", "\"2\" is no rate"),
            ("nonce-reject=NaN", "\"NaN\" is no rate"),
            ("nonce-reject=", "\"\" is no rate"),
            ("processing=-1", "\"-1\" is no number"),
            ("retry-after=3", "3s"),
            ("new-order=200", "\"200\" is no status"),
            ("new-order=soon", "\"soon\" is no status"),
        ] {
            let error = text.parse::<Fault>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains('\n'), "{text}: {error}");
        }
    }
}
