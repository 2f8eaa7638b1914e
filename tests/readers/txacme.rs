//! txacme 0.9.3, whose directory this is: it reads ours, and we read its.

use std::{collections::BTreeSet, fs, path::Path};

use acme_messages::jose::{KeyType, PrivateKey, Signer, SigningAlgorithm};
use acme_store::{
    CertificateStore, DirectoryStore, EntryState, load_or_create_account_key,
    load_or_create_account_key_of_type,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::{
    directory::{NAMES, Shared},
    python,
    table::{Checked, Table},
};

const READER: &str = "txacme";

/// What txacme's script says, line by line.
async fn ask(python: &Path, arguments: &[&str]) -> Checked<Vec<String>> {
    python::ask(python, "txacme_store.py", arguments).await
}

fn text(path: &Path) -> Checked<&str> {
    path.to_str().ok_or_else(|| "not Unicode".into())
}

pub(crate) async fn check(python: &Path, table: &mut Table) {
    let result = all(python, table).await;
    table.note(READER, "answers", result);
}

async fn all(python: &Path, table: &mut Table) -> Checked {
    let shared = Shared::new().await?;
    shared.ask("blank.example.com")?;
    let listed = lists(python, &shared).await;
    table.note(
        READER,
        "lists and reads what we wrote, byte by byte",
        listed,
    );
    let theirs = we_read_its_files(python, &shared).await;
    table.note(READER, "writes each of them, and we read that", theirs);
    let replaced = we_replace_its_file(python, &shared).await;
    table.note(READER, "reads what replaced a file of its own", replaced);
    let key = it_uses_our_key(python).await;
    table.note(READER, "signs with our client.key, RSA 2048 (D13)", key);
    let key = we_use_its_key(python).await;
    table.note(READER, "makes a client.key, and we sign with that", key);
    Ok(())
}

/// Every entry of ours is there, of the right types, with the text that we have written.
async fn lists(python: &Path, shared: &Shared) -> Checked {
    let mut expected = BTreeSet::from([format!("blank.example.com blank {}", digest(b""))]);
    let names = NAMES.iter().map(|it| it.0).chain(["*.wild.example.com"]);
    for name in names {
        let digest = digest(&fs::read(shared.file(name))?);
        expected.insert(format!(
            "{name} PrivateKey+Certificate+Certificate {digest}"
        ));
    }
    let said: BTreeSet<_> = ask(python, &["list", text(shared.path())?])
        .await?
        .into_iter()
        .collect();
    if said == expected {
        return Ok(());
    }
    Err(format!("{said:?} instead of {expected:?}").into())
}

fn digest(text: &[u8]) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn we_read_its_files(python: &Path, shared: &Shared) -> Checked {
    let theirs = tempfile::tempdir()?;
    for (name, _) in NAMES {
        let (from, to) = (text(shared.path())?, text(theirs.path())?);
        ask(python, &["copy", from, to, name]).await?;
    }
    let store = DirectoryStore::open(theirs.path()).await?;
    for (name, _) in NAMES {
        let entry = store.get(&name.parse()?).await?.ok_or("it is not there")?;
        if entry.bundle() != Some(&shared.bundle(name).await?) {
            return Err(format!("{name}: {:?}", entry.contents).into());
        }
    }
    Ok(())
}

/// txacme wrote a file, we renew it, txacme reads that.
async fn we_replace_its_file(python: &Path, shared: &Shared) -> Checked {
    let name = "rsa.example.com";
    let other = tempfile::tempdir()?;
    let (path, to) = (text(shared.path())?, text(other.path())?);
    ask(python, &["copy", path, to, name]).await?;
    ask(python, &["copy", to, path, name]).await?;
    shared.renew(name, KeyType::Rsa2048).await?;
    let entry = shared.store.get(&name.parse()?).await?;
    let state = entry.map(|it| it.contents);
    if !matches!(state, Some(EntryState::Bundle(_))) {
        return Err(format!("{state:?}").into());
    }
    lists(python, shared).await
}

/// Its thumbprint of the key is ours, and its signature verifies.
fn is_used(key: &PrivateKey, said: &[String]) -> Checked {
    let [thumbprint, signature] = said else {
        return Err(format!("{said:?}").into());
    };
    if *thumbprint != key.thumbprint().to_string() {
        return Err(format!("{thumbprint} instead of {}", key.thumbprint()).into());
    }
    let signature = Base64UrlUnpadded::decode_vec(signature).map_err(|it| it.to_string())?;
    Ok(key.public_jwk().verify(b"a message", &signature)?)
}

async fn it_uses_our_key(python: &Path) -> Checked {
    let directory = tempfile::tempdir()?;
    let key = load_or_create_account_key_of_type(directory.path(), KeyType::Rsa2048).await?;
    let before = fs::read(directory.path().join("client.key"))?;
    is_used(&key, &ask(python, &["key", text(directory.path())?]).await?)?;
    if fs::read(directory.path().join("client.key"))? != before {
        return Err("the file has changed".into());
    }
    Ok(())
}

async fn we_use_its_key(python: &Path) -> Checked {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("client.key");
    let said = ask(python, &["key", text(directory.path())?]).await?;
    let before = fs::read(&path)?;
    let key = load_or_create_account_key(directory.path()).await?;
    is_used(&key, &said)?;
    if Signer::algorithm(&key) != SigningAlgorithm::Rs256 {
        return Err("it is no RSA key".into());
    }
    if fs::read(&path)? != before {
        return Err("the file has changed".into());
    }
    Ok(())
}
