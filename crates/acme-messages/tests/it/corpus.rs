//! Answers shaped as CAs shape them, a file each: `corpus/CA/RESOURCE[-VARIANT].json`
//! (`unknown_things_parse`).
//!
//! `extensions` holds what later RFCs and drafts add, `unnamed` what was seen of CAs that
//! the reports do not name.

use std::{collections::BTreeSet, fs, path::Path};

use acme_messages::{Account, Authorization, Challenge, Directory, Order, Problem, RenewalInfo};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// What some members of each file are read as, one a line: the file, the place in what is
/// written of it again, and the text there, or `absent`.
const EXPECTED: &str = include_str!("corpus/expected.txt");

/// Reads an answer and writes it again, or says why not.
type Read = fn(&[u8]) -> Result<Value, String>;

/// The name of a resource in the name of a file, and how it is read.
const RESOURCES: &[(&str, Read)] = &[
    ("account", read::<Account>),
    ("authorization", read::<Authorization>),
    ("challenge", read::<Challenge>),
    ("directory", read::<Directory>),
    ("order", read::<Order>),
    ("problem", read::<Problem>),
    ("renewal-info", read::<RenewalInfo>),
];

#[test]
fn unknown_things_parse() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/corpus");
    let mut found = BTreeSet::new();
    let mut wrong = Vec::new();
    for ca in names(&folder) {
        if ca == "expected.txt" {
            continue;
        }
        for file in names(&folder.join(&ca)) {
            let name = format!("{ca}/{}", file.trim_end_matches(".json"));
            let text = fs::read(folder.join(&ca).join(&file)).unwrap();
            if let Err(error) = check(&name, &text) {
                wrong.push(format!("{name}: {error}"));
            }
            found.insert(name);
        }
    }
    for (name, _, _) in expected() {
        if !found.contains(name) {
            wrong.push(format!("{name}: there is no such file"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn expected() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    EXPECTED.lines().map(|line| {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap();
        (word(), word(), word())
    })
}

fn check(name: &str, text: &[u8]) -> Result<(), String> {
    let resource = name.split('/').next_back().unwrap_or_default();
    let (_, read) = RESOURCES
        .iter()
        .find(|(known, _)| {
            resource
                .strip_prefix(known)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
        .ok_or("the name tells of no resource")?;
    let value = read(text)?;
    let mut members = expected().filter(|(file, _, _)| *file == name).peekable();
    members.peek().ok_or("nothing is expected of it")?;
    for (_, place, expected) in members {
        let is = match value.pointer(place) {
            None => "absent".to_owned(),
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            Some(other) => other.to_string(),
        };
        if is != expected {
            return Err(format!("{place} is {is}, not {expected}"));
        }
    }
    Ok(())
}

/// Reads an answer as it arrives, and writes it again; that reads the same.
fn read<T>(text: &[u8]) -> Result<Value, String>
where
    T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug,
{
    let value: T = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let written = serde_json::to_vec(&value).map_err(|error| error.to_string())?;
    let again: T = serde_json::from_slice(&written).map_err(|error| error.to_string())?;
    assert_eq!(again, value, "written and read again");
    serde_json::from_slice(&written).map_err(|error| error.to_string())
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
