//! From nothing to the first certificate: our CA in this process, our CA as a program, Pebble.
//!
//! `cargo xtask bench ca` builds and finds the programs, and names them in `ACME_PROGRAM`,
//! `PEBBLE` and `CHALLTESTSRV`; what is not named is left out, aloud.

#![allow(missing_docs, reason = "a program of its own")]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]
#![allow(clippy::print_stdout, reason = "it prints its figures")]

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use acme_client::{
    AcmeAuthority, CertificateAuthority, CertificateRequest, Client as AcmeClient, HyperTransport,
};
use acme_messages::ServerName;
use acme_messages::jose::{KeyType, PrivateKey};
use acme_responders::Http01Responder;
use acme_testing::TestCa;
use acme_tests::{Child, Client, Identity, Pebble, Programs, free_port};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// How often each is measured; the middle one is told.
const ROUNDS: usize = 21;

/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(30);

/// How often Pebble is asked whether it answers.
const POLL: Duration = Duration::from_millis(1);

/// Answers http-01 for everybody.
struct Answers {
    responder: Http01Responder,
    port: u16,
}

/// Two moments of a round: the CA answers, the certificate is here.
#[derive(Clone, Copy)]
struct Times {
    ready: Duration,
    issued: Duration,
}

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answers = Answers {
        responder: Http01Responder::new(),
        port: listener.local_addr().unwrap().port(),
    };
    let served = answers.responder.clone();
    tokio::spawn(async move { served.serve(listener).await });

    println!("the middle of {ROUNDS} rounds each, in ms");
    println!();
    println!("| CA | until it answers | until the first certificate |");
    println!("|---|---|---|");
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(in_process(&answers).await);
    }
    let ours = tell("`TestCa` in the process of a test", &rounds);

    if let Some(acme) = std::env::var_os("ACME_PROGRAM") {
        rounds.clear();
        for _ in 0..ROUNDS {
            rounds.push(program(&acme, &answers).await);
        }
        tell("`acme ca`, a new process", &rounds);
    } else {
        println!("left out: `acme ca`, for ACME_PROGRAM is not set");
    }

    if let Some(programs) = Programs::or_skip("Pebble's figures").unwrap() {
        let pebble = std::env::var_os("PEBBLE").unwrap();
        // Only its DNS server is used: what is measured is started anew each time.
        let dns = Pebble::builder(programs).start().await.unwrap();
        rounds.clear();
        for _ in 0..ROUNDS {
            let dns = dns.dns_address().to_string();
            rounds.push(peer(&pebble, &dns, &answers).await);
        }
        let theirs = tell("Pebble, a new process", &rounds);
        let ratio = |ours: Duration, theirs: Duration| theirs.as_secs_f64() / ours.as_secs_f64();
        println!(
            "| Pebble's time as a multiple of `TestCa`'s | {:.1} | {:.1} |",
            ratio(ours.ready, theirs.ready),
            ratio(ours.issued, theirs.issued)
        );
        dns.stop().await.unwrap();
    }
}

/// Prints one row; the middle ones of both columns.
fn tell(what: &str, rounds: &[Times]) -> Times {
    let middle = |of: fn(&Times) -> Duration| {
        let mut times: Vec<_> = rounds.iter().map(of).collect();
        times.sort();
        times[times.len() / 2]
    };
    let times = Times {
        ready: middle(|it| it.ready),
        issued: middle(|it| it.issued),
    };
    let shown = |it: Duration| it.as_secs_f64() * 1e3;
    println!(
        "| {what} | {:.1} | {:.1} |",
        shown(times.ready),
        shown(times.issued)
    );
    times
}

async fn in_process(answers: &Answers) -> Times {
    let began = Instant::now();
    let ca = TestCa::builder()
        .crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .http_01_port(answers.port)
        .start()
        .await
        .unwrap();
    let ready = began.elapsed();
    issue(&ca.directory_url(), &ca.https_root_pem(), answers).await;
    let issued = began.elapsed();
    ca.shutdown().await;
    Times { ready, issued }
}

async fn program(acme: &OsString, answers: &Answers) -> Times {
    let began = Instant::now();
    let mut command = Command::new(acme);
    command
        .args(["ca", "--json", "--listen", "127.0.0.1:0", "--http-01-port"])
        .arg(answers.port.to_string())
        .env_remove("ACME_LOG");
    let mut child = Child::spawn("acme ca", &mut command).unwrap();
    let line = child.line("\"ready\"", LIMIT).await.unwrap();
    let ready = began.elapsed();
    let event: Value = serde_json::from_str(&line).unwrap();
    let root = fs::read_to_string(event["https_root"].as_str().unwrap()).unwrap();
    issue(event["directory"].as_str().unwrap(), &root, answers).await;
    let issued = began.elapsed();
    child.stop().await.unwrap();
    Times { ready, issued }
}

async fn peer(pebble: &OsString, dns: &str, answers: &Answers) -> Times {
    let folder = TempDir::new().unwrap();
    let identity = Identity::for_loopback().unwrap();
    let port = free_port();
    let config = pebble_config(folder.path(), &identity, port, answers.port);
    let client = Client::trusting(identity.root_pem()).unwrap();
    let directory = format!("https://127.0.0.1:{port}/dir");

    let began = Instant::now();
    let mut command = Command::new(pebble);
    command
        .arg("-config")
        .arg(config)
        .args(["-dnsserver", dns])
        .current_dir(folder.path())
        .env("ACME_PEBBLE_DIR", folder.path())
        .env("PEBBLE_VA_NOSLEEP", "1")
        .env("PEBBLE_WFE_NONCEREJECT", "0");
    let child = Child::spawn("pebble", &mut command).unwrap();
    while client.get(&directory).await.is_err() {
        assert!(began.elapsed() < LIMIT, "{}", child.log().text());
        tokio::time::sleep(POLL).await;
    }
    let ready = began.elapsed();
    issue(&directory, identity.root_pem(), answers).await;
    let issued = began.elapsed();
    child.stop().await.unwrap();
    Times { ready, issued }
}

/// Writes a configuration with the shortest waits that Pebble can ask for.
fn pebble_config(folder: &Path, identity: &Identity, port: u16, http: u16) -> std::path::PathBuf {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let profile = json!({ "description": "default", "validityPeriod": 7_776_000 });
    let config = json!({ "pebble": {
        "listenAddress": format!("127.0.0.1:{port}"),
        "managementListenAddress": format!("127.0.0.1:{}", free_port()),
        "certificate": file("certificate.pem", identity.certificate_pem()),
        "privateKey": file("key.pem", identity.key_pem()),
        "httpPort": http,
        "tlsPort": free_port(),
        "ocspResponderURL": "",
        "externalAccountBindingRequired": false,
        "retryAfter": { "authz": 0, "order": 0 },
        "keyAlgorithm": "ecdsa",
        "profiles": { "default": profile },
    }});
    file("pebble.json", &config.to_string())
}

/// From a new account key to a checked chain.
async fn issue(directory: &str, root: &str, answers: &Answers) {
    let transport = HyperTransport::builder()
        .crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .only_roots_pem(root.as_bytes())
        .unwrap()
        .build()
        .unwrap();
    let client = AcmeClient::builder(directory, transport).build().unwrap();
    let account_key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let authority = AcmeAuthority::builder(client, Arc::new(account_key))
        .agree_to_terms_of_service(true)
        .build();
    let names: Vec<ServerName> = vec!["www.example.com".parse().unwrap()];
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let request = CertificateRequest::for_names(&names, &key)
        .unwrap()
        .responder(Arc::new(answers.responder.clone()));
    let issued = authority.obtain(&request).await.unwrap();
    assert_eq!(issued.chain.leaf().names, names);
}
