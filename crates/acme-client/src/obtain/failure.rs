//! Why an order came to nothing, in the CA's own words.

use acme_messages::{self as messages, AuthorizationStatus, Problem, ProblemType};

use crate::{Error, ErrorKind, Operation, Order};

/// Finds out why an order became invalid: its authorizations know.
pub(super) async fn explain(order: &Order) -> Error {
    match why(order).await {
        Some(reason) => reason,
        None => order_failed(order),
    }
}

/// What the authorizations say that are neither valid nor pending without a fault.
pub(super) async fn why(order: &Order) -> Option<Error> {
    let mut failed = Vec::new();
    for url in &order.state().authorizations {
        if let Ok(authorization) = order.authorization(url).await
            && has_failed(authorization.state())
        {
            failed.push(authorization);
        }
    }
    let failed: Vec<_> = failed.iter().map(crate::Authorization::state).collect();
    (!failed.is_empty()).then(|| authorization_failed(&failed))
}

fn has_failed(authorization: &messages::Authorization) -> bool {
    match authorization.status {
        AuthorizationStatus::Valid => false,
        AuthorizationStatus::Pending => {
            authorization.challenges.iter().any(|it| it.error.is_some())
        }
        _ => true,
    }
}

pub(crate) fn authorization_failed(failed: &[&messages::Authorization]) -> Error {
    let mut problems: Vec<Problem> = Vec::new();
    for authorization in failed {
        let errors = authorization.challenges.iter();
        for mut problem in errors.filter_map(|it| it.error.clone()) {
            problem.identifier = Some(authorization.identifier.clone());
            problems.push(problem);
        }
    }
    let names: Vec<_> = failed
        .iter()
        .map(|it| match it.status {
            AuthorizationStatus::Pending => {
                format!("a challenge for {} has failed", it.identifier.value)
            }
            _ => format!("{} is {}", it.identifier.value, it.status),
        })
        .collect();
    let error = Error::new(ErrorKind::AuthorizationFailed, Operation::Authorization)
        .with_detail(names.join(", "));
    match problems.len() {
        0 => error,
        1 => error.with_problem(problems.remove(0)),
        _ => {
            let mut all = Problem::new(ProblemType::Compound, "several names failed");
            all.subproblems = problems;
            error.with_problem(all)
        }
    }
}

pub(super) fn order_failed(order: &Order) -> Error {
    let error = Error::new(ErrorKind::OrderFailed, Operation::Order).with_url(order.url());
    match &order.state().error {
        Some(problem) => error.with_problem(problem.clone()),
        None => error.with_detail(format!("the order is {}", order.state().status)),
    }
}
