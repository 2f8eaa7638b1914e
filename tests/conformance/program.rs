//! The `acme` program against Pebble: serve, restart, be killed, serve on.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use acme_tests::{Child, Client, Error, Pebble, Programs, acme_program, free_port, skipped};
use tempfile::TempDir;

/// Longer than anything here takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(60);

/// What Pebble logs when an order is asked for, a refused nonce or not.
const ORDER: &str = "POST /order-plz";

/// What Pebble logs when an order is placed.
const PLACED: &str = "Added order";

/// A certificate directory, files to serve, and a port.
struct Site {
    folder: TempDir,
    port: u16,
}

impl Site {
    fn new(names: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("certs")).unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        fs::write(folder.path().join("root/index.html"), "hello from the site").unwrap();
        let site = Self {
            folder,
            port: free_port(),
        };
        for name in names {
            fs::write(site.file(name), "").unwrap();
        }
        site
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("certs/{name}.pem"))
    }

    fn serve(&self, pebble: &Pebble) -> Result<Child, Error> {
        let certs = self.folder.path().join("certs");
        let endpoint = format!("acme:{}:tcp:{}:127.0.0.1", certs.display(), self.port);
        let mut command = Command::new(acme_program()?);
        command
            .args(["serve", &endpoint, "--agree-tos", "--log", "info"])
            .args(["--directory", pebble.directory_url()])
            .arg("--ca-root")
            .arg(pebble.https_root_file())
            .arg("--path")
            .arg(self.folder.path().join("root"));
        Child::spawn("acme", &mut command)
    }

    /// Visits a name over real TLS and gives the serial of its certificate.
    async fn visit(&self, pebble: &Pebble, name: &str) -> Result<Vec<u8>, Error> {
        let client = Client::trusting(&pebble.issuing_root_pem().await?)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let stream = client.connect(address, name).await?;
        let leaf = &stream.get_ref().1.peer_certificates().unwrap()[0];
        Ok(acme_messages::CertificateInfo::from_der(leaf)
            .unwrap()
            .serial)
    }

    /// OpenSSL, which nobody here wrote, verifies the chain to Pebble's root.
    async fn openssl_verifies(&self, pebble: &Pebble, name: &str) -> Result<(), Error> {
        let root = self.folder.path().join("issuer.pem");
        fs::write(&root, pebble.issuing_root_pem().await?).unwrap();
        let connect = format!("127.0.0.1:{}", self.port);
        let output = Command::new("openssl")
            .args(["s_client", "-brief", "-verify_return_error"])
            .args(["-servername", name, "-verify_hostname", name])
            .args(["-connect", &connect, "-CAfile"])
            .arg(root)
            .stdin(Stdio::null())
            .output();
        let Ok(output) = output else {
            skipped("openssl verifies", "there is no openssl");
            return Ok(());
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        assert!(said.contains("Verification: OK"), "{said}");
        Ok(())
    }

    /// Each file is blank or a whole certificate, and there is nothing else.
    fn check_files(&self, names: &[&str]) {
        for entry in fs::read_dir(self.folder.path().join("certs")).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            let expected = file == "client.key"
                || file.starts_with('.') // A write that was cut off; the next start sweeps it.
                || names.iter().any(|name| file == format!("{name}.pem"));
            assert!(expected, "{file} has no business here");
        }
        for name in names {
            let text = fs::read_to_string(self.file(name)).unwrap();
            let whole = text.starts_with("-----BEGIN PRIVATE KEY-----")
                && text.ends_with("-----END CERTIFICATE-----\n");
            assert!(text.is_empty() || whole, "{name} is damaged:\n{text}");
        }
    }
}

#[tokio::test]
async fn serves_several_names_and_restarts_without_an_order() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("the program serves")? else {
        return Ok(());
    };
    let names = ["a.example.com", "b.example.com", "c.example.com"];
    let site = Site::new(&names);
    let pebble = Pebble::builder(programs)
        .tls_port(site.port)
        .start()
        .await?;
    let mut acme = site.serve(&pebble)?;
    let mut serials = Vec::new();
    for name in names {
        acme.line(&format!("{name}: certificate"), LIMIT).await?;
        serials.push(site.visit(&pebble, name).await?);
    }
    site.check_files(&names);
    site.openssl_verifies(&pebble, names[0]).await?;
    acme.stop().await?;
    let orders = pebble.log().count(PLACED);
    assert_eq!(orders, names.len());

    let mut acme = site.serve(&pebble)?;
    acme.line("Found 0 overdue / expired and 0 expiring", LIMIT)
        .await?;
    for (name, serial) in names.iter().zip(&serials) {
        assert_eq!(&site.visit(&pebble, name).await?, serial);
    }
    assert_eq!(pebble.log().count(PLACED), orders);
    acme.stop().await?;
    pebble.stop().await
}

#[tokio::test]
async fn killed_while_issuing_it_ends_with_a_valid_certificate() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("the program is killed")? else {
        return Ok(());
    };
    let name = "killed.example.com";
    let site = Site::new(&[name]);
    let pebble = Pebble::builder(programs)
        .tls_port(site.port)
        .start()
        .await?;
    for moment in [ORDER, "POST /chalZ/", "POST /finalize-order/"] {
        let before = pebble.log().count(moment);
        let acme = site.serve(&pebble)?;
        pebble.log().nth_line(before + 1, moment, LIMIT).await?;
        acme.kill().await?;
        site.check_files(&[name]);
    }
    let mut acme = site.serve(&pebble)?;
    acme.line("expiring certificates.", LIMIT).await?;
    while site.visit(&pebble, name).await.is_err() {
        acme.line(&format!("{name}: certificate"), LIMIT).await?;
    }
    site.check_files(&[name]);
    acme.stop().await?;
    pebble.stop().await
}

#[tokio::test]
async fn a_name_added_while_it_runs_is_issued() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("a name is added")? else {
        return Ok(());
    };
    let site = Site::new(&[]);
    let pebble = Pebble::builder(programs)
        .tls_port(site.port)
        .start()
        .await?;
    let mut acme = site.serve(&pebble)?;
    acme.line("No names yet", LIMIT).await?;
    fs::write(site.file("late.example.com"), "").unwrap();
    acme.line("late.example.com: certificate", LIMIT).await?;
    site.visit(&pebble, "late.example.com").await?;
    acme.stop().await?;
    pebble.stop().await
}
