//! How mutants commit.

use std::time::Duration;

use acme_store::{
    Acquired, CommitError, Expect, Key, Lease, Life, Op, RecordError, RecordEvent, RecordStore,
    Version,
};

use super::mutant::{Mutant, Mutation as M};

pub(super) async fn commit(
    mutant: &Mutant,
    guard: &Lease,
    ops: Vec<Op>,
) -> Result<Vec<Option<Version>>, CommitError> {
    let inner = mutant.inner();
    let name: Key = "the mutant's".parse().unwrap();
    let node = "mutant".parse().unwrap();
    let ttl = Duration::from_secs(1);
    match mutant.mutation {
        M::NoGuard => {
            let own = inner.acquire(&name, &node, ttl).await?;
            let Acquired::Granted(own) = own else {
                return Err(CommitError::Fenced);
            };
            let done = inner.commit(&own, ops).await;
            inner.release(own).await.unwrap();
            done
        }
        M::ForeignLeasesGuard if inner.renew(guard).await.is_err() => {
            // Whoever shows a lease of a name that is held is taken for its holder.
            let held = inner.acquire(guard.name(), &node, ttl).await?;
            if let Acquired::Granted(free) = held {
                inner.release(free).await.unwrap();
                return Err(CommitError::Fenced);
            }
            for op in ops {
                if let Op::Put {
                    key,
                    value,
                    expected,
                    life,
                } = op
                {
                    let _ = inner.put(&key, value, expected, life).await;
                }
            }
            Ok(vec![None])
        }
        M::GuardAlone | M::CommitIsBlind => {
            let mut blind = Vec::new();
            for op in ops {
                blind.push(match op {
                    Op::Put {
                        key, value, life, ..
                    } => {
                        let expected = mutant.current(&key).await;
                        Op::Put {
                            key,
                            value,
                            expected,
                            life,
                        }
                    }
                    delete => delete,
                });
            }
            if mutant.is(M::GuardAlone) {
                return inner.commit(guard, blind).await;
            }
            for op in blind {
                if let Op::Put {
                    key,
                    value,
                    expected,
                    life,
                } = op
                {
                    inner.put(&key, value, expected, life).await.unwrap();
                }
            }
            Ok(vec![None])
        }
        M::CommitOfNothingIsFree if ops.is_empty() => Ok(vec![]),
        M::CommitIsSilent => {
            let keys = ops.iter().map(|it| it.key().clone());
            mutant.shared.silent.lock().unwrap().extend(keys);
            inner.commit(guard, ops).await
        }
        M::RefusedCommitIsTold => {
            let first = ops.first().map(|it| it.key().clone());
            let made = inner.commit(guard, ops).await;
            if let (Some(key), Err(_)) = (first, &made) {
                let version = None;
                let _ = mutant
                    .shared
                    .extra
                    .send(RecordEvent::Changed { key, version });
            }
            made
        }
        M::CommitDeletesBlindly => {
            let mut blind = ops;
            for op in &mut blind {
                if let Op::Delete { key, version } = op
                    && let Expect::Version(now) = mutant.current(key).await
                {
                    *version = now;
                }
            }
            inner.commit(guard, blind).await
        }
        M::CommitsLiveForEver => {
            let mut durable = ops;
            for op in &mut durable {
                if let Op::Put { life, .. } = op {
                    *life = Life::Durable;
                }
            }
            inner.commit(guard, durable).await
        }
        M::GuardComesFirst => {
            inner.commit(guard, vec![]).await?;
            tokio::task::yield_now().await;
            let mut versions = Vec::new();
            for op in ops {
                if let Op::Put {
                    key,
                    value,
                    expected,
                    life,
                } = op
                {
                    let put = inner.put(&key, value, expected, life).await;
                    versions.push(Some(put.map_err(|it| it.in_commit(&key))?));
                }
            }
            Ok(versions)
        }
        M::LostAnswersAreFailures | M::LostWritesAreRepeated => {
            let again = ops.clone();
            match inner.commit(guard, ops).await {
                Err(CommitError::Store(RecordError::Unavailable { source, .. })) => {
                    if mutant.is(M::LostWritesAreRepeated) {
                        return inner.commit(guard, again).await;
                    }
                    let maybe_applied = false;
                    Err(CommitError::Store(RecordError::Unavailable {
                        maybe_applied,
                        source,
                    }))
                }
                result => result,
            }
        }
        M::CommitIsOneByOne => {
            let mut versions = Vec::new();
            for op in ops {
                versions.extend(inner.commit(guard, vec![op]).await?);
            }
            Ok(versions)
        }
        _ => inner.commit(guard, ops).await,
    }
}
