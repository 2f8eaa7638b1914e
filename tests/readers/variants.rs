//! Files as people make them: whatever TxSNI or Twisted read, we read too (parity 3.2, 3.4).

use std::{collections::BTreeMap, fs, path::Path};

use acme_store::CertificateBundle;

use crate::{
    python,
    table::{Checked, Table},
};

const READER: &str = "by hand";

const GOOD: &str = include_str!("../../crates/acme-store/tests/data/www.example.com.pem");
const ROOT: &str = include_str!("../../crates/acme-store/tests/data/root.pem");
const SEC1_KEY: &str = include_str!("../../crates/acme-store/tests/data/sec1-with-parameters.key");
const OTHER_KEY: &str = include_str!("../../crates/acme-store/tests/data/other.key");
const ENCRYPTED_KEY: &str = include_str!("../../crates/acme-store/tests/data/encrypted.key");
const REQUEST: &str = include_str!("../../crates/acme-store/tests/data/request.csr");
const DH_PARAMETERS: &str =
    "-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n";

/// What we make of a file: a bundle, or none.
const READ: bool = true;
const REFUSED: bool = false;

/// The variants, and what we make of each.
fn variants() -> Vec<(&'static str, String, bool)> {
    let begin = "-----BEGIN CERTIFICATE-----";
    let (key, certificates) = GOOD.split_at(GOOD.find(begin).unwrap_or(0));
    let second = certificates.rfind(begin).unwrap_or(0);
    let (leaf, intermediate) = certificates.split_at(second);
    let parameters = SEC1_KEY.find("-----BEGIN EC PRIVATE").unwrap_or(0);
    let sec1 = &SEC1_KEY[parameters..];
    vec![
        ("key, leaf, chain", GOOD.to_owned(), READ),
        (
            "leaf, chain, key",
            format!("{leaf}{intermediate}{key}"),
            READ,
        ),
        (
            "leaf, key, chain",
            format!("{leaf}{key}{intermediate}"),
            READ,
        ),
        (
            "chain, leaf, key",
            format!("{intermediate}{leaf}{key}"),
            READ,
        ),
        (
            "key, chain, leaf",
            format!("{key}{intermediate}{leaf}"),
            READ,
        ),
        ("with the root", format!("{GOOD}{ROOT}"), READ),
        ("without chain", format!("{key}{leaf}"), READ),
        ("SEC1 key", format!("{sec1}{leaf}{intermediate}"), READ),
        (
            "EC PARAMETERS",
            format!("{SEC1_KEY}{leaf}{intermediate}"),
            READ,
        ),
        ("DH PARAMETERS", format!("{GOOD}{DH_PARAMETERS}"), READ),
        ("a request", format!("{key}{REQUEST}{leaf}"), READ),
        ("the leaf twice", format!("{GOOD}{leaf}"), READ),
        ("CRLF", GOOD.replace('\n', "\r\n"), READ),
        (
            "comments",
            format!("# mine\n{key}\nsubject=/CN=x\n{leaf}"),
            READ,
        ),
        ("no last line end", GOOD.trim_end().to_owned(), READ),
        (
            "no line end between",
            GOOD.replace("\n-----BEGIN", "-----BEGIN"),
            READ,
        ),
        ("indented", GOOD.replace('\n', "\n    "), READ),
        ("byte order mark", format!("\u{feff}{GOOD}"), READ),
        ("two keys", format!("{key}{OTHER_KEY}{leaf}"), REFUSED),
        ("another's key", format!("{OTHER_KEY}{leaf}"), REFUSED),
        ("encrypted key", format!("{ENCRYPTED_KEY}{leaf}"), REFUSED),
        ("no key", format!("{leaf}{intermediate}"), REFUSED),
        ("no certificate", key.to_owned(), REFUSED),
        ("cut", GOOD[..GOOD.len() - 40].to_owned(), REFUSED),
        ("no PEM", "nothing of that kind\n".to_owned(), REFUSED),
    ]
}

pub(crate) async fn check(python: &Path, table: &mut Table) {
    let theirs = match ask(python).await {
        Ok(theirs) => theirs,
        Err(error) => {
            table.note(READER, "TxSNI and Twisted answer", Err(error));
            return;
        }
    };
    for (at, (variant, text, expected)) in variants().into_iter().enumerate() {
        let ours = CertificateBundle::from_pem(text.as_bytes()).is_ok();
        let unknown = [String::new(), String::new()];
        let [txsni, twisted] = theirs.get(&at).unwrap_or(&unknown);
        let result = if ours != expected {
            Err(format!("we were to answer {expected} and answer {ours}").into())
        } else if txsni.is_empty() {
            Err("TxSNI and Twisted did not answer".into())
        } else if !ours && txsni == "yes" {
            Err("TxSNI reads it and we do not".into())
        } else {
            Ok(())
        };
        let ours = if ours { "yes" } else { "no" };
        let check = format!("{variant}: we {ours}, TxSNI {txsni}, Twisted {twisted}");
        table.note(READER, check, result);
    }
}

/// What TxSNI and Twisted make of each variant: `yes`, `no` or `hangs`.
async fn ask(python: &Path) -> Checked<BTreeMap<usize, [String; 2]>> {
    let folder = tempfile::tempdir()?;
    for (at, (_, text, _)) in variants().iter().enumerate() {
        fs::write(folder.path().join(at.to_string()), text)?;
    }
    let path = folder.path().to_str().ok_or("not Unicode")?;
    let mut answers = BTreeMap::new();
    for line in python::ask(python, "read.py", &[path]).await? {
        let [at, txsni, twisted] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("unexpected: {line}").into());
        };
        answers.insert(at.parse()?, [txsni.to_owned(), twisted.to_owned()]);
    }
    Ok(answers)
}
