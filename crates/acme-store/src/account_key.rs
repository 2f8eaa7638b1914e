//! `client.key`: the account's key, beside the certificates it was used for.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use acme_messages::jose::{KeyError, KeyType, PrivateKey};

use crate::{
    DirectoryOptions, StoreError,
    bundle::readable,
    directory::{Folder, Temporary, in_time, io_error, open, read},
    disk_work::disk_work,
};

/// The file's name, which txacme gave it.
pub(crate) const FILE_NAME: &str = "client.key";

/// Reads the account key of a certificate directory, or makes one if there is none.
///
/// An existing `client.key` is read and never written. A new one holds a P-256
/// key as PKCS#8, is readable by its owner alone, and is there as a whole or not
/// at all: processes that start at once all get the same key.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let directory = tempfile::tempdir()?;
/// let key = acme_store::load_or_create_account_key(directory.path()).await?;
/// let again = acme_store::load_or_create_account_key(directory.path()).await?;
/// assert_eq!(key.thumbprint(), again.thumbprint());
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// - [`AccountKeyError::Key`] when there is a file that holds no key, or none that
///   this build can use. It is left as it is.
/// - [`AccountKeyError::Store`] when the directory does not exist, cannot be written
///   though it has to be, or the file cannot be read. A file that cannot be read is
///   never taken for a missing one.
#[doc(alias = "load_or_create_client_key")]
pub async fn load_or_create_account_key(
    directory: impl AsRef<Path>,
) -> Result<PrivateKey, AccountKeyError> {
    load_or_create_account_key_of_type(directory, KeyType::EcdsaP256).await
}

/// As [`load_or_create_account_key`], with a new key of this type; an existing one may be of any.
///
/// A directory that txacme is to use as well needs [`KeyType::Rsa2048`].
///
/// # Errors
/// - As [`load_or_create_account_key`], and [`AccountKeyError::Key`] when this
///   build cannot make such a key.
pub async fn load_or_create_account_key_of_type(
    directory: impl AsRef<Path>,
    key_type: KeyType,
) -> Result<PrivateKey, AccountKeyError> {
    let path = directory.as_ref().to_owned();
    let folder = Arc::new(Folder::new(path.clone()));
    let done = disk_work(async {}, move || Ok(load_or_create(&folder, key_type)));
    let limit = DirectoryOptions::DEFAULT_CALL_TIMEOUT;
    in_time(limit, "read the account key of", path, done).await?
}

fn load_or_create(folder: &Folder, key_type: KeyType) -> Result<PrivateKey, AccountKeyError> {
    let path = folder.path().join(FILE_NAME);
    if let Some(key) = load(folder, &path)? {
        return Ok(key);
    }
    let handle = folder.handle()?;
    folder.check_writable()?;
    let turn = folder.turn(handle)?;
    if let Some(key) = load(folder, &path)? {
        return Ok(key);
    }
    let unusable = |source| AccountKeyError::Key {
        path: path.clone(),
        source,
    };
    let key = PrivateKey::generate(key_type).map_err(unusable)?;
    let pem = key.to_pkcs8_pem().map_err(unusable)?;
    let created = create(folder, &path, pem.as_bytes());
    if let Err(error) = created {
        // Somebody who takes no turns may have been faster: theirs counts.
        if error.kind() != io::ErrorKind::AlreadyExists {
            return Err(io_error("create", &path, error).into());
        }
    }
    turn.sync(folder)?;
    // What counts is what everybody else will read.
    load(folder, &path)?.ok_or_else(|| {
        let gone = io::Error::from(io::ErrorKind::NotFound);
        io_error("read", &path, gone).into()
    })
}

fn create(folder: &Folder, path: &Path, pem: &[u8]) -> io::Result<()> {
    let temporary = Temporary::create(folder)?;
    let mut file = temporary.file();
    file.write_all(pem)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.sync_all()?;
    temporary.name(path)
}

fn load(folder: &Folder, path: &Path) -> Result<Option<PrivateKey>, AccountKeyError> {
    let Some((file, metadata)) = open(folder, path)? else {
        return Ok(None);
    };
    if metadata.permissions().mode() & 0o007 != 0 {
        tracing::warn!(path = %path.display(), "every user may read the account's key: `chmod o=` keeps them out");
    }
    let text = read(&file, path)?;
    let key = readable(&text).map_or(Err(KeyError::Missing), |it| PrivateKey::from_pem(&it));
    key.map(Some).map_err(|source| AccountKeyError::Key {
        path: path.to_owned(),
        source,
    })
}

/// There is no account key to use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountKeyError {
    /// The file is there, but what it holds cannot be used.
    #[error("the account key {path:?} cannot be used")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyError,
    },
    /// The directory or the file cannot be used.
    #[error("there is no way to the account key")]
    Store(#[from] StoreError),
}
