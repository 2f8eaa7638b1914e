//! The directory that the readers share, written by our store.

use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

use acme_messages::{
    CertificateChain, Timestamp,
    jose::{KeyType, PrivateKey},
};
use acme_store::{CertificateBundle, CertificateStore, DirectoryStore, Expect};
use acme_testing::{CertificateValidity, TestPki};
use tempfile::TempDir;

use crate::table::Checked;

/// The names with a certificate of their own, and the key of each (D4).
pub(crate) const NAMES: [(&str, KeyType); 4] = [
    ("rsa.example.com", KeyType::Rsa2048),
    ("p256.example.com", KeyType::EcdsaP256),
    ("p384.example.com", KeyType::EcdsaP384),
    ("ed25519.example.com", KeyType::Ed25519),
];

/// How long the certificates are valid.
const LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A directory, the store that writes it, and the CA behind it.
pub(crate) struct Shared {
    pub(crate) store: DirectoryStore,
    pki: TestPki,
    folder: TempDir,
}

impl Shared {
    /// A directory with a certificate for each of [`NAMES`] and for `*.wild.example.com`.
    pub(crate) async fn new() -> Checked<Self> {
        let folder = tempfile::tempdir()?;
        let shared = Self {
            store: DirectoryStore::open(folder.path()).await?,
            pki: TestPki::new()?,
            folder,
        };
        for (name, key_type) in NAMES {
            shared.renew(name, key_type).await?;
        }
        shared
            .renew("*.wild.example.com", KeyType::EcdsaP256)
            .await?;
        Ok(shared)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn root_pem(&self) -> String {
        self.pki.root_pem()
    }

    /// Puts a new key and certificate for this name, as a renewal does.
    pub(crate) async fn renew(&self, name: &str, key_type: KeyType) -> Checked<CertificateChain> {
        let name = name.parse()?;
        let key = PrivateKey::generate(key_type)?;
        let validity = CertificateValidity::starting(Timestamp::now(), LIFETIME);
        let names = std::slice::from_ref(&name);
        let chain = self
            .pki
            .issue(&key.public_jwk().to_spki_der()?, names, validity)?;
        let bundle = CertificateBundle::new(key, chain)?;
        let expected = match self.store.get(&name).await? {
            Some(entry) => entry.version.into(),
            None => Expect::Absent,
        };
        self.store.put(&name, &bundle, expected).await?;
        Ok(bundle.chain().clone())
    }

    /// What the store has for this name.
    pub(crate) async fn bundle(&self, name: &str) -> Checked<CertificateBundle> {
        let entry = self.store.get(&name.parse()?).await?;
        let bundle = entry.as_ref().and_then(|entry| entry.bundle());
        Ok(bundle.ok_or("there is no bundle")?.clone())
    }

    /// Leaves a link, as an operator may.
    pub(crate) fn link(&self, from: &str, to: &str) -> Checked {
        Ok(symlink(format!("{to}.pem"), self.file(from))?)
    }

    /// Asks for a certificate, as an operator does.
    pub(crate) fn ask(&self, name: &str) -> Checked {
        Ok(fs::write(self.file(name), "")?)
    }

    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.path().join(format!("{name}.pem"))
    }
}
