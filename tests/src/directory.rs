//! A directory that someone names: any CA's, such as a staging environment.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::error::Error;
use crate::pebble::skipped;

/// A CA to run the suite of behaviours against, from variables in the environment.
///
/// | variable | is |
/// |---|---|
/// | `ACME_TEST_DIRECTORY` | the URL of the CA's directory |
/// | `ACME_TEST_HOST` | a domain; every name below it leads to this machine |
/// | `ACME_TEST_LISTEN` | where http-01 is answered; `0.0.0.0:80` unless set |
/// | `ACME_TEST_ROOTS` | a file of the roots that the CA's own HTTPS is trusted by; the system's unless set |
/// | `ACME_TEST_AGREE_TO_TERMS` | `1` agrees to the CA's terms of service, which nothing else does |
/// | `ACME_TEST_CONTACT` | the account's contact, such as `mailto:admin@example.com`; none unless set |
/// | `ACME_TEST_EAB_KEY_ID` | the identifier of the key that the account is bound by; none unless set |
/// | `ACME_TEST_EAB_KEY_FILE` | a file of that key, as the CA shows it |
///
/// A run places about thirty orders: do not name a CA that counts them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestDirectory {
    /// The directory's URL.
    pub url: String,
    /// The domain that names are made up below.
    pub host: String,
    /// Where http-01 is answered.
    pub listen: SocketAddr,
    /// The roots of the CA's own HTTPS.
    pub roots: Option<PathBuf>,
    /// Whether the terms of service are agreed to.
    pub agree_to_terms: bool,
    /// The account's contact, a URL.
    pub contact: Option<String>,
    /// The identifier of the key that binds the account, and the file of the key.
    pub external_account: Option<(String, PathBuf)>,
}

impl TestDirectory {
    /// The directory that the environment names, or `None` after saying aloud that `test` is
    /// skipped.
    ///
    /// # Errors
    ///
    /// - As [`TestDirectory::from_variables`].
    pub fn or_skip(test: &str) -> Result<Option<Self>, Error> {
        let directory = Self::from_variables(|name| std::env::var_os(name))?;
        if directory.is_none() {
            skipped(
                test,
                "must provide ACME_TEST_DIRECTORY and ACME_TEST_HOST to run it against a CA",
            );
        }
        Ok(directory)
    }

    /// The directory by variables that `variable` looks up; `None` when neither a directory nor
    /// a host is named.
    ///
    /// # Errors
    ///
    /// - [`Error::Variable`]: one of two that belong together is not named although the other is,
    ///   or a variable cannot be what it is to be.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<Self>, Error> {
        let text = |name| match variable(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => value
                .into_string()
                .map(Some)
                .map_err(|_| Error::variable(name, "it is not text")),
        };
        let (url, host) = match (text("ACME_TEST_DIRECTORY")?, text("ACME_TEST_HOST")?) {
            (None, None) => return Ok(None),
            (Some(url), Some(host)) => (url, host),
            (Some(_), None) => {
                let why = "it is not set, and ACME_TEST_DIRECTORY is";
                return Err(Error::variable("ACME_TEST_HOST", why));
            }
            (None, Some(_)) => {
                let why = "it is not set, and ACME_TEST_HOST is";
                return Err(Error::variable("ACME_TEST_DIRECTORY", why));
            }
        };
        let external_account = match (
            text("ACME_TEST_EAB_KEY_ID")?,
            text("ACME_TEST_EAB_KEY_FILE")?,
        ) {
            (None, None) => None,
            (Some(id), Some(file)) => Some((id, PathBuf::from(file))),
            (Some(_), None) => {
                let why = "it is not set, and ACME_TEST_EAB_KEY_ID is";
                return Err(Error::variable("ACME_TEST_EAB_KEY_FILE", why));
            }
            (None, Some(_)) => {
                let why = "it is not set, and ACME_TEST_EAB_KEY_FILE is";
                return Err(Error::variable("ACME_TEST_EAB_KEY_ID", why));
            }
        };
        let listen = text("ACME_TEST_LISTEN")?;
        let listen = listen.unwrap_or_else(|| "0.0.0.0:80".to_owned());
        let listen = listen
            .parse()
            .map_err(|_| Error::variable("ACME_TEST_LISTEN", "it is not an address with a port"))?;
        Ok(Some(Self {
            url,
            host,
            listen,
            roots: text("ACME_TEST_ROOTS")?.map(PathBuf::from),
            agree_to_terms: text("ACME_TEST_AGREE_TO_TERMS")?.as_deref() == Some("1"),
            contact: text("ACME_TEST_CONTACT")?,
            external_account,
        }))
    }
}
