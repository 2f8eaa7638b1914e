//! G: commits that only the holder of a lease can make.

use std::pin::pin;

use futures_util::future::join;
use tokio::time::timeout;

use super::ground::{
    Check, Ground, Halt, Handle, Made, check, commit, current, ensure, give_up_after, granted, key,
    list, one_record_only, put, put_op, value,
};
use crate::{Capabilities, CommitError, Expect, Guard, Lease, Op};

pub(super) const CHECKS: &[Check] = &[
    check!(
        "G1",
        "a holder that was stopped too long is fenced",
        stopped
    ),
    check!(
        "G1-late",
        "a holder that comes late is fenced, whoever has the lease",
        late
    ),
    check!("G2", "lease and versions are both judged", both),
    check!("G3", "a killed commit is all or nothing", killed),
    check!(
        "G3-refused",
        "a refused commit writes nothing",
        all_or_nothing
    ),
    check!("G4", "of two holders one publishes", one_publication),
    check!("G5", "a lease of elsewhere guards nothing", foreign),
    check!("G6", "what is committed was so before the release", ordered),
];

fn is_fenced(store: &Handle, result: &Result<(), CommitError>) -> bool {
    match store.capabilities().guard {
        Guard::Atomic => matches!(result, Err(CommitError::Fenced)),
        // Another has written: the version says so, if the lease does not.
        Guard::RecordCas => {
            matches!(
                result,
                Err(CommitError::Fenced | CommitError::Conflict { .. })
            )
        }
    }
}

#[cfg(unix)]
async fn stopped(ground: Ground) -> Made {
    let mut helper = super::child::Helper::start(&ground)?;
    let store = ground.open().await?;
    put(&store, "cert", "0", Expect::Absent).await?;
    helper.ask("read cert", "read").await?;
    helper
        .ask(
            &format!("acquire job stopped {}", ground.ttl().as_millis()),
            "granted",
        )
        .await?;
    helper.stop()?;
    let limit = ground.ttl() + ground.bound();
    let lease = ground.granted_within(&store, "job", limit).await?;
    let seen = current(&store, "cert").await?;
    commit(&store, &lease, "cert", "b", seen).await??;
    helper.go_on()?;
    let said = helper.say("commit cert a").await?;
    let fenced = match store.capabilities().guard {
        Guard::Atomic => said == "fenced",
        Guard::RecordCas => said == "fenced" || said == "conflict",
    };
    ensure!(
        fenced,
        "a stopped holder came back, and its commit was {said}"
    );
    if store.capabilities().guard == Guard::Atomic {
        helper.ask("read cert", "read").await?;
        let said = helper.say("commit cert a").await?;
        ensure!(
            said == "fenced",
            "with the right version its commit was {said}"
        );
    }
    helper.ask("renew", "lost").await?;
    helper.ask("release", "lost").await?;
    ensure!(
        value(&store, "cert").await?.as_deref() == Some("b"),
        "a stopped holder has written"
    );
    let lease = store.renew(&lease).await?;
    Ok(store.release(lease).await?)
}

#[cfg(unix)]
async fn killed(ground: Ground) -> Made {
    let store = ground.open().await?;
    if store.capabilities().guard != Guard::Atomic {
        return Err(one_record_only());
    }
    drop(store);
    for round in 0..10_u32 {
        let mut helper = super::child::Helper::start(&ground)?;
        helper
            .ask(&format!("acquire job{round} killed 600000"), "granted")
            .await?;
        helper.send("batches left right").await?;
        // Some at once, some in the middle of their work.
        for _ in 0..=round * 3 {
            helper.expect("committed").await?;
        }
        helper.kill();
        let store = ground.open().await?;
        let (left, right) = (value(&store, "left").await?, value(&store, "right").await?);
        ensure!(
            left.is_some() && left == right,
            "half a commit: {left:?} and {right:?}"
        );
    }
    Ok(())
}

#[cfg(not(unix))]
async fn stopped(_: Ground) -> Made {
    Err(super::ground::missing("helper"))
}

#[cfg(not(unix))]
async fn killed(_: Ground) -> Made {
    Err(super::ground::missing("helper"))
}

async fn late(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    if store.capabilities().guard != Guard::Atomic {
        return Err(one_record_only());
    }
    let former = granted(&store, "job", "a", ground.ttl()).await?;
    ground.pass(ground.ttl() + ground.ttl() / 10).await;
    // Even before anybody else has it.
    let tried = commit(&store, &former, "cert", "a", Expect::Absent).await?;
    ensure!(
        is_fenced(&store, &tried),
        "a lease that has ended: {tried:?}"
    );
    let lease = ground.granted_within(&other, "job", ground.bound()).await?;
    let tried = commit(&store, &former, "cert", "a", Expect::Absent).await?;
    ensure!(
        is_fenced(&store, &tried),
        "a lease that another has: {tried:?}"
    );
    commit(&other, &lease, "cert", "b", Expect::Absent).await??;
    let seen = current(&store, "cert").await?;
    let tried = commit(&store, &former, "cert", "a", seen).await?;
    ensure!(
        is_fenced(&store, &tried),
        "the right version, the wrong lease: {tried:?}"
    );
    let delete = Op::Delete {
        key: key("cert")?,
        version: version_of(&store, "cert").await?,
    };
    let tried = store.commit(&former, vec![delete]).await.map(drop);
    ensure!(
        is_fenced(&store, &tried),
        "a former holder's delete: {tried:?}"
    );
    ensure!(
        value(&other, "cert").await?.as_deref() == Some("b"),
        "a former holder has written"
    );
    Ok(())
}

async fn version_of(store: &Handle, name: &str) -> Result<crate::Version, Halt> {
    match current(store, name).await? {
        Expect::Version(version) => Ok(version),
        Expect::Absent => Err(Halt::Failed(format!("{name} is gone"))),
    }
}

async fn both(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let lease = granted(&store, "job", "a", ground.bound() * 100).await?;
    let first = put(&store, "cert", "1", Expect::Absent).await?;
    let second = put(&other, "cert", "2", first.clone()).await?;
    let delete = Op::Delete {
        key: key("cert")?,
        version: first.clone(),
    };
    let tried = store.commit(&lease, vec![delete]).await;
    let told = matches!(&tried, Err(CommitError::Conflict { key }) if key.as_str() == "cert");
    ensure!(told, "a delete of a stale version: {tried:?}");
    for stale in [Expect::Absent, first.into()] {
        let tried = commit(&store, &lease, "cert", "a", stale).await?;
        let told = matches!(&tried, Err(CommitError::Conflict { key }) if key.as_str() == "cert");
        ensure!(told, "a stale version under a good lease: {tried:?}");
    }
    ensure!(
        value(&other, "cert").await?.as_deref() == Some("2"),
        "a stale commit has written"
    );
    commit(&store, &lease, "cert", "3", second).await??;
    let nothing = store.commit(&lease, Vec::new()).await?;
    ensure!(nothing.is_empty(), "a commit of nothing gave {nothing:?}");
    let seen = current(&other, "cert").await?;
    store.release(lease.clone()).await?;
    let tried = store.commit(&lease, Vec::new()).await;
    ensure!(
        matches!(tried, Err(CommitError::Fenced)),
        "a commit of nothing under a lease that was given back: {tried:?}"
    );
    let tried = commit(&store, &lease, "cert", "4", seen).await?;
    let fenced = matches!(tried, Err(CommitError::Fenced));
    ensure!(
        fenced,
        "a good version under a lease that was given back: {tried:?}"
    );
    ensure!(
        value(&other, "cert").await?.as_deref() == Some("3"),
        "a fenced commit has written"
    );
    Ok(())
}

async fn all_or_nothing(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let lease = granted(&store, "job", "a", ground.bound() * 100).await?;
    let Capabilities {
        max_batch,
        max_value,
        ..
    } = store.capabilities();
    let mut many = Vec::new();
    for at in 0..=max_batch {
        many.push(put_op(&format!("m{at}"), "", Expect::Absent)?);
    }
    let tried = store.commit(&lease, many).await;
    let told = matches!(tried, Err(CommitError::TooMany { limit }) if limit == max_batch);
    ensure!(told, "more operations than allowed: {tried:?}");
    let large = vec![put_op("large", &"x".repeat(max_value + 1), Expect::Absent)?];
    let tried = store.commit(&lease, large).await;
    ensure!(
        matches!(tried, Err(CommitError::TooLarge { .. })),
        "a large value: {tried:?}"
    );
    ensure!(
        list(&other, "", 10).await?.is_empty(),
        "a refused commit has written"
    );
    if max_batch < 2 {
        return Err(one_record_only());
    }
    batches(&store, &other, &lease).await
}

async fn batches(store: &Handle, other: &Handle, lease: &Lease) -> Made {
    let all = |text, expected: [Expect; 2]| -> Result<_, Halt> {
        let [a, b] = expected;
        Ok(vec![put_op("a", text, a)?, put_op("b", text, b)?])
    };
    let absent = [Expect::Absent, Expect::Absent];
    let versions = store.commit(lease, all("1", absent)?).await?;
    let [Some(a), Some(b)] = &versions[..] else {
        return Err(Halt::Failed(format!(
            "two puts have the versions {versions:?}"
        )));
    };
    ensure!(
        current(other, "b").await? == b.clone().into(),
        "a commit gave a wrong version"
    );
    let stale = all("2", [a.clone().into(), a.clone().into()])?;
    let tried = store.commit(lease, stale).await;
    let told = matches!(&tried, Err(CommitError::Conflict { key }) if key.as_str() == "b");
    ensure!(told, "one of two versions is stale: {tried:?}");
    let twice = vec![
        put_op("c", "1", Expect::Absent)?,
        put_op("c", "2", Expect::Absent)?,
    ];
    let tried = store.commit(lease, twice).await;
    let told = matches!(tried, Err(CommitError::Conflict { .. }));
    ensure!(told, "one key comes twice, which is a conflict: {tried:?}");
    ensure!(
        value(other, "a").await?.as_deref() == Some("1"),
        "half a refused commit was made"
    );
    ensure!(
        value(other, "c").await?.is_none(),
        "half a refused commit was made"
    );
    let delete = Op::Delete {
        key: key("b")?,
        version: b.clone(),
    };
    let ops = vec![put_op("a", "2", a.clone())?, delete];
    let versions = store.commit(lease, ops).await?;
    ensure!(
        matches!(versions[..], [Some(_), None]),
        "put and delete gave {versions:?}"
    );
    ensure!(
        value(other, "a").await?.as_deref() == Some("2"),
        "a commit has not put"
    );
    ensure!(
        value(other, "b").await?.is_none(),
        "a commit has not deleted"
    );
    Ok(())
}

async fn one_publication(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    for (round, former_first) in [true, false].into_iter().enumerate() {
        let (job, cert) = (format!("job{round}"), format!("cert{round}"));
        put(&store, &cert, "0", Expect::Absent).await?;
        let former = granted(&store, &job, "a", ground.ttl()).await?;
        let seen = current(&store, &cert).await?;
        let limit = ground.ttl() + ground.bound();
        let lease = ground.granted_within(&other, &job, limit).await?;
        ensure!(
            seen == current(&other, &cert).await?,
            "a record changed by itself"
        );
        let mut published = Vec::new();
        for is_former in [former_first, !former_first] {
            let made = if is_former {
                commit(&store, &former, &cert, "a", seen.clone()).await?
            } else {
                commit(&other, &lease, &cert, "b", seen.clone()).await?
            };
            match made {
                Ok(()) => published.push(if is_former { "a" } else { "b" }),
                Err(CommitError::Fenced) if is_former => {}
                Err(CommitError::Conflict { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        ensure!(
            published.len() == 1,
            "the former and the new holder: {published:?} published"
        );
        let found = value(&store, &cert).await?;
        ensure!(found.as_deref() == Some(published[0]), "{found:?} is there");
    }
    Ok(())
}

async fn foreign(ground: Ground) -> Made {
    let (here, there) = (ground.open().await?, ground.other().open().await?);
    let long = ground.bound() * 100;
    let lease = granted(&there, "job", "a", long).await?;
    let fenced = |what: &str, tried: Result<(), CommitError>| {
        let fenced = matches!(tried, Err(CommitError::Fenced));
        ensure!(fenced, "{what}: {tried:?}");
        Ok(())
    };
    let tried = commit(&here, &lease, "cert", "a", Expect::Absent).await?;
    fenced("a lease of another namespace", tried)?;
    granted(&here, "job", "a", long).await?;
    let tried = commit(&here, &lease, "cert", "a", Expect::Absent).await?;
    fenced(
        "a lease of another namespace, of a name that is held",
        tried,
    )?;
    let sent = lease.sent();
    let (name, owner) = (lease.name().clone(), lease.owner().clone());
    let made_up = Lease::new(name, owner, 1, [0; Lease::NONCE_LENGTH], sent, long);
    let tried = commit(&here, &made_up, "cert", "a", Expect::Absent).await?;
    fenced("a lease that was made up", tried)?;
    ensure!(
        value(&here, "cert").await?.is_none(),
        "a fenced commit has written"
    );
    Ok(())
}

/// The lease is judged when the records are written, not before: whatever is still on
/// its way when the lease is given back is fenced.
async fn ordered(ground: Ground) -> Made {
    let [store, other, third] = ground.three().await?;
    let capabilities = store.capabilities();
    if capabilities.guard != Guard::Atomic {
        return Err(one_record_only());
    }
    if !capabilities.staleness.is_zero() {
        let reason = "what a reader sees may be of before".to_owned();
        return Err(Halt::Skipped(reason));
    }
    for steps in 1..=8 {
        let lease = granted(&store, "job", "a", ground.bound() * 100).await?;
        let seen = current(&store, "cert").await?;
        let mut making = pin!(commit(&store, &lease, "cert", "a", seen));
        let made = give_up_after(steps, making.as_mut()).await;
        // The committer stands still from here on.
        let mut releasing = pin!(async {
            other.release(lease.clone()).await?;
            current(&third, "cert").await
        });
        let (seen, made) = match made {
            Some(made) => (releasing.await, made),
            None => match timeout(ground.bound() / 10, releasing.as_mut()).await {
                Ok(seen) => (seen, making.await),
                // A release may have to wait for a commit that has begun.
                Err(_) => join(releasing, making).await,
            },
        };
        let (seen, made) = (seen?, made?);
        let now = current(&third, "cert").await?;
        let fenced = matches!(made, Err(CommitError::Fenced));
        ensure!(made.is_ok() || fenced, "a commit gave {made:?}");
        ensure!(
            now == seen,
            "a commit that stood still after {steps} steps has written when the lease was \
             given back"
        );
    }
    Ok(())
}
