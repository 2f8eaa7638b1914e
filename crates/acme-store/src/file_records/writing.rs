//! Writing records: one by replacing its file, several by a journal.
//!
//! A commit of several is first written whole into the journal, then carried out,
//! and then the journal is removed. Whoever finds a journal and has the turn carries
//! it out again, which changes nothing if it was done: a writer may be killed anywhere.

use zeroize::Zeroizing;

use super::{
    FileRecords,
    files::{Failed, Files, Turn, Wanted, failed},
    record::Written,
    text::{Head, Writer},
};
use crate::{Capabilities, CommitError, Key, Lease, Op, RecordError, Version, WriteError};

const KIND: &str = "journal";

/// What is done to one record.
struct Step {
    key: Key,
    /// `None` removes it.
    written: Option<Written>,
}

impl FileRecords {
    /// Waits for the turn to write, and finishes what a killed writer has begun.
    pub(super) fn turn_to_write(&self, wanted: &Wanted) -> Result<Turn, RecordError> {
        let files = self.files();
        let turn = files.turn(true, self.options().call_timeout, wanted)?;
        if files.exists(&files.journal)? {
            recover(files, &turn)?;
        }
        Ok(turn)
    }

    pub(super) fn write(&self, op: Op, wanted: &Wanted) -> Result<Option<Version>, WriteError> {
        check_length(&op)?;
        let turn = self.turn_to_write(wanted)?;
        self.check(&op)?;
        let step = self.step(op)?;
        let version = step.written.as_ref().map(|it| it.version.clone());
        let files = self.files();
        let key = step.key.clone();
        files
            .announce(&turn, &[&key])
            .and_then(|()| carry_out(files, &turn, &step))
            .map_err(|it| it.into_error(true))?;
        drop(turn);
        // Others may go on meanwhile: what they write is in the same directory.
        files
            .sync(&files.records)
            .map_err(|it| it.into_error(true))?;
        Ok(version)
    }

    pub(super) fn commit_now(
        &self,
        guard: &Lease,
        ops: Vec<Op>,
        wanted: &Wanted,
    ) -> Result<Vec<Option<Version>>, CommitError> {
        let limit = Capabilities::MAX_BATCH;
        if ops.len() > limit {
            return Err(CommitError::TooMany { limit });
        }
        for (at, op) in ops.iter().enumerate() {
            let key = op.key();
            // Each refers to what is there before the commit: twice is once too many.
            if ops[..at].iter().any(|it| it.key() == key) {
                return Err(CommitError::Conflict { key: key.clone() });
            }
            check_length(op).map_err(|it| it.in_commit(key))?;
        }
        let turn = self.turn_to_write(wanted)?;
        if !self.is_held(guard)? {
            return Err(CommitError::Fenced);
        }
        let mut steps = Vec::with_capacity(ops.len());
        for op in ops {
            self.check(&op).map_err(|it| it.in_commit(op.key()))?;
            steps.push(self.step(op).map_err(CommitError::Store)?);
        }
        self.carry_out_all(&turn, &steps)
            .map_err(|it| it.into_error(true))?;
        let versions = steps.into_iter().map(|it| it.written.map(|it| it.version));
        Ok(versions.collect())
    }

    fn carry_out_all(&self, turn: &Turn, steps: &[Step]) -> Result<(), Failed> {
        let files = self.files();
        match steps {
            [] => return Ok(()),
            [step] => {
                files.announce(turn, &[&step.key])?;
                carry_out(files, turn, step)?;
                return files.sync(&files.records);
            }
            _ => {}
        }
        files.replace(turn, &files.journal, &journal(steps))?;
        files.sync(&files.root)?;
        carry_out_journal(files, turn, steps)
    }

    fn check(&self, op: &Op) -> Result<(), WriteError> {
        let known = self.files().known(op.key()).map_err(RecordError::from)?;
        let live = known.filter(|it| !it.has_ended(self.timeline()));
        let current = live.as_ref().map(|it| &it.version);
        let met = match op {
            Op::Put { expected, .. } => expected.is_met_by(current),
            Op::Delete { version, .. } => current == Some(version),
        };
        if met {
            Ok(())
        } else {
            Err(WriteError::Conflict)
        }
    }

    fn step(&self, op: Op) -> Result<Step, RecordError> {
        let Op::Put {
            key, value, life, ..
        } = op
        else {
            let key = op.key().clone();
            return Ok(Step { key, written: None });
        };
        let written = Written::new(&key, &value, life, self.timeline())
            .map_err(|it| failed("write", &self.files().records, it))?;
        let written = Some(written);
        Ok(Step { key, written })
    }

    /// Removes what has ended and is still there.
    pub(super) fn remove_ended(&self, keys: &[Key], wanted: &Wanted) -> Result<(), RecordError> {
        let turn = self.turn_to_write(wanted)?;
        let files = self.files();
        for key in keys {
            let known = files.known(key)?;
            if known.is_some_and(|it| it.has_ended(self.timeline())) {
                files.announce(&turn, &[key])?;
                files.remove(&turn, &files.record_path(key))?;
            }
        }
        Ok(())
    }
}

fn check_length(op: &Op) -> Result<(), WriteError> {
    let limit = Capabilities::MAX_VALUE;
    match op {
        Op::Put { value, .. } if value.len() > limit => Err(WriteError::TooLarge { limit }),
        _ => Ok(()),
    }
}

/// It may be done again: the same bytes in the same place.
fn carry_out(files: &Files, turn: &Turn, step: &Step) -> Result<(), Failed> {
    let path = files.record_path(&step.key);
    match &step.written {
        Some(written) => files.replace(turn, &path, &written.bytes),
        None => files.remove(turn, &path),
    }
}

fn carry_out_journal(files: &Files, turn: &Turn, steps: &[Step]) -> Result<(), Failed> {
    let keys: Vec<_> = steps.iter().map(|it| &it.key).collect();
    files.announce(turn, &keys)?;
    for step in steps {
        carry_out(files, turn, step)?;
    }
    files.sync(&files.records)?;
    files.remove(turn, &files.journal)?;
    // A journal that came back after a loss of power would undo what follows.
    files.sync(&files.root)
}

/// Finishes the commit of a killed writer.
fn recover(files: &Files, turn: &Turn) -> Result<(), RecordError> {
    let Some(bytes) = files.read(&files.journal)? else {
        return Ok(());
    };
    let bytes = Zeroizing::new(bytes);
    let Some(steps) = parse(&bytes) else {
        // It was synced before it got its name: somebody else has damaged it.
        let aside = files.root.join("journal.damaged");
        tracing::error!(path = %aside.display(), "a damaged journal is put aside");
        std::fs::rename(&files.journal, &aside)
            .map_err(|it| failed("put aside", &files.journal, it))?;
        return Ok(());
    };
    tracing::info!(
        records = steps.len(),
        "finishing what a killed writer has begun"
    );
    Ok(carry_out_journal(files, turn, &steps)?)
}

fn journal(steps: &[Step]) -> Zeroizing<Vec<u8>> {
    let length = steps
        .iter()
        .filter_map(|it| Some(it.written.as_ref()?.bytes.len()));
    let mut body = Zeroizing::new(Vec::with_capacity(length.sum()));
    let mut writer = Writer::new(KIND);
    for (at, Step { key, written }) in steps.iter().enumerate() {
        let name = super::file_name::escaped(key.as_str());
        let length = written.as_ref().map_or(-1, |it| {
            body.extend_from_slice(&it.bytes);
            i64::try_from(it.bytes.len()).unwrap_or(i64::MAX)
        });
        writer = writer.field(&format!("step{at}"), format_args!("{length} {name}"));
    }
    writer.finish(&body)
}

fn parse(bytes: &[u8]) -> Option<Vec<Step>> {
    let head = Head::parse(KIND, bytes)?;
    let mut body = head.body(bytes)?;
    let mut steps = Vec::new();
    while let Some(field) = head.field(&format!("step{}", steps.len())) {
        let (length, name) = field.split_once(' ')?;
        let key = super::file_name::unescaped(name)?.parse().ok()?;
        let written = match length.parse::<i64>().ok()? {
            -1 => None,
            length => {
                let (bytes, rest) = body.split_at_checked(usize::try_from(length).ok()?)?;
                body = rest;
                Some(Written {
                    version: Version::of(&[]),
                    bytes: Zeroizing::new(bytes.to_vec()),
                })
            }
        };
        steps.push(Step { key, written });
    }
    Some(steps)
}
