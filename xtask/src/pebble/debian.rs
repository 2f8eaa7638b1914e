//! Pebble from Debian's package, installed where this process is root and has apt.

use std::path::PathBuf;

use super::{Found, Programs, Source};
use crate::apt::Apt;

/// What Debian 12 has is 2.4.0, older than both of these.
const LACKS: &[&str] = &["renewal information (ARI)", "profiles"];

/// `apt-get install pebble`.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) apt: Apt,
    pub(super) installed_into: PathBuf,
}

impl Package {
    pub(super) fn new() -> Self {
        Self {
            apt: Apt::new(),
            installed_into: PathBuf::from("/usr/bin"),
        }
    }
}

impl Source for Package {
    fn name(&self) -> String {
        "the Debian package `pebble`".to_owned()
    }

    fn look(&self) -> Result<Found, String> {
        self.apt.install(&["pebble"])?;
        let programs = Programs::in_folder(&self.installed_into)?;
        Ok(Found {
            programs,
            lacks: LACKS,
            remark: "older than the pinned version".to_owned(),
        })
    }
}
