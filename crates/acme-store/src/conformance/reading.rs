//! R: what a read sees, and what a restart leaves.

use std::time::Duration;

use super::ground::{
    Check, Ground, Halt, Handle, Made, check, commit, ensure, failed, granted, key, list, missing,
    put, value,
};
use crate::Expect;

pub(super) const CHECKS: &[Check] = &[
    check!(
        "R1",
        "a write that returned is read, by every handle",
        read_your_write
    ),
    check!("R2", "a write that returned survives a restart", survives),
];

async fn read_your_write(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let mut expected = Expect::Absent;
    for round in 0..50 {
        let text = round.to_string();
        let version = put(&store, "k", &text, expected).await?;
        let read = value(&store, "k").await?;
        ensure!(
            read.as_deref() == Some(&*text),
            "the writer reads {read:?} for {text}"
        );
        seen_by(&ground, &other, &text).await?;
        let listed = list(&other, "k", 10).await?;
        ensure!(
            listed == [(key("k")?, version.clone())],
            "another handle lists {listed:?}"
        );
        expected = version.into();
    }
    Ok(())
}

/// Another handle sees it, at once or within what the store has declared.
async fn seen_by(ground: &Ground, other: &Handle, text: &str) -> Made {
    let staleness = other.capabilities().staleness;
    let mut passed = Duration::ZERO;
    loop {
        let read = value(other, "k").await?;
        if read.as_deref() == Some(text) {
            return Ok(());
        }
        ensure!(
            passed < staleness,
            "another handle reads {read:?} for {text}"
        );
        let step = staleness / 10;
        ground.pass(step).await;
        passed += step;
    }
}

async fn survives(ground: Ground) -> Made {
    let restart = ground
        .hooks()
        .restart
        .clone()
        .ok_or_else(|| missing("restart"))?;
    let store = ground.open().await?;
    let kept = put(&store, "kept", "1", Expect::Absent).await?;
    let changed = put(&store, "changed", "1", Expect::Absent).await?;
    put(&store, "changed", "2", changed).await?;
    let gone = put(&store, "gone", "1", Expect::Absent).await?;
    store.delete(&key("gone")?, gone).await?;
    let lease = granted(&store, "job", "a", ground.ttl()).await?;
    commit(&store, &lease, "committed", "1", Expect::Absent).await??;
    drop(store);
    restart(ground.namespace.clone())
        .await
        .map_err(failed("the hook `restart`"))?;
    let store = ground.open().await?;
    for (name, expected) in [
        ("kept", Some("1")),
        ("changed", Some("2")),
        ("gone", None),
        ("committed", Some("1")),
    ] {
        let found = value(&store, name).await?;
        ensure!(
            found.as_deref() == expected,
            "{name} is {found:?}, not {expected:?}"
        );
    }
    let listed = list(&store, "", 10).await?;
    ensure!(listed.len() == 3, "listed are {listed:?}");
    put(&store, "kept", "2", kept)
        .await
        .map_err(|halt| match halt {
            Halt::Failed(reason) => Halt::Failed(format!("a version from before: {reason}")),
            other => other,
        })?;
    Ok(())
}
