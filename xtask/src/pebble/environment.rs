//! Pebble named by the variables `PEBBLE` and `CHALLTESTSRV`.

use std::ffi::OsString;
use std::path::Path;

use super::{Found, Programs, Source};

/// The two variables.
#[derive(Debug)]
pub(super) struct Environment {
    pub(super) pebble: Option<OsString>,
    pub(super) challtestsrv: Option<OsString>,
}

impl Environment {
    pub(super) fn of_this_process() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            pebble: set("PEBBLE"),
            challtestsrv: set("CHALLTESTSRV"),
        }
    }
}

impl Source for Environment {
    fn name(&self) -> String {
        "the variables PEBBLE and CHALLTESTSRV".to_owned()
    }

    fn look(&self) -> Result<Found, String> {
        match (&self.pebble, &self.challtestsrv) {
            (None, None) => Err("neither is set".to_owned()),
            (None, Some(_)) => Err("PEBBLE is not set".to_owned()),
            (Some(_), None) => Err("CHALLTESTSRV is not set".to_owned()),
            (Some(pebble), Some(challtestsrv)) => {
                let programs = Programs::checked(Path::new(pebble), Path::new(challtestsrv))?;
                let remark = programs.pebble.display().to_string();
                Ok(Found::new(programs).remark(remark))
            }
        }
    }
}
