//! `acme ca` while a client speaks with it.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::openssl;
use super::process::Background;

/// How long the CA may take to start.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// A running CA; it ends with this value.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) directory: String,
    /// What its https certificate is verified with.
    pub(super) https_root: PathBuf,
    /// What the certificates that it issues are verified with: its usual root, then others.
    pub(super) roots: Vec<PathBuf>,
    /// An external account that accounts must be bound to.
    pub(super) external_account: Option<(String, String)>,
    log: PathBuf,
    _process: Background,
}

impl Authority {
    pub(super) fn start(
        acme: &Path,
        folder: &Path,
        http_port: u16,
        tls_port: u16,
        arguments: &[&str],
    ) -> Result<Self, String> {
        // A folder of its own: some clients trust all that lies in a folder.
        let trusted = folder.join("trusted");
        fs::create_dir_all(&trusted).map_err(|error| error.to_string())?;
        let https_root = trusted.join("ca-certificates.crt");
        let issuer_root = folder.join("issuer-root.pem");
        let log = folder.join("ca.log");
        let errors = File::create(&log).map_err(|error| error.to_string())?;
        let mut command = Command::new(acme);
        command
            .args(["ca", "--json", "--listen", "127.0.0.1:0"])
            .args([Path::new("--root-out"), &https_root])
            .args([Path::new("--issuer-root-out"), &issuer_root])
            .args(["--http-01-port", &http_port.to_string()])
            .args(["--tls-alpn-01-port", &tls_port.to_string()])
            .args(arguments)
            .env("ACME_LOG", "acme_testing=debug")
            .stdout(Stdio::piped())
            .stderr(errors);
        let mut process = Background::start(&mut command)?;
        let (sender, first) = mpsc::channel();
        let output = process.stdout();
        thread::spawn(move || {
            let mut line = String::new();
            if let Some(output) = output {
                // An empty line says that there is none.
                let _ = BufReader::new(output).read_line(&mut line);
            }
            let _ = sender.send(line);
        });
        let line = first
            .recv_timeout(STARTS_WITHIN)
            .map_err(|_| "the CA does not start".to_owned())?;
        let ready: Value = serde_json::from_str(&line)
            .map_err(|_| format!("the CA does not start, see {}", log.display()))?;
        let directory = ready["directory"].as_str();
        Ok(Self {
            directory: directory.ok_or("the CA tells no directory")?.to_owned(),
            https_root,
            roots: split(&issuer_root).map_err(|error| error.to_string())?,
            external_account: external_account(arguments),
            log,
            _process: process,
        })
    }

    /// The common name of the root that its other chain leads to.
    pub(super) fn other_root(&self) -> Option<String> {
        openssl::common_name(self.roots.get(1)?)
    }

    /// What it has logged so far.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Writes each root of a file into one of its own.
fn split(file: &Path) -> io::Result<Vec<PathBuf>> {
    let text = fs::read_to_string(file)?;
    let mut files = Vec::new();
    for pem in text.split_inclusive("-----END CERTIFICATE-----\n") {
        let path = file.with_file_name(format!("issuer-root-{}.pem", files.len()));
        fs::write(&path, pem)?;
        files.push(path);
    }
    Ok(files)
}

/// The identifier and the key in `--eab KID:KEY`.
fn external_account(arguments: &[&str]) -> Option<(String, String)> {
    let at = arguments.iter().position(|it| *it == "--eab")?;
    let (id, key) = arguments.get(at + 1)?.split_once(':')?;
    Some((id.to_owned(), key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_come_apart_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let pem = |body: &str| {
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        };
        let file = folder.path().join("roots.pem");
        fs::write(&file, pem("one") + &pem("two")).unwrap();
        let files = split(&file).unwrap();
        assert_eq!(files.len(), 2);
        assert_eq!(fs::read_to_string(&files[1]).unwrap(), pem("two"));
    }

    #[test]
    fn an_external_account_is_found_among_the_arguments() {
        let found = external_account(&["--seed", "1", "--eab", "customer:key"]);
        assert_eq!(found, Some(("customer".to_owned(), "key".to_owned())));
        assert_eq!(external_account(&["--seed", "1"]), None);
        assert_eq!(external_account(&["--eab"]), None);
    }
}
