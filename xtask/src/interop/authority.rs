//! `acme ca` while a client speaks with it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::process::Background;

/// How long the CA may take to start.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// A running CA; it ends with this value.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) directory: String,
    /// What its https certificate is verified with.
    pub(super) https_root: PathBuf,
    /// What the certificates that it issues are verified with.
    pub(super) issuer_root: PathBuf,
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
            issuer_root,
            log,
            _process: process,
        })
    }

    /// What it has logged so far.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}
