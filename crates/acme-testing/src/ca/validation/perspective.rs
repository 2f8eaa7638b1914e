//! Looks from several places, as CAs must take ([Baseline Requirements, section 3.2.2.9]).
//!
//! [Baseline Requirements, section 3.2.2.9]: https://cabforum.org/working-groups/server/baseline-requirements/requirements/

use acme_messages::ProblemType;
use tokio::task::JoinSet;

use super::{Look, Verdict};
use crate::ca::limits::MAX_PERSPECTIVES;

/// Looks from all places at once, and says what they came to: the first must find what it looked
/// for, and of the others no more may fail than is tolerated.
pub(super) async fn agree(look: &Look) -> Verdict<()> {
    let config = look.config();
    let mut others = JoinSet::new();
    for place in 1..config.perspectives.min(MAX_PERSPECTIVES) {
        others.spawn(from(look, place).run());
    }
    let own = from(look, 0).run().await;
    let mut failures = Vec::new();
    while let Some(outcome) = others.join_next().await {
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => failures.push(problem),
            Err(_) => failures.push(look.problem(ProblemType::ServerInternal, "a look broke off")),
        }
    }
    own?;
    let tolerated = usize::try_from(config.tolerated_failures).unwrap_or(usize::MAX);
    if failures.len() <= tolerated {
        return Ok(());
    }
    let count = failures.len();
    let mut problem = failures.swap_remove(0);
    let detail = problem.detail.take().unwrap_or_default();
    problem.detail = Some(format!(
        "{detail} (so seen from {count} of the other places)"
    ));
    Err(problem)
}

fn from(look: &Look, place: u32) -> Look {
    let sources = &look.config().sources;
    let place = usize::try_from(place).unwrap_or_default();
    Look {
        source: place
            .checked_rem(sources.len())
            .and_then(|it| sources.get(it))
            .copied(),
        ..look.clone()
    }
}
