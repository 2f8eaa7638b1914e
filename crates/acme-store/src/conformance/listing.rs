//! L: listing.

use std::{collections::BTreeSet, sync::Arc};

use acme_messages::jose::BoxFuture;

use super::ground::{
    Check, Ground, Halt, Handle, Made, check, current, ensure, join, key, list, prefix, put,
};
use crate::{Expect, Version};

pub(super) const CHECKS: &[Check] = &[
    check!("L1", "listing is ordered and complete", complete),
    check!("L2", "what is not touched is listed once", untouched),
    check!("L3", "listed versions are accepted", accepted),
    check!(
        "L4",
        "a page of none is one of one, and no limit is too large",
        limits
    ),
];

async fn complete(ground: Ground) -> Made {
    let handles = ground.three().await?;
    let count = ground.suite.keys;
    let writers = (0..8).map(|at| {
        let store = Arc::clone(&handles[at % 3]);
        let writer: BoxFuture<'static, _> = Box::pin(async move {
            // Not in the order of the keys.
            for number in (at..count).step_by(8).rev() {
                put(&store, &format!("k/{number}"), "", Expect::Absent).await?;
            }
            Ok(())
        });
        writer
    });
    join(writers).await?;
    for limit in [7, count + 1] {
        let listed = list(&handles[1], "k/", limit).await?;
        ensure!(
            listed.len() == count,
            "of {count} keys {} are listed",
            listed.len()
        );
        let ordered = listed.is_sorted_by(|a, b| a.0.as_str().as_bytes() < b.0.as_str().as_bytes());
        ensure!(ordered, "keys are not in the order of their bytes");
    }
    Ok(())
}

async fn untouched(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    for at in 0..100 {
        put(&store, &format!("k{at:03}"), "", Expect::Absent).await?;
    }
    let all = prefix("")?;
    let mut seen = Vec::new();
    let mut after = None;
    for round in 0..1000 {
        let page = other.list(&all, after, 7).await?;
        seen.extend(page.items.into_iter().map(|it| it.0));
        after = page.next;
        if after.is_none() {
            break;
        }
        // The odd ones go, and others come, on both sides of the place.
        for gone in [round * 2 + 1, 99_usize.saturating_sub(round * 2)] {
            let name = format!("k{gone:03}");
            if let Expect::Version(version) = current(&store, &name).await? {
                store.delete(&key(&name)?, version).await?;
            }
        }
        let new = format!("k{:03}x{round}", round * 5);
        put(&store, &new, "", Expect::Absent).await?;
    }
    ensure!(after.is_none(), "the listing does not end");
    let distinct: BTreeSet<_> = seen.iter().collect();
    ensure!(distinct.len() == seen.len(), "a key was listed twice");
    for even in (0..100).step_by(2) {
        let name = format!("k{even:03}");
        ensure!(
            distinct.contains(&key(&name)?),
            "{name} was there and not listed"
        );
    }
    Ok(())
}

async fn accepted(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    for at in 0..20 {
        put(&store, &format!("k{at}"), "1", Expect::Absent).await?;
    }
    for (at, (name, version)) in list(&other, "k", 7).await?.into_iter().enumerate() {
        if at % 2 == 0 {
            let next = put(&other, name.as_str(), "2", version).await?;
            ensure!(
                is_listed(&store, name.as_str(), &next).await?,
                "{name} is listed as before"
            );
        } else {
            other.delete(&name, version).await?;
        }
    }
    ensure!(
        list(&store, "k", 7).await?.len() == 10,
        "deleted keys are listed"
    );
    Ok(())
}

async fn is_listed(store: &Handle, name: &str, version: &Version) -> Result<bool, Halt> {
    let listed = list(store, name, 100).await?;
    Ok(listed
        .iter()
        .any(|it| it.0.as_str() == name && it.1 == *version))
}

async fn limits(ground: Ground) -> Made {
    let store = ground.open().await?;
    for at in 0..20 {
        put(&store, &format!("k{at:02}"), "", Expect::Absent).await?;
    }
    let all = prefix("k")?;
    for (limit, longest) in [(0, 1), (1, 1), (usize::MAX, 20)] {
        let (mut seen, mut after) = (Vec::new(), None);
        // A page may be empty, but not all of them.
        for _ in 0..200 {
            let page = store.list(&all, after, limit).await?;
            ensure!(
                page.items.len() <= longest,
                "a page of {limit} has {} keys",
                page.items.len()
            );
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        ensure!(
            seen.len() == 20,
            "pages of {limit} have {} of 20 keys",
            seen.len()
        );
    }
    Ok(())
}
