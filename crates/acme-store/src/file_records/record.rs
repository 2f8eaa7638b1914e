//! One record as a file.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::PathBuf,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    file_name::{escaped, file_name, unescaped},
    files::{Failed, Files, failed},
    text::{Head, MAX_HEAD, Writer, hex, random, unhex},
    timeline::{End, Timeline},
};
use crate::{Capabilities, Key, Life, Record, RecordError, Version};

const KIND: &str = "record";

/// Random bytes of a version: 128 bits, so that none is given twice.
const VERSION_LENGTH: usize = 16;

/// What is known of a record without its value.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) version: Version,
    /// `None` for a durable record.
    pub(super) end: Option<Box<End>>,
}

/// A record as it is to be written.
pub(super) struct Written {
    pub(super) version: Version,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl Written {
    pub(super) fn new(
        key: &Key,
        value: &[u8],
        life: Life,
        timeline: &Timeline,
    ) -> io::Result<Self> {
        let version = random::<VERSION_LENGTH>()?;
        let mut writer = Writer::new(KIND)
            .field("key", escaped(key.as_str()))
            .field("version", hex(&version));
        if let Life::Ephemeral(span) = life {
            writer = writer.field("end", timeline.end(span).to_field());
        }
        Ok(Self {
            version: Version::of(&version),
            bytes: writer.finish(value),
        })
    }
}

impl Known {
    pub(super) fn has_ended(&self, timeline: &Timeline) -> bool {
        self.end
            .as_ref()
            .is_some_and(|it| timeline.life_has_ended(it))
    }

    /// What the head of a record says, and the key it is the record of.
    pub(super) fn parse(head: &Head<'_>) -> Option<(Key, Self)> {
        let key = unescaped(head.field("key")?)?.parse().ok()?;
        let version = unhex::<VERSION_LENGTH>(head.field("version")?)?;
        let end = match head.field("end") {
            Some(field) => Some(Box::new(End::from_field(field)?)),
            None => None,
        };
        let version = Version::of(&version);
        Some((key, Self { version, end }))
    }

    /// A damaged record: its version is made of what there is.
    pub(super) fn damaged(bytes: &[u8]) -> Self {
        Self {
            version: Version::of(&Sha256::digest(bytes)),
            end: None,
        }
    }

    /// A record whose file cannot be read: its version is made of what is seen of it.
    fn unreadable(file: &Metadata) -> Self {
        let seen = [file.dev(), file.ino(), file.len()].map(u64::to_be_bytes);
        let changed = [file.ctime(), file.ctime_nsec()].map(i64::to_be_bytes);
        Self::damaged(&[seen.concat(), changed.concat()].concat())
    }
}

impl Files {
    pub(super) fn record_path(&self, key: &Key) -> PathBuf {
        self.records.join(file_name(key))
    }

    /// The record of a key, ended or not, damaged or not; without its value.
    ///
    /// One whose file cannot be read is there all the same: it is an error to who gets
    /// it, and not to who lists others beside it.
    pub(super) fn known(&self, key: &Key) -> Result<Option<Known>, Failed> {
        let path = self.record_path(key);
        let bytes = match self.read_some(&path, MAX_HEAD) {
            Err(failed) if failed.is_of_one_file() => {
                let metadata = fs::symlink_metadata(&path).map_err(|_| failed)?;
                return Ok(Some(Known::unreadable(&metadata)));
            }
            bytes => bytes?.map(Zeroizing::new),
        };
        Ok(bytes.map(|bytes| {
            let parsed = Head::parse(KIND, &bytes).and_then(|it| Known::parse(&it));
            match parsed {
                Some((found, known)) if found == *key => known,
                _ => Known::damaged(&bytes),
            }
        }))
    }

    /// The key in the record file of this name.
    ///
    /// That the name is the key's proves it, whatever else of the file is damaged.
    pub(super) fn key_in(&self, name: &str) -> Result<Option<Key>, Failed> {
        let bytes = self.read_some(&self.records.join(name), MAX_HEAD)?;
        let bytes = bytes.unwrap_or_default();
        let mut lines = bytes.split(|it| *it == b'\n');
        Ok(lines.find_map(|line| {
            let escaped = std::str::from_utf8(line).ok()?.strip_prefix("key ")?;
            let key = unescaped(escaped)?.parse().ok()?;
            (file_name(&key) == name).then_some(key)
        }))
    }

    /// The record of a key.
    pub(super) fn record(
        &self,
        key: &Key,
        timeline: &Timeline,
    ) -> Result<Option<Record>, RecordError> {
        let path = self.record_path(key);
        let Some(bytes) = self.read_some(&path, Capabilities::MAX_VALUE + MAX_HEAD)? else {
            return Ok(None);
        };
        let bytes = Zeroizing::new(bytes);
        let corrupt = || RecordError::Corrupt { key: key.clone() };
        let head = Head::parse(KIND, &bytes).ok_or_else(corrupt)?;
        let body = head.body(&bytes).ok_or_else(corrupt)?;
        let (found, known) = Known::parse(&head).ok_or_else(corrupt)?;
        if found != *key {
            return Err(corrupt());
        }
        if known.has_ended(timeline) {
            return Ok(None);
        }
        let value = Bytes::copy_from_slice(body);
        Ok(Some(Record::new(value, known.version)))
    }

    /// The names of all record files.
    pub(super) fn record_names(&self) -> Result<Vec<String>, Failed> {
        let failed = |error| failed("list", &self.records, error);
        let mut names = Vec::new();
        for file in fs::read_dir(&self.records).map_err(failed)? {
            // What is no text is no name of ours.
            names.extend(file.map_err(failed)?.file_name().into_string().ok());
        }
        Ok(names)
    }
}
