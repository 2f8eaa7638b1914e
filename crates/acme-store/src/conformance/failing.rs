//! F: what a store says when it cannot answer.

use std::time::Duration;

use super::{
    ground::{
        Check, Ground, Halt, Handle, Made, acquire, check, commit, ensure, failed, granted, key,
        list, missing, node, prefix, put, value, within,
    },
    lives,
    suite::BoxError,
    unanswered,
};
use crate::{CommitError, Expect, LeaseError, Life, RecordError, WriteError};

pub(super) const CHECKS: &[Check] = &[
    check!("F1", "down is not missing", outage),
    check!("F2", "what takes too long is unavailable", unanswered::hung),
    check!("F3", "a damaged record stands alone", damaged),
    check!(
        "F4",
        "wrong credentials are denied, and no secret shows",
        intruder
    ),
    check!("F5", "connections come back, and do not add up", reconnects),
    check!(
        "F6",
        "ephemeral records end, durable ones do not",
        lives::ephemeral
    ),
    check!(
        "F7",
        "a lost answer is neither a refusal nor a failure",
        unanswered::lost
    ),
    check!(
        "F8",
        "the last writing says how long a record lives",
        lives::last_counts
    ),
];

async fn outage(ground: Ground) -> Made {
    let outage = ground
        .hooks()
        .outage
        .clone()
        .ok_or_else(|| missing("outage"))?;
    let store = ground.open().await?;
    let version = put(&store, "k", "1", Expect::Absent).await?;
    let lease = granted(&store, "job", "a", ground.bound() * 100).await?;
    let set = |down| {
        let done = outage((ground.namespace.clone(), down));
        async move { done.await.map_err(failed("the hook `outage`")) }
    };
    set(true).await?;
    let asked = all_unavailable(&store, &version, &lease).await;
    set(false).await?;
    asked?;
    let back = within(&ground, || value(&store, "k")).await?;
    ensure!(
        back.as_deref() == Some("1"),
        "after the outage the record is gone"
    );
    let found = value(&store, "new").await?;
    ensure!(found.is_none(), "what was refused in the outage was done");
    Ok(())
}

async fn all_unavailable(store: &Handle, version: &crate::Version, lease: &crate::Lease) -> Made {
    let down = |what: &str, error: Option<RecordError>| {
        let told = matches!(error, Some(RecordError::Unavailable { .. }));
        ensure!(told, "while it is down, {what} gives {error:?}");
        Ok(())
    };
    for name in ["k", "missing"] {
        down("to get", store.get(&key(name)?).await.err())?;
    }
    down("to list", store.list(&prefix("")?, None, 10).await.err())?;
    let new = key("new")?;
    let put = store
        .put(&new, "".into(), Expect::Absent, Life::Durable)
        .await;
    down("to put", written(put.err()))?;
    let deleted = store.delete(&key("k")?, version.clone()).await;
    down("to delete", written(deleted.err()))?;
    let asked = store
        .acquire(&key("other")?, &node("a")?, Duration::from_secs(1))
        .await;
    down("to acquire", asked.err())?;
    down("to renew", leased(store.renew(lease).await.err()))?;
    let released = store.release(lease.clone()).await;
    down("to release", leased(released.err()))?;
    match commit(store, lease, "new", "", Expect::Absent).await? {
        Err(CommitError::Store(error)) => down("to commit", Some(error)),
        other => Err(Halt::Failed(format!(
            "while it is down, to commit gives {other:?}"
        ))),
    }
}

pub(super) fn written(error: Option<WriteError>) -> Option<RecordError> {
    match error {
        Some(WriteError::Store(error)) => Some(error),
        _ => None,
    }
}

fn leased(error: Option<LeaseError>) -> Option<RecordError> {
    match error {
        Some(LeaseError::Store(error)) => Some(error),
        _ => None,
    }
}

async fn damaged(ground: Ground) -> Made {
    let damage = ground
        .hooks()
        .damage
        .clone()
        .ok_or_else(|| missing("damage"))?;
    let store = ground.open().await?;
    for name in ["a", "b", "c", "d"] {
        put(&store, name, "1", Expect::Absent).await?;
    }
    for name in ["b", "c"] {
        let done = damage((ground.namespace.clone(), key(name)?)).await;
        done.map_err(failed("the hook `damage`"))?;
    }
    let fresh = ground.open().await?;
    for handle in [&store, &fresh] {
        for name in ["b", "c"] {
            let got = handle.get(&key(name)?).await;
            let told = matches!(&got, Err(RecordError::Corrupt { key }) if key.as_str() == name);
            ensure!(told, "a damaged record gives {got:?}");
        }
        for name in ["a", "d"] {
            let found = value(handle, name).await?;
            ensure!(
                found.as_deref() == Some("1"),
                "beside a damaged record, {name} is {found:?}"
            );
        }
    }
    let listed = list(&fresh, "", 10).await?;
    ensure!(
        listed.len() == 4,
        "with two damaged records {} of 4 are listed",
        listed.len()
    );
    let [_, (b, b_version), (c, c_version), _] = &listed[..] else {
        return Err(Halt::Failed("the listing changes".to_owned()));
    };
    put(&fresh, b.as_str(), "2", b_version.clone()).await?;
    ensure!(
        value(&store, "b").await?.as_deref() == Some("2"),
        "it was not replaced"
    );
    fresh.delete(c, c_version.clone()).await?;
    ensure!(value(&store, "c").await?.is_none(), "it was not deleted");
    Ok(())
}

async fn intruder(ground: Ground) -> Made {
    let (secrets, open) = ground
        .hooks()
        .intruder
        .clone()
        .ok_or_else(|| missing("intruder"))?;
    let store = ground.open().await?;
    put(&store, "k", "1", Expect::Absent).await?;
    let silent = |text: &str| {
        let shown = secrets.iter().any(|it| text.contains(it));
        ensure!(!shown, "an error or a `Debug` shows a secret");
        Ok(())
    };
    silent(&format!("{store:?}"))?;
    let intruder = match open(ground.namespace.clone()).await {
        Ok(intruder) => intruder,
        Err(error) => return silent(&full(&error)),
    };
    silent(&format!("{intruder:?}"))?;
    let got = intruder.get(&key("k")?).await;
    ensure!(
        matches!(got, Err(RecordError::Denied { .. })),
        "wrong credentials get {got:?}"
    );
    let listed = intruder.list(&prefix("")?, None, 10).await;
    let denied = matches!(listed, Err(RecordError::Denied { .. }));
    ensure!(denied, "wrong credentials list {listed:?}");
    let put = intruder
        .put(&key("new")?, "".into(), Expect::Absent, Life::Durable)
        .await;
    let denied = matches!(put, Err(WriteError::Store(RecordError::Denied { .. })));
    ensure!(denied, "wrong credentials put {put:?}");
    silent(&format!("{got:?} {listed:?} {put:?}"))?;
    if let (Err(got), Err(put)) = (got, put) {
        silent(&full(&got.into()))?;
        silent(&full(&put.into()))?;
    }
    ensure!(
        value(&store, "new").await?.is_none(),
        "wrong credentials have written"
    );
    Ok(())
}

/// All that an error can show.
fn full(error: &BoxError) -> String {
    let mut text = format!("{error:?} {error}");
    let mut cause = error.source();
    while let Some(it) = cause {
        text = format!("{text} {it:?} {it}");
        cause = it.source();
    }
    text
}

async fn reconnects(ground: Ground) -> Made {
    let outage = ground
        .hooks()
        .outage
        .clone()
        .ok_or_else(|| missing("outage"))?;
    let sessions = ground
        .hooks()
        .sessions
        .clone()
        .ok_or_else(|| missing("sessions"))?;
    let store = ground.open().await?;
    put(&store, "k", "1", Expect::Absent).await?;
    let count = || async {
        let count = sessions(ground.namespace.clone()).await;
        count.map_err(failed("the hook `sessions`"))
    };
    let before = count().await?;
    for _ in 0..10 {
        for down in [true, false] {
            let done = outage((ground.namespace.clone(), down)).await;
            done.map_err(failed("the hook `outage`"))?;
            if down {
                drop(store.get(&key("k")?).await);
                drop(acquire(&store, "job", "a", ground.ttl()).await);
            }
        }
        within(&ground, || value(&store, "k")).await?;
    }
    let after = count().await?;
    // A pool may have grown to its bound, but not with each outage.
    ensure!(
        after < before + 10,
        "10 outages made {after} sessions of {before}"
    );
    Ok(())
}
