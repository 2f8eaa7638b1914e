//! F: lives, and their ends.

use std::time::Duration;

use super::ground::{Ground, Handle, Made, ensure, granted, key, list, put, value};
use crate::{Expect, Life, Op, Version, WriteError};

pub(super) async fn ephemeral(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let life = Life::Ephemeral(ground.ttl());
    let short = key("short")?;
    let version = store.put(&short, "1".into(), Expect::Absent, life).await?;
    put(&store, "long", "1", Expect::Absent).await?;
    ensure!(
        value(&other, "short").await?.is_some(),
        "an ephemeral record ends at once"
    );
    let longer = Life::Ephemeral(ground.ttl() * 5);
    let renewed = key("renewed")?;
    let first = store
        .put(&renewed, "1".into(), Expect::Absent, life)
        .await?;
    store
        .put(&renewed, "2".into(), first.into(), longer)
        .await?;
    ground.pass(ground.ttl() * 2).await;
    ensure!(
        value(&other, "short").await?.is_none(),
        "an ephemeral record outlives its life"
    );
    ensure!(
        value(&other, "renewed").await?.is_some(),
        "a record ends before its life"
    );
    let listed = list(&other, "", 10).await?;
    ensure!(listed.len() == 2, "of two records, {listed:?} are listed");
    let late = store
        .put(&short, "2".into(), version.clone().into(), life)
        .await;
    let told = matches!(late, Err(WriteError::Conflict));
    ensure!(told, "a put over a record that has ended gives {late:?}");
    let again = store.put(&short, "2".into(), Expect::Absent, life).await?;
    ensure!(again != version, "a version was given again");
    ground.pass(ground.ttl() * 5).await;
    ensure!(
        value(&other, "long").await?.as_deref() == Some("1"),
        "a durable record has ended"
    );
    Ok(())
}

async fn put_for(
    store: &Handle,
    name: &str,
    expected: Expect,
    life: Life,
) -> Result<Version, super::ground::Halt> {
    Ok(store.put(&key(name)?, "1".into(), expected, life).await?)
}

/// Whether the writing before it was for longer, or for less: it does not matter any more.
pub(super) async fn last_counts(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let short = Life::Ephemeral(ground.ttl());
    // A span of no end is as long as the store can count.
    let endless = Life::Ephemeral(Duration::MAX);

    put_for(&store, "endless", Expect::Absent, endless).await?;
    let first = put_for(&store, "kept", Expect::Absent, short).await?;
    put_for(&store, "kept", first.into(), Life::Durable).await?;
    let first = put_for(&store, "ends", Expect::Absent, Life::Durable).await?;
    put_for(&store, "ends", first.into(), short).await?;

    // A commit says it as a put does.
    let lease = granted(&store, "job", "a", ground.ttl() * 100).await?;
    let first = put_for(&store, "kept by a commit", Expect::Absent, short).await?;
    for (name, expected, life) in [
        ("ended by a commit", Expect::Absent, short),
        ("kept by a commit", first.into(), Life::Durable),
    ] {
        let op = Op::Put {
            key: key(name)?,
            value: "1".into(),
            expected,
            life,
        };
        store.commit(&lease, vec![op]).await?;
    }
    ground.pass(ground.ttl() * 2).await;
    for name in ["ends", "ended by a commit"] {
        let ended = value(&other, name).await?.is_none();
        ensure!(ended, "{name:?} outlives what was last said");
    }
    for name in ["endless", "kept", "kept by a commit"] {
        let kept = value(&other, name).await?.is_some();
        ensure!(kept, "{name:?} is gone before its end");
    }
    let listed = list(&other, "", 10).await?;
    ensure!(listed.len() == 3, "of three records, {listed:?} are listed");
    Ok(())
}
