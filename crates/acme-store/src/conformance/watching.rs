//! W: the watch is a hint that misses nothing.

use std::{collections::HashSet, sync::Arc, time::Duration};

use super::{
    ground::{
        Check, Ground, Halt, Made, check, commit, current, ensure, failed, granted, key, list,
        missing, put, put_op, within,
    },
    keys::ODD_KEYS,
    mirror::Watcher,
};
use crate::{Expect, Op, RecordEvent};

pub(super) const CHECKS: &[Check] = &[
    check!(
        "W1",
        "a watch begins with `Synced`, and sees all that follows",
        synced
    ),
    check!("W2", "each change is told", changes),
    check!("W3", "deletes are told", deletes),
    check!("W4", "what is elsewhere is not told", elsewhere),
    check!(
        "W5",
        "a lost connection is one `Resync`, and nothing is missed",
        disconnected
    ),
    check!(
        "W6",
        "who does not read is told to list, or everything",
        slow
    ),
    check!("W7", "a dropped watch holds nothing", dropped),
    check!(
        "W8",
        "versions do not go back without a `Resync`",
        no_regression
    ),
    check!("W9", "what a commit changes is told", committed),
    check!("W10", "a watch outlives an outage", outage),
];

/// Waits for what the engine does in its own time.
const PAUSE: Duration = Duration::from_millis(10);

async fn synced(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    put(&store, "before", "", Expect::Absent).await?;
    for round in 0..20 {
        let mut watcher = Watcher::synced(&ground, &other, "").await?;
        let name = format!("k{round}");
        put(&store, &name, "", Expect::Absent).await?;
        loop {
            match watcher.next().await? {
                RecordEvent::Changed { key, .. } if key.as_str() == name => break,
                RecordEvent::Changed { .. } => {}
                other => ensure!(false, "nothing was lost, and the watch told {other:?}"),
            }
        }
    }
    Ok(())
}

async fn changes(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let mut watcher = Watcher::synced(&ground, &other, "k").await?;
    let mut silent = HashSet::new();
    let mut made = ODD_KEYS.len();
    for at in 0..50 {
        let name = format!("k{at}");
        let version = put(&store, &name, "1", Expect::Absent).await?;
        made += 1;
        if at % 2 == 0 {
            put(&other, &name, "2", version).await?;
            made += 1;
        }
        silent.insert(key(&name)?);
    }
    for odd in ODD_KEYS {
        let name = format!("k{odd}");
        put(&store, &name, "1", Expect::Absent).await?;
        silent.insert(key(&name)?);
    }
    while !silent.is_empty() {
        match watcher.next().await {
            Ok(RecordEvent::Changed { key, .. }) => drop(silent.remove(&key)),
            Ok(other) => ensure!(
                false,
                "{made} changes that nobody has read yet are to be kept, and the watch told {other:?}"
            ),
            Err(_) => ensure!(false, "not told within {:?}: {silent:?}", ground.bound()),
        }
    }
    Ok(())
}

async fn deletes(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let version = put(&store, "k", "", Expect::Absent).await?;
    let mut watcher = Watcher::synced(&ground, &other, "").await?;
    store.delete(&key("k")?, version.clone()).await?;
    let told = watcher.until_marked(&store, "mark").await?;
    // An event with the version of before may be that of the put, come late.
    let told = told
        .iter()
        .any(|it| it.0.as_str() == "k" && it.1.as_ref() != Some(&version));
    ensure!(told, "a delete was not told");
    Ok(())
}

async fn elsewhere(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let there = ground.other().open().await?;
    let mut watcher = Watcher::synced(&ground, &other, "a/").await?;
    for name in ["b/1", "a", "A/1", "aa/1"] {
        let version = put(&store, name, "1", Expect::Absent).await?;
        put(&store, name, "2", version).await?;
    }
    put(&there, "a/1", "", Expect::Absent).await?;
    let told = watcher.until_marked(&store, "mark").await?;
    ensure!(told.is_empty(), "told was {told:?}");

    // They are bytes here too, and no patterns.
    let mut watchers = Vec::new();
    for below in ["a_", "a%", "a*", "a?", "a[b]", "a\\b"] {
        watchers.push((below, Watcher::synced(&ground, &other, below).await?));
    }
    for name in ["ab", "abc", "a\\", "a-", "ax/1"] {
        put(&store, name, "", Expect::Absent).await?;
    }
    for (below, mut watcher) in watchers {
        let told = watcher.until_marked(&store, "mark").await?;
        ensure!(told.is_empty(), "below {below:?}, told was {told:?}");
    }
    Ok(())
}

async fn disconnected(ground: Ground) -> Made {
    let disconnect = ground
        .hooks()
        .disconnect
        .clone()
        .ok_or_else(|| missing("disconnect"))?;
    let [store, other, _] = ground.three().await?;
    let lose = || async {
        let lost = disconnect(ground.namespace.clone()).await;
        lost.map_err(failed("the hook `disconnect`"))
    };

    // Nothing happens meanwhile.
    let mut watcher = Watcher::synced(&ground, &other, "").await?;
    lose().await?;
    let event = watcher.next().await?;
    ensure!(
        event == RecordEvent::Resync,
        "after a lost connection the watch told {event:?}"
    );
    watcher.until_marked(&store, "quiet").await?;
    ensure!(
        watcher.resyncs == 1,
        "one loss was told {} times",
        watcher.resyncs
    );

    // Somebody writes all the time.
    let mut watcher = Watcher::synced(&ground, &other, "").await?;
    let writer = Arc::clone(&store);
    let writing = tokio::spawn(async move {
        // Random enough: a step of a linear congruence.
        let mut random: u32 = 1;
        for _ in 0..1000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let name = format!("w{}", (random >> 16) % 50);
            match current(&writer, &name).await? {
                Expect::Version(version) if random & 0x8000_0000 != 0 => {
                    writer.delete(&key(&name)?, version).await?;
                }
                expected => drop(put(&writer, &name, "", expected).await?),
            }
        }
        put(&writer, "last", "", Expect::Absent).await
    });
    for _ in 0..3 {
        tokio::time::sleep(PAUSE).await;
        lose().await?;
    }
    let last = writing.await??;
    let end = put(&store, "end", "", Expect::Absent).await?;
    watcher.until_known("last", &last).await?;
    watcher.until_known("end", &end).await?;
    let there: Vec<_> = list(&store, "", 1000).await?;
    let known: Vec<_> = watcher.known.into_iter().collect();
    ensure!(known == there, "known is {known:?}, and there is {there:?}");
    Ok(())
}

async fn slow(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let mut watcher = Watcher::synced(&ground, &other, "").await?;
    let mut expected = Expect::Absent;
    for at in 0..ground.suite.changes {
        // Few keys, and now and then one that is new.
        if at % 1000 == 0 {
            put(&store, &format!("k{at}"), "", Expect::Absent).await?;
        }
        expected = put(&store, "busy", "", expected).await?.into();
    }
    let last = put(&store, "last", "", Expect::Absent).await?;
    watcher.until_known("last", &last).await?;
    let there: Vec<_> = list(&store, "", 1000).await?;
    let known: Vec<_> = watcher.known.into_iter().collect();
    ensure!(
        known == there,
        "known are {} records of {}",
        known.len(),
        there.len()
    );
    Ok(())
}

async fn dropped(ground: Ground) -> Made {
    let sessions = ground
        .hooks()
        .sessions
        .clone()
        .ok_or_else(|| missing("sessions"))?;
    let count = || async {
        let count = sessions(ground.namespace.clone()).await;
        count.map_err(failed("the hook `sessions`"))
    };
    let store = ground.open().await?;
    // What one watch opens for all may stay.
    drop(Watcher::synced(&ground, &store, "").await?);
    tokio::time::sleep(PAUSE).await;
    let before = count().await?;
    let mut watchers = Vec::new();
    for _ in 0..10 {
        watchers.push(Watcher::synced(&ground, &store, "").await?);
    }
    drop(watchers);
    let give_up = tokio::time::Instant::now() + ground.bound();
    loop {
        let now = count().await?;
        if now <= before {
            return Ok(());
        }
        if tokio::time::Instant::now() > give_up {
            return Err(Halt::Failed(format!("{before} sessions became {now}")));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn no_regression(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let mut watcher = Watcher::synced(&ground, &other, "").await?;
    let mut versions = Vec::new();
    let mut expected = Expect::Absent;
    for _ in 0..200 {
        let version = put(&store, "k", "", expected).await?;
        versions.push(version.clone());
        expected = version.into();
    }
    let mut newest = None;
    while newest != Some(versions.len() - 1) {
        match watcher.next().await? {
            RecordEvent::Changed {
                key,
                version: Some(version),
            } if key.as_str() == "k" => {
                let place = versions.iter().position(|it| *it == version);
                ensure!(
                    place.is_some(),
                    "a version was told that no writer was given"
                );
                ensure!(
                    place >= newest,
                    "a version was told again after a newer one"
                );
                newest = place;
            }
            RecordEvent::Changed { .. } => {
                // A store that cannot say the version tells the key.
                let now = current(&other, "k").await?;
                if Some(&now)
                    == versions
                        .last()
                        .map(|it| Expect::Version(it.clone()))
                        .as_ref()
                {
                    return Ok(());
                }
            }
            _ => newest = None,
        }
    }
    Ok(())
}

async fn committed(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let lease = granted(&store, "job", "a", ground.bound() * 100).await?;
    let mut watcher = Watcher::synced(&ground, &other, "").await?;
    commit(&store, &lease, "k", "1", Expect::Absent).await??;
    let told = watcher.until_marked(&store, "put").await?;
    let put = told.iter().any(|it| it.0.as_str() == "k");
    ensure!(put, "a record that a commit has put was not told");

    let Expect::Version(version) = current(&store, "k").await? else {
        return Err(Halt::Failed("a commit has written nothing".to_owned()));
    };
    let stale = commit(&store, &lease, "k", "2", Expect::Absent).await?;
    ensure!(stale.is_err(), "a stale version was committed");
    if store.capabilities().max_batch > 1 {
        let refused = vec![
            put_op("refused", "", Expect::Absent)?,
            put_op("k", "2", Expect::Absent)?,
        ];
        let refused = store.commit(&lease, refused).await;
        ensure!(refused.is_err(), "a stale version was committed");
    }
    let told = watcher.until_marked(&store, "refused mark").await?;
    let silent = told.iter().all(|it| it.1.as_ref() == Some(&version));
    ensure!(silent, "a refused commit was told: {told:?}");

    let name = key("k")?;
    let mut ops = vec![Op::Delete {
        key: name.clone(),
        version: version.clone(),
    }];
    let mut gone = vec![(name, Some(version))];
    if store.capabilities().max_batch > 1 {
        ops.push(put_op("beside", "1", Expect::Absent)?);
        gone.push((key("beside")?, None));
    }
    store.commit(&lease, ops).await?;
    let told = watcher.until_marked(&store, "both").await?;
    for (name, before) in gone {
        let told = told
            .iter()
            .any(|it| it.0 == name && (before.is_none() || it.1 != before));
        ensure!(told, "what a commit has done to {name} was not told");
    }
    Ok(())
}

async fn outage(ground: Ground) -> Made {
    let outage = ground
        .hooks()
        .outage
        .clone()
        .ok_or_else(|| missing("outage"))?;
    let [store, other, _] = ground.three().await?;
    let mut watcher = Watcher::synced(&ground, &other, "").await?;
    let before = put(&store, "before", "", Expect::Absent).await?;
    watcher.until_known("before", &before).await?;
    let set = |down| {
        let done = outage((ground.namespace.clone(), down));
        async move { done.await.map_err(failed("the hook `outage`")) }
    };
    set(true).await?;
    let mut late = Watcher::new(&ground, &other, "")?;
    // Long enough for several attempts that fail.
    let failing = ground.bound() / 10;
    let meanwhile = futures_util::future::join(watcher.pass(failing), late.pass(failing)).await;
    set(false).await?;
    meanwhile.0?;
    meanwhile.1?;
    let version = within(&ground, || put(&store, "after", "", Expect::Absent)).await?;
    // Each handle has its own connection to find broken.
    within(&ground, || current(&other, "before")).await?;
    watcher.until_known("after", &version).await?;
    late.until_known("after", &version).await?;
    let end = put(&store, "end", "", Expect::Absent).await?;
    for mut watcher in [watcher, late] {
        watcher.until_known("end", &end).await?;
        let there = list(&store, "", 10).await?;
        let known: Vec<_> = watcher.known.into_iter().collect();
        ensure!(
            known == there,
            "after an outage known is {known:?}, and there is {there:?}"
        );
    }
    Ok(())
}
