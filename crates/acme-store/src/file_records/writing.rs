//! Writing records: one by replacing its file, several by a journal.
//!
//! A commit of several is first written whole into the journal, then carried out,
//! and then the journal is removed. Whoever finds a journal and has the turn carries
//! it out again, which changes nothing if it was done: a writer may be killed anywhere.
//! Each record lies ready in a file before there is a journal, so that to carry it out
//! needs no room: a disk that is full stops a commit before it has begun, or not at all.

use std::path::PathBuf;

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
        let begun = make_ready(files, steps)
            .and_then(|()| files.replace(turn, &files.journal, &journal(steps)));
        if let Err(failed) = begun {
            // What lies ready takes room, and the disk may be full.
            remove_ready(files, turn);
            return Err(failed);
        }
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

/// Where the record of a step lies ready.
fn ready_path(files: &Files, at: usize) -> PathBuf {
    files.root.join(format!("ready{at}"))
}

fn make_ready(files: &Files, steps: &[Step]) -> Result<(), Failed> {
    for (at, step) in steps.iter().enumerate() {
        if let Some(written) = &step.written {
            files.write_to(&ready_path(files, at), &written.bytes)?;
        }
    }
    Ok(())
}

/// Removes what lies ready and was put nowhere. The caller has the turn, and there is
/// no journal.
pub(super) fn remove_ready(files: &Files, turn: &Turn) {
    for at in 0..Capabilities::MAX_BATCH {
        // It takes room, and harms nobody: only a journal gives it a meaning.
        let _ = files.remove(turn, &ready_path(files, at));
    }
}

/// As [`carry_out`], with what lies ready, if it does.
fn carry_out_ready(files: &Files, turn: &Turn, at: usize, step: &Step) -> Result<(), Failed> {
    let Some(written) = &step.written else {
        return carry_out(files, turn, step);
    };
    let has = |path: &PathBuf| {
        let bytes = files.read(path)?.map(Zeroizing::new);
        Ok::<_, Failed>(bytes.as_ref() == Some(&written.bytes))
    };
    let (ready, path) = (ready_path(files, at), files.record_path(&step.key));
    // Only the journal says what was committed: others may have been at these files.
    if has(&ready)? {
        return std::fs::rename(&ready, &path).map_err(|it| failed("replace", &path, it));
    }
    if has(&path)? {
        return Ok(());
    }
    carry_out(files, turn, step)
}

fn carry_out_journal(files: &Files, turn: &Turn, steps: &[Step]) -> Result<(), Failed> {
    let keys: Vec<_> = steps.iter().map(|it| &it.key).collect();
    files.announce(turn, &keys)?;
    for (at, step) in steps.iter().enumerate() {
        carry_out_ready(files, turn, at, step)?;
    }
    files.sync(&files.records)?;
    files.remove(turn, &files.journal)?;
    // A journal that came back after a loss of power would undo what follows.
    files.sync(&files.root)?;
    remove_ready(files, turn);
    Ok(())
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

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    fn step(key: &str, bytes: &str) -> Step {
        Step {
            key: key.parse().expect("a key"),
            written: Some(Written {
                version: Version::of(&[]),
                bytes: Zeroizing::new(bytes.into()),
            }),
        }
    }

    /// A commit that was cut short once it was in the journal, with this lying ready.
    fn recovered(ready: &[Step], full: bool) -> [String; 2] {
        let directory = tempfile::tempdir().expect("a directory");
        let files = Files::new(directory.path().join("state"));
        let limit = Duration::from_secs(10);
        files.create(limit).expect("a store");
        let turn = files.turn(true, limit, &Wanted::yes()).expect("a turn");
        let write = |path: &PathBuf, bytes: &[u8]| fs::write(path, bytes).expect("room");
        make_ready(&files, ready).expect("room");
        let steps = [step("a", "new a"), step("b", "new b")];
        write(&files.journal, &journal(&steps));
        write(&files.record_path(&steps[0].key), b"old a");
        if full {
            // Nothing can be written any more but a few bytes.
            fs::create_dir(files.root.join("temporary")).expect("room");
        }
        recover(&files, &turn).expect("it needs no room");
        assert!(!files.journal.exists());
        let left = fs::read_dir(&files.root).expect("a directory");
        let ready = left.filter(|it| {
            let name = it.as_ref().expect("a file").file_name();
            name.to_string_lossy().starts_with("ready")
        });
        assert_eq!(ready.count(), 0);
        steps.map(|it| fs::read_to_string(files.record_path(&it.key)).expect("a record"))
    }

    #[test]
    fn what_is_in_the_journal_needs_no_more_room() {
        let ready = [step("a", "new a"), step("b", "new b")];
        assert_eq!(recovered(&ready, true), ["new a", "new b"]);
    }

    #[test]
    fn what_lies_ready_counts_only_if_the_journal_says_so() {
        let ready = [
            step("a", "of another commit"),
            step("b", "new b"),
            step("c", ""),
        ];
        assert_eq!(recovered(&ready, false), ["new a", "new b"]);
        assert_eq!(recovered(&[], false), ["new a", "new b"]);
    }
}
