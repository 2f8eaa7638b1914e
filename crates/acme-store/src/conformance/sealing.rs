//! S: what sealing makes of a store.

use super::ground::{Check, check};

pub(super) const CHECKS: &[Check] = &[check!(
    "S1",
    "sealed records keep their secret, their place and their keys",
    sealed
)];

#[cfg(not(feature = "sealed"))]
async fn sealed(_: super::ground::Ground) -> super::ground::Made {
    let reason = "built without the feature `sealed` of acme-store".to_owned();
    Err(super::ground::Halt::Skipped(reason))
}

#[cfg(feature = "sealed")]
use with_keys::sealed;

#[cfg(feature = "sealed")]
mod with_keys {
    use std::sync::Arc;

    use acme_messages::jose::BoxFuture;

    use super::super::ground::{
        Ground, Halt, Handle, Made, ensure, failed, join, key, list, put, value,
    };
    use crate::{
        Expect, KeyRing, Life, RecordError, RecordStore, SealedRecords, SealedRecordsError,
        SealingKey, WriteError,
    };

    const SECRET: &str = "-----BEGIN PRIVATE KEY-----";

    async fn open(ground: &Ground, ring: &KeyRing) -> Result<Handle, Halt> {
        let inner = ground.open().await?;
        let sealed = SealedRecords::open(inner, &*ground.namespace, ring.clone()).await?;
        Ok(Arc::new(sealed))
    }

    pub(super) async fn sealed(ground: Ground) -> Made {
        let old = SealingKey::generate("old")?;
        let new = SealingKey::generate("new")?;
        let ring = KeyRing::new(old.clone());
        let inner = ground.open().await?;
        let store = match SealedRecords::open(inner, &*ground.namespace, ring.clone()).await {
            Ok(store) => Arc::new(store) as Handle,
            Err(SealedRecordsError::Records(RecordError::Denied { .. })) => {
                return Err(Halt::Skipped("the store is sealed already".to_owned()));
            }
            Err(other) => return Err(other.into()),
        };
        let engine = ground.open().await?;
        put(&store, "a", SECRET, Expect::Absent).await?;
        put(&store, "b", SECRET, Expect::Absent).await?;
        ensure!(
            value(&store, "a").await?.as_deref() == Some(SECRET),
            "it does not come back"
        );
        for (name, _) in list(&engine, "", 10).await? {
            let Some(record) = engine.get(&name).await? else {
                continue;
            };
            let seen = record
                .value
                .windows(8)
                .any(|it| it == &SECRET.as_bytes()[..8]);
            ensure!(!seen, "the engine sees the value of {name}");
        }
        swapped(&ground, &store, &engine, &ring).await?;
        strangers(&ground, &new).await?;
        let ring = KeyRing::new(new.clone()).with(old)?;
        rekey(&ground, &store, &ring).await?;
        // The old key is needed no more.
        let store = open(&ground, &KeyRing::new(new)).await?;
        ensure!(
            value(&store, "a").await?.as_deref() == Some(SECRET),
            "a new key loses a record"
        );
        Ok(())
    }

    async fn swapped(ground: &Ground, store: &Handle, engine: &Handle, ring: &KeyRing) -> Made {
        let (a, b) = (key("a")?, key("b")?);
        let gone = || Halt::Failed("a record is gone".to_owned());
        let kept = engine.get(&b).await?.ok_or_else(gone)?;
        let foreign = engine.get(&a).await?.ok_or_else(gone)?.value;
        let there = engine
            .put(&b, foreign.clone(), kept.version.into(), Life::Durable)
            .await?;
        let got = store.get(&b).await;
        let told = matches!(&got, Err(RecordError::Corrupt { key }) if *key == b);
        ensure!(told, "another record's value in its place gives {got:?}");
        engine
            .put(&b, kept.value, there.into(), Life::Durable)
            .await?;
        ensure!(
            value(store, "b").await?.as_deref() == Some(SECRET),
            "it is not the same again"
        );

        let other = ground.other();
        let elsewhere = open(&other, ring).await?;
        let engine = other.open().await?;
        engine
            .put(&a, foreign, Expect::Absent, Life::Durable)
            .await?;
        let got = elsewhere.get(&a).await;
        let told = matches!(got, Err(RecordError::Corrupt { .. }));
        ensure!(told, "another namespace's value gives {got:?}");
        Ok(())
    }

    async fn strangers(ground: &Ground, new: &SealingKey) -> Made {
        let inner = ground.open().await?;
        let alone = KeyRing::new(new.clone());
        let opened = SealedRecords::open(inner.clone(), &*ground.namespace, alone).await;
        let told = matches!(&opened, Err(SealedRecordsError::UnknownKey { id }) if id == "old");
        ensure!(told, "without the key it opens: {opened:?}");
        let another = KeyRing::new(SealingKey::generate("old")?);
        let opened = SealedRecords::open(inner, &*ground.namespace, another).await;
        let told = matches!(&opened, Err(SealedRecordsError::WrongKey { id }) if id == "old");
        ensure!(told, "with another key under its id it opens: {opened:?}");
        Ok(())
    }

    /// Everybody writes while all is sealed anew.
    async fn rekey(ground: &Ground, old: &Handle, ring: &KeyRing) -> Made {
        for at in 0..20 {
            put(old, &format!("n{at}"), "0", Expect::Absent).await?;
        }
        let inner = ground.open().await?;
        let sealed = SealedRecords::open(inner, &*ground.namespace, ring.clone()).await?;
        let writers = (0..4).map(|_| {
            // All nodes seal with the new key by now.
            let store: Handle = Arc::new(sealed.clone());
            let writer: BoxFuture<'static, _> = Box::pin(async move {
                for at in 0..20 {
                    let name = format!("n{}", at * 7 % 20);
                    increment(&store, &name).await?;
                }
                Ok(())
            });
            writer
        });
        let sealing = sealed.clone();
        let sealing: BoxFuture<'static, _> = Box::pin(async move {
            for _ in 0..5 {
                sealing.rekey().await?;
            }
            Ok(())
        });
        join(writers.chain([sealing])).await?;
        let last = sealed
            .rekey()
            .await
            .map_err(|it| failed("the last rekey")(it.into()))?;
        ensure!(last.left == 0 && last.resealed == 0, "after all: {last:?}");
        let store: Handle = Arc::new(sealed);
        let mut sum = 0;
        for at in 0..20 {
            let text = value(&store, &format!("n{at}")).await?.unwrap_or_default();
            sum += text.parse::<u32>()?;
        }
        ensure!(sum == 80, "of 80 increments, {sum} are left");
        Ok(())
    }

    async fn increment(store: &Handle, name: &str) -> Made {
        loop {
            let gone = || Halt::Failed(format!("{name} is gone"));
            let record = store.get(&key(name)?).await?.ok_or_else(gone)?;
            let text = std::str::from_utf8(&record.value)?;
            let next = (text.parse::<u32>()? + 1).to_string().into();
            // Others come in between, even where nothing waits.
            tokio::task::yield_now().await;
            match store
                .put(&key(name)?, next, record.version.into(), Life::Durable)
                .await
            {
                Ok(_) => return Ok(()),
                Err(WriteError::Conflict) => tokio::task::yield_now().await,
                Err(other) => return Err(other.into()),
            }
        }
    }
}
