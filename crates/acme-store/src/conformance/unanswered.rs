//! F: answers that do not come.

use std::time::Duration;

use super::{
    failing::written,
    ground::{
        Ground, Halt, Handle, Made, commit, current, ensure, failed, granted, key, missing,
        overwrite, put, value, within,
    },
};
use crate::{CommitError, Expect, Life, Operation, RecordError};

pub(super) async fn hung(ground: Ground) -> Made {
    let (limit, hang) = ground.hooks().hang.clone().ok_or_else(|| missing("hang"))?;
    let store = ground.open().await?;
    put(&store, "k", "1", Expect::Absent).await?;
    let set = |hangs| {
        let done = hang((ground.namespace.clone(), hangs));
        async move { done.await.map_err(failed("the hook `hang`")) }
    };
    set(true).await?;
    let (old, new) = (key("k")?, key("new")?);
    let asked = async {
        // First what changes something, on a connection that stands.
        let put = store.put(&new, "".into(), Expect::Absent, Life::Durable);
        let put = put.await;
        (store.get(&old).await, put)
    };
    let asked = tokio::time::timeout(2 * limit + ground.bound(), asked).await;
    set(false).await?;
    let Ok((got, answer)) = asked else {
        return Err(Halt::Failed("there was no answer in time".to_owned()));
    };
    let honest = match &got {
        Ok(record) => record.as_ref().is_some_and(|it| it.value == "1"),
        Err(error) => error.is_transient(),
    };
    ensure!(honest, "a get that was not answered gives {got:?}");
    let told = written(answer.err());
    let unavailable = matches!(told, Some(RecordError::Unavailable { .. }));
    ensure!(unavailable, "a put that was not answered gives {told:?}");
    // It may have been done: who reads knows. It may even be done only now.
    if !told.is_some_and(|it| it.is_maybe_applied()) {
        let give_up = tokio::time::Instant::now() + ground.bound() / 10;
        while tokio::time::Instant::now() < give_up {
            let seen = within(&ground, || current(&store, "new")).await?;
            ensure!(
                seen == Expect::Absent,
                "a put that was not answered was said not to be done, and was"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    within(&ground, || current(&store, "new")).await?;
    overwrite(&ground, &store, "new", "again").await?;
    Ok(())
}

/// What is done without an answer is not to be tried again unasked: then the store meets
/// its own writing, and takes it for another's.
pub(super) async fn lost(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let lease = granted(&store, "job", "a", ground.bound() * 100).await?;
    // Whatever an operation does once, as to bring a script to the engine, is done: it
    // would be its answer that is lost.
    let version = put(&store, "once", "", Expect::Absent).await?;
    store.delete(&key("once")?, version).await?;
    commit(&store, &lease, "once", "", Expect::Absent).await??;

    lose(&ground, &store, Operation::Put).await?;
    let name = key("k")?;
    let made = store.put(&name, "1".into(), Expect::Absent, Life::Durable);
    honest("a put", made.await.err().map(|it| written(Some(it))))?;
    is_done("a put", value(&other, "k").await?.as_deref() == Some("1"))?;

    let Expect::Version(version) = current(&other, "k").await? else {
        return Err(Halt::Failed("a record is gone".to_owned()));
    };
    lose(&ground, &store, Operation::Delete).await?;
    let deleted = store.delete(&name, version).await;
    honest("a delete", deleted.err().map(|it| written(Some(it))))?;
    is_done("a delete", value(&other, "k").await?.is_none())?;

    lose(&ground, &store, Operation::Commit).await?;
    let made = commit(&store, &lease, "k", "2", Expect::Absent).await?;
    let error = made.err().map(|it| match it {
        CommitError::Store(error) => Some(error),
        _ => None,
    });
    honest("a commit", error)?;
    is_done(
        "a commit",
        value(&other, "k").await?.as_deref() == Some("2"),
    )?;
    still_held(&store, &lease).await
}

async fn lose(ground: &Ground, store: &Handle, operation: Operation) -> Made {
    // So it is with a connection that was lost with the last answer.
    within(ground, || value(store, "k")).await?;
    let lose = ground
        .hooks()
        .lose_answer
        .clone()
        .ok_or_else(|| missing("lose_answer"))?;
    let lost = lose((ground.namespace.clone(), operation)).await;
    lost.map_err(failed("the hook `lose_answer`"))
}

/// No error is an answer all the same: a store may find out what became of a write.
fn honest(what: &str, error: Option<Option<RecordError>>) -> Made {
    let honest = match &error {
        None => true,
        Some(Some(error)) => error.is_maybe_applied(),
        Some(None) => false,
    };
    ensure!(
        honest,
        "{what} was done and its answer lost, which is told as {error:?}"
    );
    Ok(())
}

fn is_done(what: &str, done: bool) -> Made {
    ensure!(done, "{what} without an answer was not done");
    Ok(())
}

async fn still_held(store: &Handle, lease: &crate::Lease) -> Made {
    let lease = store.renew(lease).await?;
    Ok(store.release(lease).await?)
}
