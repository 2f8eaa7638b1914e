//! Programs in Python, with the packages they need, in a folder of their own below `target/`.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::command::run_within;

/// How long making an empty environment may take.
const MADE_WITHIN: Duration = Duration::from_secs(120);

/// How long bringing all packages may take.
const INSTALLED_WITHIN: Duration = Duration::from_secs(600);

/// The file that says which packages are installed; it is written last.
const INSTALLED: &str = "installed.txt";

/// An environment with exactly the packages of one list.
#[derive(Debug)]
pub(super) struct Venv {
    /// The Python that makes it.
    pub(super) python: OsString,
    pub(super) folder: PathBuf,
    /// A list for pip, each package with its version.
    pub(super) requirements: PathBuf,
}

impl Venv {
    /// The environment's Python; the packages are brought unless they are there.
    pub(super) fn find(&self, install: bool) -> Result<PathBuf, String> {
        let python = self.folder.join("bin").join("python");
        let wanted = fs::read_to_string(&self.requirements)
            .map_err(|error| format!("{}: {error}", self.requirements.display()))?;
        let installed = fs::read_to_string(self.folder.join(INSTALLED));
        if installed.is_ok_and(|it| it == wanted) && python.exists() {
            return Ok(python);
        }
        if !install {
            return Err(format!(
                "{} is not there, and nothing is to be installed",
                self.folder.display()
            ));
        }
        self.install(&python, &wanted)?;
        Ok(python)
    }

    fn install(&self, python: &PathBuf, wanted: &str) -> Result<(), String> {
        let packages: Vec<_> = wanted.lines().collect();
        println!(
            "installing from PyPI into {}: {}",
            self.folder.display(),
            packages.join(" ")
        );
        let mut venv = Command::new(&self.python);
        venv.args(["-m", "venv", "--clear"]).arg(&self.folder);
        let ran = run_within(MADE_WITHIN, &mut venv);
        if !ran.succeeded() {
            return Err(format!("{} -m venv: {ran}", self.python.to_string_lossy()));
        }
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "install", "--disable-pip-version-check"])
            .arg("--requirement")
            .arg(&self.requirements);
        let ran = run_within(INSTALLED_WITHIN, &mut pip);
        if !ran.succeeded() {
            return Err(format!("pip install: {ran}"));
        }
        let installed = self.folder.join(INSTALLED);
        fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A Python that makes environments whose Python notes that it was asked, and ends so.
    fn venv(folder: &Path, pip_ends_with: u8) -> Venv {
        let python = folder.join("python3");
        let inner = format!(
            "echo asked >> \"{}/asked\"; exit {pip_ends_with}",
            folder.display()
        );
        let script = format!(
            "#!/bin/sh\nmkdir -p \"$4/bin\"\nprintf '%s\\n' '#!/bin/sh' '{inner}' > \"$4/bin/python\"\n\
             chmod +x \"$4/bin/python\"\n"
        );
        // Written by another process: one forked meanwhile would keep ours from being run.
        let status = Command::new("sh")
            .args(["-c", "printf '%s' \"$1\" > \"$0\" && chmod 755 \"$0\""])
            .arg(&python)
            .arg(script)
            .status()
            .unwrap();
        assert!(status.success());
        fs::write(folder.join("list.txt"), "a==1\n").unwrap();
        Venv {
            python: python.into(),
            folder: folder.join("venv"),
            requirements: folder.join("list.txt"),
        }
    }

    fn asked(folder: &Path) -> usize {
        fs::read_to_string(folder.join("asked")).map_or(0, |it| it.lines().count())
    }

    #[test]
    fn packages_are_brought_once_for_each_list() {
        let folder = tempfile::tempdir().unwrap();
        let venv = venv(folder.path(), 0);
        assert!(
            venv.find(false)
                .unwrap_err()
                .contains("nothing is to be installed")
        );
        assert_eq!(asked(folder.path()), 0);
        let python = venv.find(true).unwrap();
        assert_eq!(venv.find(true).unwrap(), python);
        assert_eq!(venv.find(false).unwrap(), python);
        assert_eq!(asked(folder.path()), 1);
        fs::write(folder.path().join("list.txt"), "a==2\n").unwrap();
        assert!(venv.find(false).is_err());
        venv.find(true).unwrap();
        assert_eq!(asked(folder.path()), 2);
    }

    #[test]
    fn what_failed_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let broken = venv(folder.path(), 3);
        assert!(broken.find(true).unwrap_err().contains("pip install"));
        assert!(broken.find(false).is_err(), "half of it is none of it");
        venv(folder.path(), 0).find(true).unwrap();
    }

    #[test]
    fn without_python_the_reason_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut venv = venv(folder.path(), 0);
        venv.python = "no-such-python".into();
        assert!(venv.find(true).unwrap_err().contains("no-such-python"));
    }
}
