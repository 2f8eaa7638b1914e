//! The other process of a suite: what the helper program does.

use std::{
    collections::HashMap,
    io::{self, BufRead, Write},
    sync::Arc,
    time::Duration,
};

use crate::{
    Acquired, CommitError, Expect, Key, Lease, LeaseError, Life, Op, RecordStore, Version,
};

/// What a line for the suite begins with; whatever else is written is passed over.
pub(super) const MARK: &str = "acme-conformance: ";

/// Does with a handle what a [`Suite`](super::Suite) asks for, until its input ends.
///
/// A helper program opens the handle and gives its standard input and output. It is
/// made to be stopped and killed at any moment.
///
/// # Errors
/// - What reading and writing meet.
pub async fn assist(
    store: Arc<dyn RecordStore>,
    input: impl BufRead,
    mut output: impl Write,
) -> io::Result<()> {
    let mut state = State {
        store,
        lease: None,
        seen: HashMap::new(),
    };
    for line in input.lines() {
        let line = line?;
        let words: Vec<_> = line.split_whitespace().collect();
        if let ["batches", left, right] = words[..] {
            for round in 0_u64.. {
                let answer = state.batch(left, right, round).await;
                say(&mut output, &answer)?;
            }
        }
        let answer = match words[..] {
            ["acquire", name, owner, ttl] => state.acquire(name, owner, ttl).await,
            ["commit", name, value] => state.commit(name, value).await,
            ["read", name] => state.read(name).await,
            ["release"] => state.release().await,
            ["renew"] => state.renew().await,
            _ => Err("that is no command".into()),
        };
        say(&mut output, &answer)?;
    }
    Ok(())
}

/// A word, or what went wrong.
type Answer = Result<&'static str, super::BoxError>;

fn say(output: &mut impl Write, answer: &Answer) -> io::Result<()> {
    // A test harness may have begun a line.
    match answer {
        Ok(word) => writeln!(output, "\n{MARK}{word}")?,
        Err(error) => writeln!(output, "\n{MARK}error {error}")?,
    }
    output.flush()
}

struct State {
    store: Arc<dyn RecordStore>,
    lease: Option<Lease>,
    seen: HashMap<Key, Version>,
}

impl State {
    fn lease(&self) -> Result<&Lease, super::BoxError> {
        self.lease
            .as_ref()
            .ok_or_else(|| "there is no lease".into())
    }

    async fn acquire(&mut self, name: &str, owner: &str, ttl: &str) -> Answer {
        let ttl = Duration::from_millis(ttl.parse()?);
        match self
            .store
            .acquire(&name.parse()?, &owner.parse()?, ttl)
            .await?
        {
            Acquired::Granted(lease) => {
                self.lease = Some(lease);
                Ok("granted")
            }
            Acquired::Held { .. } => Ok("held"),
        }
    }

    async fn read(&mut self, name: &str) -> Answer {
        let key: Key = name.parse()?;
        match self.store.get(&key).await? {
            Some(record) => drop(self.seen.insert(key, record.version)),
            None => drop(self.seen.remove(&key)),
        }
        Ok("read")
    }

    fn put(&self, name: &str, value: &str) -> Result<Op, super::BoxError> {
        let key: Key = name.parse()?;
        let expected = self.seen.get(&key).cloned();
        Ok(Op::Put {
            key,
            value: value.to_owned().into(),
            expected: expected.map_or(Expect::Absent, Into::into),
            life: Life::Durable,
        })
    }

    async fn commit(&self, name: &str, value: &str) -> Answer {
        let put = self.put(name, value)?;
        match self.store.commit(self.lease()?, vec![put]).await {
            Ok(_) => Ok("committed"),
            Err(CommitError::Fenced) => Ok("fenced"),
            Err(CommitError::Conflict { .. }) => Ok("conflict"),
            Err(other) => Err(other.into()),
        }
    }

    async fn batch(&mut self, left: &str, right: &str, round: u64) -> Answer {
        self.read(left).await?;
        self.read(right).await?;
        let value = format!("{}-{round}", std::process::id());
        let ops = vec![self.put(left, &value)?, self.put(right, &value)?];
        self.store.commit(self.lease()?, ops).await?;
        Ok("committed")
    }

    async fn renew(&mut self) -> Answer {
        match self.store.renew(self.lease()?).await {
            Ok(lease) => {
                self.lease = Some(lease);
                Ok("renewed")
            }
            Err(LeaseError::Lost) => Ok("lost"),
            Err(other) => Err(other.into()),
        }
    }

    async fn release(&self) -> Answer {
        match self.store.release(self.lease()?.clone()).await {
            Ok(()) => Ok("released"),
            Err(LeaseError::Lost) => Ok("lost"),
            Err(other) => Err(other.into()),
        }
    }
}
