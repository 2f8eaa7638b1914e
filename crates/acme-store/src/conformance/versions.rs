//! V: conditional writes, and the versions they refer to.

use std::sync::Arc;

use super::{
    ground::{
        Check, Ground, Halt, Made, check, commit, current, ensure, give_up_after, granted, join,
        key, overwrite, put, refused, value,
    },
    mirror::Watcher,
};
use crate::{Expect, Life, Version, WriteError};

pub(super) const CHECKS: &[Check] = &[
    check!("V1", "of many who create, one does", one_creates),
    check!("V2", "a stale version does not put", stale_put),
    check!("V3", "a stale version does not delete", stale_delete),
    check!("V4", "a version does not come back", no_return),
    check!("V5", "equal bytes are another version", equal_bytes),
    check!("V6", "contended increments lose nothing", increments),
    check!("V7", "a refused write is no event", refused_is_silent),
    check!("V8", "who gives up a write holds nobody up", given_up),
];

async fn one_creates(ground: Ground) -> Made {
    let handles = ground.three().await?;
    let racers = (0..16).map(|at| {
        let store = Arc::clone(&handles[at % 3]);
        let racer: acme_messages::jose::BoxFuture<'static, _> = Box::pin(async move {
            let value = at.to_string().into();
            match store
                .put(&key("k")?, value, Expect::Absent, Life::Durable)
                .await
            {
                Ok(_) => Ok(Some(at)),
                Err(WriteError::Conflict) => Ok(None),
                Err(other) => Err(other.into()),
            }
        });
        racer
    });
    let won: Vec<_> = join(racers).await?.into_iter().flatten().collect();
    ensure!(won.len() == 1, "{} of 16 have created it", won.len());
    let found = value(&handles[0], "k").await?;
    ensure!(found == Some(won[0].to_string()), "the value is {found:?}");
    Ok(())
}

async fn stale_put(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let name = key("k")?;
    let first = put(&store, "k", "1", Expect::Absent).await?;
    let second = put(&other, "k", "2", first.clone()).await?;
    let foreign = Version::new(*b"no version of any store");
    for stale in [first.into(), Expect::Absent, foreign.clone().into()] {
        let what = format!("a put that expects {stale:?}");
        refused(
            &what,
            store.put(&name, "3".into(), stale, Life::Durable).await,
        )?;
    }
    let record = other.get(&name).await?;
    let kept = record.is_some_and(|it| it.value == "2" && it.version == second);
    ensure!(kept, "a refused put has changed the record");
    let missing = key("missing")?;
    let put = store.put(&missing, "".into(), foreign.into(), Life::Durable);
    refused("a put that expects a missing record", put.await)?;
    ensure!(
        value(&store, "missing").await?.is_none(),
        "a refused put has made a record"
    );
    Ok(())
}

async fn stale_delete(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let name = key("k")?;
    let first = put(&store, "k", "1", Expect::Absent).await?;
    let second = put(&other, "k", "2", first.clone()).await?;
    refused(
        "a delete with a stale version",
        store.delete(&name, first).await,
    )?;
    ensure!(
        value(&other, "k").await?.as_deref() == Some("2"),
        "a refused delete has deleted"
    );
    store.delete(&name, second.clone()).await?;
    ensure!(
        value(&other, "k").await?.is_none(),
        "a deleted record is there"
    );
    refused(
        "a delete of a missing record",
        other.delete(&name, second).await,
    )
}

async fn no_return(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let name = key("k")?;
    let mut seen = Vec::new();
    for _ in 0..20 {
        let version = put(&store, "k", "same", Expect::Absent).await?;
        ensure!(!seen.contains(&version), "a version was given again");
        for old in &seen {
            let late: Version = Version::clone(old);
            let put = other.put(&name, "late".into(), late.into(), Life::Durable);
            refused("a put with a version of before the delete", put.await)?;
        }
        other.delete(&name, version.clone()).await?;
        seen.push(version);
    }
    Ok(())
}

async fn equal_bytes(ground: Ground) -> Made {
    let store = ground.open().await?;
    let mut seen = vec![put(&store, "k", "same", Expect::Absent).await?];
    for _ in 0..20 {
        let expected = seen[seen.len() - 1].clone();
        let version = put(&store, "k", "same", expected).await?;
        ensure!(
            !seen.contains(&version),
            "equal bytes have an equal version"
        );
        seen.push(version);
    }
    Ok(())
}

async fn increments(ground: Ground) -> Made {
    let handles = ground.three().await?;
    put(&handles[0], "n", "0", Expect::Absent).await?;
    let writers = (0..8).map(|at| {
        let store = Arc::clone(&handles[at % 3]);
        let writer: acme_messages::jose::BoxFuture<'static, _> = Box::pin(async move {
            let name = key("n")?;
            let mut done = 0;
            while done < 25 {
                let gone = || Halt::Failed("the counter is gone".to_owned());
                let record = store.get(&name).await?.ok_or_else(gone)?;
                // Others come in between, even where nothing waits.
                tokio::task::yield_now().await;
                let number: u32 = std::str::from_utf8(&record.value)?.parse()?;
                let next = (number + 1).to_string().into();
                match store
                    .put(&name, next, record.version.into(), Life::Durable)
                    .await
                {
                    Ok(_) => done += 1,
                    Err(WriteError::Conflict) => tokio::task::yield_now().await,
                    Err(other) => return Err(other.into()),
                }
            }
            Ok(())
        });
        writer
    });
    join(writers).await?;
    let found = value(&handles[1], "n").await?;
    ensure!(
        found.as_deref() == Some("200"),
        "200 increments made {found:?}"
    );
    Ok(())
}

async fn refused_is_silent(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let name = key("k")?;
    let version = put(&store, "k", "1", Expect::Absent).await?;
    let stale = Version::new(*b"no version of any store");
    let mut watcher = Watcher::synced(&ground, &other, "").await?;
    for _ in 0..3 {
        let late = store
            .put(&name, "2".into(), Expect::Absent, Life::Durable)
            .await;
        refused("a put of what is there", late)?;
        let late = store
            .put(&name, "2".into(), stale.clone().into(), Life::Durable)
            .await;
        refused("a stale put", late)?;
        refused("a stale delete", store.delete(&name, stale.clone()).await)?;
    }
    // Whatever they have caused comes no later than the second of these.
    for (key, at) in watcher.until_marked(&store, "mark").await? {
        // That of before may come late.
        let silent = key != name || at.as_ref() == Some(&version);
        ensure!(silent, "a refused write was told");
    }
    Ok(())
}

async fn given_up(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let lease = granted(&store, "job", "a", ground.bound() * 100).await?;
    for steps in 1..=8 {
        for name in ["put", "committed"] {
            let seen = current(&store, name).await?;
            // Given up before the answer, and done or not.
            if name == "put" {
                let name = key(name)?;
                let put = store.put(&name, "given up".into(), seen, Life::Durable);
                drop(give_up_after(steps, put).await);
            } else {
                let made = commit(&store, &lease, name, "given up", seen);
                drop(give_up_after(steps, made).await);
            }
            overwrite(&ground, &other, name, "other").await?;
            // What the writer has left in its own handle is in nobody's way either.
            let version = overwrite(&ground, &store, name, "own").await?;
            let seen = current(&other, name).await?;
            ensure!(
                seen == version.into(),
                "{name} given up after {steps} steps: a later write is not seen"
            );
        }
    }
    let lease = store.renew(&lease).await?;
    Ok(store.release(lease).await?)
}
