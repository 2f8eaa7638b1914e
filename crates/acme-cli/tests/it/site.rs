//! A site to serve: a certificate directory, files, a port, and a CA that knocks there.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use acme_messages::CertificateInfo;
use acme_testing::TestCa;
use acme_tests::{Child, Client, Error, free_port};
use tempfile::TempDir;

/// Longer than anything here takes on a slow machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Site {
    pub(crate) ca: TestCa,
    pub(crate) port: u16,
    folder: TempDir,
}

/// The program, with arguments.
pub(crate) fn acme<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acme"));
    command.args(arguments).env_remove("ACME_LOG");
    command
}

impl Site {
    /// A site whose certificate directory asks for certificates for these names.
    pub(crate) async fn new(names: &[&str]) -> Self {
        let port = free_port();
        let ca = TestCa::builder()
            .crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .tls_alpn_01_port(port)
            .start()
            .await
            .unwrap();
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("certs")).unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        fs::write(folder.path().join("root/index.html"), "hello from the site").unwrap();
        fs::write(folder.path().join("ca.pem"), ca.https_root_pem()).unwrap();
        let site = Self { ca, port, folder };
        for name in names {
            fs::write(site.file(name), "").unwrap();
        }
        site
    }

    pub(crate) fn certs(&self) -> PathBuf {
        self.folder.path().join("certs")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.certs().join(format!("{name}.pem"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// `acme serve` for this site, without `--agree-tos`.
    pub(crate) fn command(&self) -> Command {
        let endpoint = format!(
            "acme:{}:tcp:{}:127.0.0.1",
            self.certs().display(),
            self.port
        );
        let mut command = acme(["serve", &endpoint]);
        command
            .args(["--directory", &self.ca.directory_url()])
            .args([Path::new("--ca-root"), &self.path("ca.pem")])
            .args([Path::new("--path"), &self.path("root")]);
        command
    }

    pub(crate) fn serve(&self) -> Result<Child, Error> {
        Child::spawn("acme", self.command().arg("--agree-tos"))
    }

    /// Visits a name over real TLS, reads the page, and gives the serial of its certificate.
    pub(crate) async fn visit(&self, name: &str) -> Result<String, Error> {
        let client = Client::trusting(&self.ca.root_pem())?;
        let stream = client.connect(self.address(), name).await?;
        let leaf = &stream.get_ref().1.peer_certificates().unwrap()[0];
        Ok(CertificateInfo::from_der(leaf).unwrap().serial_hex())
    }

    /// How many orders the CA has got.
    pub(crate) fn orders(&self) -> usize {
        self.ca
            .requests()
            .iter()
            .filter(|it| it.operation == acme_testing::Operation::NewOrder)
            .count()
    }

    /// Each file is blank or whole, and there is nothing that has no business there.
    pub(crate) fn check_files(&self, names: &[&str]) {
        for file in self.files() {
            let known = file == "client.key"
                || file.starts_with('.') // A write that was cut off; the next start sweeps it.
                || names.iter().any(|name| file == format!("{name}.pem"));
            assert!(known, "{file} has no business here");
        }
        for name in names {
            let text = fs::read_to_string(self.file(name)).unwrap();
            let whole = text.starts_with("-----BEGIN PRIVATE KEY-----")
                && text.ends_with("-----END CERTIFICATE-----\n");
            assert!(text.is_empty() || whole, "{name} is damaged:\n{text}");
        }
    }

    /// What is in the certificate directory.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.certs()).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        };
        let mut files: Vec<_> = entries.map(name).collect();
        files.sort();
        files
    }
}
