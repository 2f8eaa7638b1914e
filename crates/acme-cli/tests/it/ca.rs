//! `acme ca`: a CA for tests in a process of its own.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use acme_client::{
    AcmeAuthority, AcmeAuthorityBuilder, CertificateAuthority, CertificateRequest, Client,
    ExternalAccount, HyperTransport,
};
use acme_messages::{
    ProblemType, ServerName,
    jose::{KeyType, PrivateKey},
};
use acme_responders::Http01Responder;
use acme_testing::TestDns;
use acme_tests::{Child, Error};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::site::{LIMIT, acme};

/// A running `acme ca`, and what it said when it was ready.
struct Ca {
    child: Child,
    directory: String,
    https_root: PathBuf,
    issuer_root: PathBuf,
}

impl Ca {
    async fn start(arguments: &[&str]) -> Self {
        let mut command = acme(["ca", "--listen", "127.0.0.1:0", "--json"]);
        let mut child = Child::spawn("acme ca", command.args(arguments)).unwrap();
        let line = child.line("\"ready\"", LIMIT).await.unwrap();
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        let member = |name: &str| event[name].as_str().unwrap().to_owned();
        Self {
            directory: member("directory"),
            https_root: member("https_root").into(),
            issuer_root: member("issuer_root").into(),
            child,
        }
    }

    /// The HTTP status of a look at its directory, by someone who trusts only its root.
    async fn directory_status(&self) -> u16 {
        let root = fs::read_to_string(&self.https_root).unwrap();
        let client = acme_tests::Client::trusting(&root).unwrap();
        client.get(&self.directory).await.unwrap().status.as_u16()
    }

    async fn stop(self) {
        let status = self.child.stop().await.unwrap();
        assert!(status.success(), "{status}");
    }
}

/// Our own client, with a new account, trusting the CA's root and no other.
fn authority(ca: &Ca) -> AcmeAuthority {
    builder(ca).build()
}

fn builder(ca: &Ca) -> AcmeAuthorityBuilder {
    let transport = HyperTransport::builder()
        .crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .only_roots_pem(&fs::read(&ca.https_root).unwrap())
        .unwrap()
        .build()
        .unwrap();
    let client = Client::builder(&ca.directory, transport).build().unwrap();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    AcmeAuthority::builder(client, Arc::new(key)).agree_to_terms_of_service(true)
}

#[tokio::test]
async fn a_client_that_trusts_the_written_root_gets_a_certificate() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let ca = Ca::start(&["--http-01-port", &port, "--validity", "2h"]).await;
    let http_01 = Http01Responder::new();
    let served = http_01.clone();
    tokio::spawn(async move { served.serve(listener).await });

    let names: Vec<ServerName> = vec!["www.example.com".parse().unwrap()];
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let request = CertificateRequest::for_names(&names, &key)
        .unwrap()
        .responder(Arc::new(http_01));
    let issued = authority(&ca).obtain(&request).await.unwrap();

    let leaf = issued.chain.leaf();
    assert_eq!(leaf.names, names);
    let seconds = leaf.not_after.as_second() - leaf.not_before.as_second();
    assert!((7_000..12_000).contains(&seconds), "{seconds}");
    let root = fs::read_to_string(&ca.issuer_root).unwrap();
    assert_ne!(root, fs::read_to_string(&ca.https_root).unwrap());
    verified_by_openssl(&issued.chain.to_pem(), &ca.issuer_root);
    ca.stop().await;
}

fn verified_by_openssl(chain: &str, root: &Path) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("chain.pem");
    fs::write(&file, chain).unwrap();
    let output = std::process::Command::new("openssl")
        .arg("verify")
        .args([Path::new("-CAfile"), root, Path::new("-untrusted"), &file])
        .arg(&file)
        .output();
    match output {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(_) => acme_tests::skipped("openssl verifies the chain", "there is no openssl"),
    }
}

#[tokio::test]
async fn lines_for_people_say_where_it_is_and_what_it_is_for() -> Result<(), Error> {
    let mut ca = Child::spawn("acme ca", &mut acme(["ca", "--listen", "127.0.0.1:0"]))?;
    // The warning comes over the other pipe, and perhaps later.
    ca.line("acme: warning: this CA is for tests", LIMIT)
        .await?;
    ca.line("Ready.", LIMIT).await?;
    let log = ca.log().clone();
    let said = log.text();
    assert!(said.contains("Directory: https://127.0.0.1:"), "{said}");
    let after = |mark: &str| {
        said.split_once(mark)
            .unwrap()
            .1
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    for mark in ["Trust this for its https: ", "Root of its certificates: "] {
        let pem = fs::read_to_string(after(mark)).unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
    }
    let status = ca.stop().await?;
    assert!(status.success(), "{status}");
    assert!(log.text().ends_with("Ended."), "{}", log.text());
    let folder = PathBuf::from(after("Trust this for its https: "));
    assert!(
        !folder.parent().unwrap().exists(),
        "{folder:?} is left behind"
    );
    Ok(())
}

#[tokio::test]
async fn every_signal_to_end_ends_it_well() -> Result<(), Error> {
    for signal in [Signal::INT, Signal::TERM] {
        let mut ca = Ca::start(&[]).await;
        let id = Pid::from_raw(ca.child.id().try_into().unwrap()).unwrap();
        kill_process(id, signal).unwrap();
        let status = ca.child.wait(LIMIT).await?;
        assert!(status.success(), "{signal:?}: {status}");
        let last = ca.child.log().lines().pop();
        assert_eq!(last.as_deref(), Some("{\"event\":\"ended\"}"));
    }
    Ok(())
}

#[tokio::test]
async fn root_files_replace_what_was_there_and_stay() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("root.pem"), "an older root, and longer\n".repeat(100)).unwrap();
    let (root, issuer) = (path("root.pem"), path("issuer.pem"));
    let arguments = [
        "--root-out",
        root.to_str().unwrap(),
        "--issuer-root-out",
        issuer.to_str().unwrap(),
    ];
    let ca = Ca::start(&arguments).await;
    assert_eq!((&ca.https_root, &ca.issuer_root), (&root, &issuer));
    assert_eq!(ca.directory_status().await, 200);
    ca.stop().await;
    for file in [root, issuer] {
        let pem = fs::read_to_string(&file).unwrap();
        assert_eq!(pem.matches("-----BEGIN CERTIFICATE-----").count(), 1);
        assert!(pem.ends_with("-----END CERTIFICATE-----\n"), "{pem}");
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o400, 0o400);
        assert_eq!(mode & 0o111, 0);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn a_fault_happens_as_told() {
    let faults = ["fail:503@directory=1x", "html:502@directory=1x"];
    let ca = Ca::start(&["--fault", faults[0], "--fault", faults[1]]).await;
    assert_eq!(ca.directory_status().await, 503);
    assert_eq!(ca.directory_status().await, 502);
    assert_eq!(ca.directory_status().await, 200);
    ca.stop().await;

    let ca = Ca::start(&["--fault", "bad-nonce"]).await;
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let names: Vec<ServerName> = vec!["www.example.com".parse().unwrap()];
    let request = CertificateRequest::for_names(&names, &key).unwrap();
    let error = authority(&ca).obtain(&request).await.unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!(problem.kind, ProblemType::BadNonce, "{error:?}");
    ca.stop().await;
}

#[test]
fn bad_input_is_named_and_nothing_is_written() {
    let folder = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let check = |arguments: &[&str], status: i32, parts: &[&str]| {
        let output = acme(["ca"])
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {error}");
        for part in parts {
            assert!(
                error.contains(part),
                "{arguments:?} lacks {part:?}: {error}"
            );
        }
        assert!(output.stdout.is_empty(), "{arguments:?} says something");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    };
    let here = ["--listen", "127.0.0.1:0"];
    let with = |more: &[&'static str]| [&here[..], more].concat();
    check(
        &["--listen", &taken],
        3,
        &[&taken, "another program", "--listen"],
    );
    check(
        &["--listen", "192.0.2.1:0"],
        3,
        &["192.0.2.1:0", "--listen"],
    );
    check(&["--listen", "somewhere"], 2, &["somewhere", "--listen"]);
    check(
        &with(&["--root-out", "none/root.pem"]),
        3,
        &["--root-out none/root.pem"],
    );
    check(
        &with(&["--issuer-root-out", "."]),
        3,
        &["--issuer-root-out ."],
    );
    let same = ["--root-out", "r.pem", "--issuer-root-out", "r.pem"];
    check(&with(&same), 3, &["same file"]);
    check(&with(&["--validity", "90"]), 2, &["--validity", "90d"]);
    check(&with(&["--http-01-port", "65536"]), 2, &["--http-01-port"]);
    check(
        &with(&["--fault", "gremlins=1"]),
        2,
        &["gremlins", "bad-nonce", "slow-body:MILLISECONDS"],
    );
    check(
        &with(&["--fault", "bad-nonce=2"]),
        2,
        &["--fault", "a rate from 0 to 1"],
    );
    check(&with(&["--style", "baroque"]), 2, &["--style", "pebble"]);
    check(
        &with(&["--challenge", "tea-01"]),
        2,
        &["tea-01", "dns-persist-01"],
    );
    check(&with(&["--perspectives", "0"]), 2, &["--perspectives"]);
    check(&with(&["--profile", "=6d"]), 2, &["--profile", "NAME=SPAN"]);
    check(&with(&["--alternates", "5"]), 2, &["--alternates"]);
    check(&with(&["--eab", "keyless"]), 3, &["--eab", "KID:KEY"]);
    let plain = ["--danger-plain-http", "--root-out", "r.pem"];
    check(&with(&plain), 2, &["--root-out", "--danger-plain-http"]);
    let everywhere = ["--listen", "0.0.0.0:0", "--danger-plain-http"];
    check(&everywhere, 3, &["0.0.0.0", "loopback"]);
}

#[test]
fn a_bad_key_is_not_shown() {
    let listen = ["--listen", "127.0.0.1:0"];
    let output = acme(["ca", "--eab", "customer-7:not+base64url"])
        .args(listen)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("--eab customer-7"), "{error}");
    assert!(!error.contains("not+base64url"), "{error}");
}

#[tokio::test]
async fn it_asks_for_an_external_account_when_it_knows_one() {
    let secret = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let ca = Ca::start(&["--eab", &format!("customer-7:{secret}")]).await;
    let unbound = builder(&ca).build();
    assert!(unbound.account().await.is_err());
    for (id, accepted) in [("customer-7", true), ("customer-8", false)] {
        let external = ExternalAccount::new(id, secret).unwrap();
        let bound = builder(&ca).external_account(external).build();
        let account = bound.account().await;
        assert_eq!(account.is_ok(), accepted, "{id}: {account:?}");
    }
    assert!(!ca.child.log().text().contains(secret));
    ca.stop().await;
}

#[tokio::test]
async fn without_tls_there_is_one_root() {
    let mut command = acme(["ca", "--listen", "127.0.0.1:0", "--json"]);
    let mut ca = Child::spawn("acme ca", command.arg("--danger-plain-http")).unwrap();
    let line = ca.line("\"ready\"", LIMIT).await.unwrap();
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(event["https_root"].is_null(), "{line}");
    assert!(Path::new(event["issuer_root"].as_str().unwrap()).exists());
    let directory = event["directory"].as_str().unwrap();
    let client = acme_tests::Client::trusting("").unwrap();
    assert_eq!(client.get(directory).await.unwrap().status, 200);
    assert!(ca.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_wildcard_is_proved_at_the_dns_server_it_is_told() {
    let dns = TestDns::start().await.unwrap();
    let resolver = dns.address().to_string();
    let ca = Ca::start(&["--resolver", &resolver, "--challenge", "dns-01"]).await;
    let names: Vec<ServerName> = vec!["*.example.com".parse().unwrap()];
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let request = CertificateRequest::for_names(&names, &key)
        .unwrap()
        .responder(Arc::new(dns.responder()));
    let issued = authority(&ca).obtain(&request).await.unwrap();
    assert_eq!(issued.chain.leaf().names, names);
    ca.stop().await;
}

#[tokio::test]
async fn alternates_have_roots_of_their_own() {
    let ca = Ca::start(&["--alternates", "2"]).await;
    let roots = fs::read_to_string(&ca.issuer_root).unwrap();
    assert_eq!(roots.matches("-----BEGIN CERTIFICATE-----").count(), 3);
    ca.stop().await;
}

#[test]
fn an_output_that_takes_nothing_is_named() {
    let full = fs::File::options().write(true).open("/dev/full");
    let Ok(full) = full else {
        return acme_tests::skipped("an output that is full", "there is no /dev/full");
    };
    let output = acme(["ca", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::from(full))
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("standard output"), "{error}");
}
