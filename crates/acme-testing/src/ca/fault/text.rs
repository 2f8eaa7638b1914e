//! Faults written down: a name, and an argument where there is one.

use std::{fmt, mem::discriminant, time::Duration};

use acme_messages::{Problem, ProblemType};

use super::{ChainFault, Failure, Fault};

/// The faults that are told by their name alone.
static PLAIN: &[(&str, Fault)] = &[
    ("bad-nonce", Fault::BadNonce),
    ("charset", Fault::Charset),
    ("cut-body", Fault::CutBody),
    ("drop-answer", Fault::DropAnswer),
    ("drop-request", Fault::DropRequest),
    ("empty-body", Fault::EmptyBody),
    ("endless-body", Fault::EndlessBody),
    ("error-while-processing", Fault::ErrorWhileProcessing),
    ("html-body", Fault::HtmlBody),
    ("invalid-stays-pending", Fault::InvalidStaysPending),
    ("mangled-nonce", Fault::MangledNonce),
    ("no-links", Fault::NoLinks),
    ("no-location", Fault::NoLocation),
    ("no-nonce", Fault::NoNonce),
    ("no-problem-type", Fault::NoProblemType),
    ("no-retry-after", Fault::NoRetryAfter),
    ("other-authorizations", Fault::OtherAuthorizations),
    ("rate-limited", Fault::RateLimited(None)),
    ("shuffle", Fault::Shuffle),
    ("silence", Fault::Silence),
    ("stalled-body", Fault::StalledBody),
    ("stays-pending", Fault::StaysPending),
    ("stays-processing", Fault::StaysProcessing),
    ("unknown-challenges", Fault::UnknownChallenges),
    ("unknown-members", Fault::UnknownMembers),
    ("unknown-problem-type", Fault::UnknownProblemType),
    ("unknown-status", Fault::UnknownStatus),
    ("used-nonce", Fault::UsedNonce),
    ("wildcard-false", Fault::WildcardFalse),
    ("wrong-window", Fault::WrongWindow),
];

/// How the faults with an argument are written.
const WITH_ARGUMENT: &[&str] = &[
    "chain:KIND",
    "fail:STATUS",
    "html:STATUS",
    "problem:TYPE",
    "rate-limited:SECONDS",
    "retry-after-date:SECONDS",
    "retry-after-text:TEXT",
    "slow-body:MILLISECONDS",
];

/// Reads a fault; the error says what is possible.
pub(super) fn read(text: &str) -> Result<Fault, String> {
    let Some((name, argument)) = text.split_once(':') else {
        let plain = PLAIN.iter().find(|(name, _)| *name == text);
        return plain
            .map(|(_, fault)| fault.clone())
            .ok_or_else(|| unknown(text));
    };
    let seconds = || argument.parse().map(Duration::from_secs).ok();
    let status = || argument.parse().ok().filter(|it| (100..600).contains(it));
    let fault = match name {
        "chain" => ChainFault::from_name(argument).map(Fault::Chain),
        "fail" => status().map(|it: u16| Fault::Fail(Failure::from(it))),
        "html" => status().map(Fault::Html),
        "problem" => Some(Fault::Fail(Failure::from(problem(argument)))),
        "rate-limited" => seconds().map(|it| Fault::RateLimited(Some(it))),
        "retry-after-date" => seconds().map(Fault::RetryAfterDate),
        "retry-after-text" => Some(Fault::RetryAfterText(argument.to_owned())),
        "slow-body" => argument
            .parse()
            .ok()
            .map(|it| Fault::SlowBody(Duration::from_millis(it))),
        _ => return Err(unknown(name)),
    };
    fault.ok_or_else(|| {
        let usage = WITH_ARGUMENT
            .iter()
            .find(|it| it.split(':').next() == Some(name));
        let kinds = if name == "chain" {
            format!("; the kinds are {}", ChainFault::names())
        } else {
            String::new()
        };
        format!("it is written {}{kinds}", usage.unwrap_or(&name))
    })
}

pub(super) fn show(fault: &Fault, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match fault {
        Fault::Chain(kind) => write!(f, "chain:{}", kind.name()),
        Fault::Fail(failure) => match failure.kind() {
            Some(kind) => write!(f, "problem:{}", kind.short_name()),
            None => write!(f, "fail:{}", failure.status().as_u16()),
        },
        Fault::Html(status) => write!(f, "html:{status}"),
        Fault::RateLimited(Some(span)) => write!(f, "rate-limited:{}", span.as_secs()),
        Fault::RetryAfterDate(span) => write!(f, "retry-after-date:{}", span.as_secs()),
        Fault::RetryAfterText(text) => write!(f, "retry-after-text:{text}"),
        Fault::SlowBody(pause) => write!(f, "slow-body:{}", pause.as_millis()),
        plain => {
            let same = |it: &&(&str, Fault)| discriminant(&it.1) == discriminant(plain);
            let name = PLAIN.iter().find(same).map_or("unnamed", |it| it.0);
            f.write_str(name)
        }
    }
}

pub(super) fn names() -> String {
    let mut names: Vec<_> = PLAIN.iter().map(|it| it.0).collect();
    names.extend(WITH_ARGUMENT);
    names.sort_unstable();
    names.join(", ")
}

fn unknown(name: &str) -> String {
    format!("there is no fault {name:?}; there are {}", names())
}

/// A problem whose status is the one that CAs use with it.
fn problem(kind: &str) -> Problem {
    let kind: ProblemType = format!("urn:ietf:params:acme:error:{kind}").into();
    let status = match kind {
        ProblemType::RateLimited => 429,
        ProblemType::ServerInternal => 500,
        ProblemType::Unauthorized
        | ProblemType::OrderNotReady
        | ProblemType::UserActionRequired => 403,
        ProblemType::AlreadyReplaced => 409,
        _ => 400,
    };
    let mut problem = Problem::new(kind, "as asked for");
    problem.status = Some(status);
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for (name, fault) in PLAIN {
            assert_eq!(fault.to_string(), *name);
            assert_eq!(read(name).unwrap().to_string(), *name);
        }
        for text in [
            "chain:foreign-key",
            "fail:503",
            "html:502",
            "problem:caa",
            "rate-limited:7",
            "retry-after-date:60",
            "retry-after-text:soon",
            "slow-body:20",
        ] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |text: &str, part: &str| {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        check("nonsense", "bad-nonce, ");
        check("nonsense:1", "no fault \"nonsense\"");
        check("fail:99", "fail:STATUS");
        check("chain:gold", "foreign-key");
        check("slow-body:long", "slow-body:MILLISECONDS");
    }
}
