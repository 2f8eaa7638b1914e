//! T: leases.

use std::{
    collections::BTreeSet,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use acme_messages::jose::BoxFuture;
use futures_util::FutureExt;

use super::ground::{
    Check, Ground, Halt, Handle, Made, acquire, check, current, ensure, failed, give_up_after,
    granted, join, key, missing, node, one_record_only, value,
};
use crate::{Acquired, Expect, Guard, Lease, LeaseError, Life, Operation};

pub(super) const CHECKS: &[Check] = &[
    check!("T1", "one at a time has a lease", exclusion),
    check!("T2", "its owner cannot take it twice", no_reentry),
    check!(
        "T3",
        "a lease lasts while it is renewed, and then ends",
        renewal
    ),
    check!("T4", "a killed holder's lease ends with its span", killed),
    check!("T5", "epochs grow, and nonces differ", epochs),
    check!(
        "T5-restart",
        "nonces differ over a restart",
        nonces_over_restart
    ),
    check!("T6", "a former holder leaves the new one alone", former),
    check!("T7", "who stops asking leaves nothing behind", cancelled),
    check!("T8", "setting a clock changes nothing", clock_steps),
    check!("T9", "a lost answer is over with the span", lost_answer),
    check!(
        "T10",
        "what has ended is neither renewed nor released",
        ended
    ),
    check!("T11", "no span is too long", longest),
    check!(
        "T12",
        "who stands still while giving back leaves the new holder alone",
        stands_still
    ),
];

/// Longer than any check takes.
const LONG: Duration = Duration::from_secs(3600);

async fn exclusion(ground: Ground) -> Made {
    let handles = ground.three().await?;
    let taken = Arc::new(AtomicBool::new(false));
    let nodes = (0..6).map(|at| {
        let (store, taken) = (Arc::clone(&handles[at % 3]), Arc::clone(&taken));
        let node: BoxFuture<'static, _> = Box::pin(async move {
            for _ in 0..10 {
                let lease = loop {
                    match acquire(&store, "job", &format!("node{at}"), LONG).await? {
                        Acquired::Granted(lease) => break lease,
                        Acquired::Held { .. } => tokio::task::yield_now().await,
                    }
                };
                ensure!(
                    !taken.swap(true, Ordering::SeqCst),
                    "two have the lease at once"
                );
                tokio::task::yield_now().await;
                value(&store, "anything").await?;
                taken.store(false, Ordering::SeqCst);
                store.release(lease).await?;
            }
            Ok(())
        });
        node
    });
    join(nodes).await?;
    Ok(())
}

async fn no_reentry(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let lease = granted(&store, "job", "a", LONG).await?;
    ensure!(
        lease.owner() == &node("a")?,
        "the lease is {}'s",
        lease.owner()
    );
    for (handle, owner) in [(&store, "a"), (&store, "b"), (&other, "a"), (&other, "b")] {
        match acquire(handle, "job", owner, LONG).await? {
            Acquired::Held { owner, .. } => {
                ensure!(owner == node("a")?, "it is said to be held by {owner}");
            }
            Acquired::Granted(_) => ensure!(false, "{owner} was given a lease that is held"),
        }
    }
    granted(&other, "another job", "b", LONG).await?;
    ensure!(
        value(&store, "job").await?.is_none(),
        "a lease shows as a record"
    );
    let put = super::ground::put(&store, "job", "", Expect::Absent).await;
    ensure!(
        put.is_ok(),
        "a lease keeps a record of the same name from being put"
    );
    Ok(())
}

async fn renewal(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let (clock, ttl) = (Arc::clone(&ground.suite.clock), ground.ttl());
    let before = clock.monotonic();
    let first = granted(&store, "job", "a", ttl).await?;
    let after = clock.monotonic();
    ensure!(
        before + ttl <= first.deadline() && first.deadline() <= after + ttl,
        "its deadline is not its span after the asking"
    );
    let mut lease = first.clone();
    for _ in 0..6 {
        ground.pass(ttl / 2).await;
        let asked = acquire(&other, "job", "b", ttl).await?;
        ensure!(
            matches!(asked, Acquired::Held { .. }),
            "it ended though it was renewed"
        );
        let sent = clock.monotonic();
        lease = store.renew(&lease).await?;
        ensure!(
            lease.deadline() >= sent + ttl,
            "renewing has not moved the deadline"
        );
        let same = (lease.nonce(), lease.epoch()) == (first.nonce(), first.epoch());
        ensure!(same, "renewing made another lease");
    }
    let asked = acquire(&other, "job", "b", ttl).await?;
    ensure!(
        matches!(asked, Acquired::Held { .. }),
        "it ended though it was just renewed"
    );
    ends(&ground, &other, &lease).await
}

/// What nobody renews is granted to another, when its holder has stopped.
async fn ends(ground: &Ground, other: &Handle, lease: &Lease) -> Made {
    let limit = lease.ttl() + ground.bound();
    ground.granted_within(other, "job", limit).await?;
    // Two clocks of a machine may differ by a little.
    let left = lease.remaining(ground.suite.clock.monotonic());
    ensure!(
        left <= lease.ttl() / 20,
        "it ended {left:?} before its holder's deadline"
    );
    Ok(())
}

#[cfg(unix)]
async fn killed(ground: Ground) -> Made {
    let mut helper = super::child::Helper::start(&ground)?;
    let store = ground.open().await?;
    let ttl = ground.ttl();
    helper
        .ask(
            &format!("acquire job killed {}", ttl.as_millis()),
            "granted",
        )
        .await?;
    let asked = acquire(&store, "job", "b", ttl).await?;
    ensure!(
        matches!(asked, Acquired::Held { .. }),
        "a lease that is held was given"
    );
    helper.kill();
    ground
        .granted_within(&store, "job", ttl + ground.bound())
        .await?;
    Ok(())
}

#[cfg(not(unix))]
async fn killed(_: Ground) -> Made {
    Err(missing("helper"))
}

async fn epochs(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let mut nonces = BTreeSet::new();
    let mut epoch = None;
    for round in 0..10 {
        let handle = if round % 2 == 0 { &store } else { &other };
        let lease = granted(handle, "job", "a", LONG).await?;
        ensure!(nonces.insert(*lease.nonce()), "a nonce was given again");
        ensure!(
            epoch < Some(lease.epoch()),
            "{epoch:?} is followed by {}",
            lease.epoch()
        );
        epoch = Some(lease.epoch());
        handle.release(lease).await?;
    }
    Ok(())
}

async fn nonces_over_restart(ground: Ground) -> Made {
    let restart = ground
        .hooks()
        .restart
        .clone()
        .ok_or_else(|| missing("restart"))?;
    let mut nonces = BTreeSet::new();
    for _ in 0..3 {
        let store = ground.open().await?;
        let lease = ground
            .granted_within(&store, "job", ground.ttl() + ground.bound())
            .await?;
        ensure!(nonces.insert(*lease.nonce()), "a nonce was given again");
        store.release(lease).await?;
        drop(store);
        restart(ground.namespace.clone())
            .await
            .map_err(failed("the hook `restart`"))?;
    }
    Ok(())
}

async fn former(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let released = granted(&store, "job", "a", LONG).await?;
    store.release(released.clone()).await?;
    is_lost(&store, &released).await?;

    let late = granted(&store, "job", "a", ground.ttl()).await?;
    // The owner is the same, the lease is not.
    is_lost(&other, &released).await?;
    let asked = acquire(&other, "job", "b", ground.ttl()).await?;
    ensure!(
        matches!(asked, Acquired::Held { .. }),
        "a lease of before has ended its owner's new one"
    );
    let limit = ground.ttl() + ground.bound();
    let lease = ground.granted_within(&other, "job", limit).await?;
    is_lost(&store, &late).await?;
    is_lost(&store, &released).await?;
    let lease = other.renew(&lease).await;
    other.release(lease?).await?;
    Ok(())
}

async fn is_lost(store: &Handle, lease: &Lease) -> Made {
    let renewed = store.renew(lease).await;
    ensure!(
        matches!(renewed, Err(LeaseError::Lost)),
        "a former holder's renewal: {renewed:?}"
    );
    let released = store.release(lease.clone()).await;
    ensure!(
        matches!(released, Err(LeaseError::Lost)),
        "a former holder's release: {released:?}"
    );
    Ok(())
}

async fn cancelled(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let lease = granted(&store, "job", "a", LONG).await?;
    let (name, owner) = (key("job")?, node("gone")?);
    for _ in 0..20 {
        // Asked, and given up before the answer.
        drop(other.acquire(&name, &owner, ground.ttl()).now_or_never());
    }
    // What was on its way has come by now.
    for _ in 0..3 {
        value(&other, "anything").await?;
    }
    store.release(lease).await?;
    let limit = ground.ttl() + ground.bound();
    let lease = ground.granted_within(&store, "job", limit).await?;
    store.release(lease).await?;
    for _ in 0..20 {
        drop(other.acquire(&name, &owner, ground.ttl()).now_or_never());
    }
    ground.granted_within(&store, "job", limit).await?;
    Ok(())
}

async fn clock_steps(ground: Ground) -> Made {
    let set_wall = ground
        .hooks()
        .set_wall
        .clone()
        .ok_or_else(|| missing("set_wall"))?;
    let [store, other, _] = ground.three().await?;
    let mut lease = granted(&store, "job", "a", LONG).await?;
    let (name, life) = (key("life")?, Life::Ephemeral(LONG / 2));
    store.put(&name, "".into(), Expect::Absent, life).await?;
    for step in [3600, -7200, 3600] {
        set_wall(step)
            .await
            .map_err(failed("the hook `set_wall`"))?;
        let asked = acquire(&other, "job", "b", LONG).await?;
        ensure!(
            matches!(asked, Acquired::Held { .. }),
            "a step of {step} s has ended it"
        );
        let left = lease.remaining(ground.suite.clock.monotonic());
        ensure!(
            left > Duration::ZERO,
            "after a step of {step} s its holder gives it up"
        );
        lease = store.renew(&lease).await?;
        let Expect::Version(version) = current(&other, "life").await? else {
            return Err(Halt::Failed(format!(
                "a step of {step} s has ended an ephemeral record"
            )));
        };
        // One that begins by a clock that goes wrong.
        store.put(&name, "".into(), version.into(), life).await?;
    }
    store.release(lease).await?;
    let lease = granted(&store, "job", "a", ground.ttl()).await?;
    set_wall(-3600)
        .await
        .map_err(failed("the hook `set_wall`"))?;
    let ended = ends(&ground, &other, &lease).await;
    set_wall(3600)
        .await
        .map_err(failed("the hook `set_wall`"))?;
    ended
}

async fn lost_answer(ground: Ground) -> Made {
    let lose = ground
        .hooks()
        .lose_answer
        .clone()
        .ok_or_else(|| missing("lose_answer"))?;
    let [store, other, _] = ground.three().await?;
    // Whatever the first of them has to bring to the engine is there.
    granted(&store, "once", "a", ground.ttl()).await?;
    let lost = lose((ground.namespace.clone(), Operation::Acquire)).await;
    lost.map_err(failed("the hook `lose_answer`"))?;
    let asked = store.acquire(&key("job")?, &node("a")?, ground.ttl()).await;
    match asked {
        Err(error) if error.is_transient() => {}
        // A store may find out that it is its own.
        Ok(Acquired::Granted(lease)) => drop(store.renew(&lease).await?),
        other => ensure!(false, "the answer was lost, and {other:?} came"),
    }
    let limit = ground.ttl() + ground.bound();
    ground.granted_within(&other, "job", limit).await?;
    Ok(())
}

async fn ended(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    if store.capabilities().guard != Guard::Atomic {
        return Err(one_record_only());
    }
    let lease = granted(&store, "job", "a", ground.ttl()).await?;
    ground.pass(ground.ttl() + ground.ttl() / 10).await;
    // Nobody has taken it since.
    is_lost(&store, &lease).await?;
    is_lost(&other, &lease).await?;
    let next = ground.granted_within(&other, "job", ground.bound()).await?;
    ensure!(
        next.nonce() != lease.nonce(),
        "a lease that has ended is given again"
    );
    Ok(())
}

async fn longest(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let lease = granted(&store, "job", "a", Duration::MAX).await?;
    let asked = acquire(&other, "job", "b", ground.ttl()).await?;
    ensure!(
        matches!(asked, Acquired::Held { .. }),
        "the longest span has ended at once"
    );
    let lease = store.renew(&lease).await?;
    store.release(lease).await?;
    let lease = granted(&other, "job", "b", ground.ttl()).await?;
    Ok(other.release(lease).await?)
}

/// The lease is judged when it is changed, not before.
async fn stands_still(ground: Ground) -> Made {
    let [store, other, third] = ground.three().await?;
    for steps in 1..=3 {
        let lease = granted(&store, "job", "a", ground.ttl()).await?;
        let mut releasing = pin!(store.release(lease));
        if let Some(released) = give_up_after(steps, releasing.as_mut()).await {
            return Ok(released?);
        }
        let limit = ground.ttl() + ground.bound();
        ground.pass(ground.ttl()).await;
        let next = ground.granted_within(&other, "job", limit).await?;
        // In time, too late or unanswered: it has given back its own.
        drop(releasing.await);
        let asked = acquire(&third, "job", "c", ground.ttl()).await?;
        ensure!(
            matches!(asked, Acquired::Held { .. }),
            "a release that stood still after {steps} steps has taken another's lease"
        );
        other.release(next).await?;
    }
    Ok(())
}
