//! `acme serve`: files over HTTPS, certificates that come and stay.

use std::{
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use acme_tests::{Child, Client, Error, free_port, skipped};
use tokio::io::AsyncWriteExt;

use crate::site::{LIMIT, Site};

// P2, E1, E9.
#[tokio::test]
async fn a_blank_file_becomes_a_served_certificate() -> Result<(), Error> {
    let names = ["www.example.com", "example.org"];
    let site = Site::new(&names).await;
    let mut acme = site.serve()?;
    for name in names {
        acme.line(&format!("{name}: certificate"), LIMIT).await?;
        site.visit(name).await?;
    }
    site.check_files(&names);
    for file in site.files() {
        let mode = site.certs().join(&file).metadata().unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{file}");
    }
    acme.stop().await.map(drop)
}

#[tokio::test]
async fn files_are_served_and_nothing_beside_them() -> Result<(), Error> {
    let site = Site::new(&["localhost"]).await;
    let mut acme = site.serve()?;
    acme.line("localhost: certificate", LIMIT).await?;
    let client = Client::trusting(&site.ca.root_pem())?;
    let get = |path: &'static str| {
        let url = format!("https://localhost:{}{path}", site.port);
        let client = &client;
        async move { client.get(&url).await }
    };
    let page = get("/").await?;
    assert_eq!(
        (page.status.as_u16(), page.text()),
        (200, "hello from the site".to_owned())
    );
    for path in ["/none", "/../certs/client.key", "/%2e%2e/certs/client.key"] {
        assert_eq!(get(path).await?.status, 404, "{path}");
    }
    acme.stop().await.map(drop)
}

// "Restarting serves from disk without a new order."
#[tokio::test]
async fn a_restart_needs_no_order_and_no_ca() -> Result<(), Error> {
    let site = Site::new(&["www.example.com"]).await;
    let mut acme = site.serve()?;
    acme.line("www.example.com: certificate", LIMIT).await?;
    let serial = site.visit("www.example.com").await?;
    acme.stop().await?;
    assert_eq!(site.orders(), 1);

    let mut acme = site.serve()?;
    acme.line("Names: www.example.com", LIMIT).await?;
    assert_eq!(site.visit("www.example.com").await?, serial);
    acme.stop().await?;
    assert_eq!(site.orders(), 1);

    // Peers' defect: start_without_the_ca_serves_what_is_stored.
    let mut without = site.command();
    without.args(["--agree-tos", "--log", "off"]);
    let directory = site.ca.directory_url();
    let down = without
        .get_args()
        .map(|it| match it.to_str() {
            Some(text) if text == directory => "https://127.0.0.1:1/dir".into(),
            _ => it.to_owned(),
        })
        .collect::<Vec<_>>();
    let mut acme = Child::spawn("acme", &mut crate::site::acme(down))?;
    acme.line("serving the certificates that are there", LIMIT)
        .await?;
    acme.line("Names: www.example.com", LIMIT).await?;
    assert_eq!(site.visit("www.example.com").await?, serial);
    acme.stop().await.map(drop)
}

#[tokio::test]
async fn openssl_verifies_the_chain() -> Result<(), Error> {
    let site = Site::new(&["www.example.com"]).await;
    let mut acme = site.serve()?;
    acme.line("www.example.com: certificate", LIMIT).await?;
    std::fs::write(site.path("issuer.pem"), site.ca.root_pem()).unwrap();
    let output = Command::new("openssl")
        .args([
            "s_client",
            "-servername",
            "www.example.com",
            "-verify_return_error",
        ])
        .args(["-verify_hostname", "www.example.com", "-brief", "-CAfile"])
        .arg(site.path("issuer.pem"))
        .args(["-connect", &site.address().to_string()])
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{said}");
            assert!(said.contains("Verification: OK"), "{said}");
        }
        Err(_) => skipped("openssl verifies", "there is no openssl"),
    }
    acme.stop().await.map(drop)
}

#[tokio::test]
async fn http_01_redirects_and_proves_where_tls_alpn_01_is_not_offered() -> Result<(), Error> {
    let site = Site::new(&["www.example.com"]).await;
    let http = free_port();
    site.ca.set_http_01_port(http);
    site.ca
        .configure(|it| it.orders.challenges = vec![acme_messages::ChallengeType::Http01]);
    let address = format!("127.0.0.1:{http}");
    let mut command = site.command();
    command.args(["--agree-tos", "--http-01", &address]);
    let mut acme = Child::spawn("acme", &mut command)?;
    acme.line("www.example.com: certificate", LIMIT).await?;
    site.visit("www.example.com").await?;
    let client = Client::trusting(&site.ca.root_pem())?;
    let page = client.get(&format!("http://{address}/page?a=b")).await?;
    assert_eq!(page.status, 308);
    assert_eq!(
        page.headers["location"],
        format!("https://127.0.0.1:{}/page?a=b", site.port)
    );
    acme.stop().await.map(drop)
}

// E14: an unknown name gets an alert and no certificate.
#[tokio::test]
async fn unknown_name_gets_no_foreign_certificate() -> Result<(), Error> {
    let site = Site::new(&["www.example.com"]).await;
    let mut acme = site.serve()?;
    acme.line("www.example.com: certificate", LIMIT).await?;
    let error = site.visit("elsewhere.example.com").await.unwrap_err();
    let error = format!("{error:?}");
    assert!(error.contains("UnrecognisedName"), "{error}");
    acme.stop().await.map(drop)
}

// A failure is told with the CA's own words, and the program serves on.
#[tokio::test]
async fn a_refusal_is_shown_with_the_cas_words() -> Result<(), Error> {
    let site = Site::new(&["www.example.com"]).await;
    site.ca.set_tls_alpn_01_port(free_port());
    let mut acme = site.serve()?;
    let line = acme.line("next attempt at", LIMIT).await?;
    assert!(line.contains("www.example.com"), "{line}");
    assert!(line.contains("connection"), "{line}");
    acme.line("must reach this endpoint", LIMIT).await?;
    site.check_files(&["www.example.com"]);
    acme.stop().await.map(drop)
}

// ADR 0003: it is reported and left alone.
#[tokio::test]
async fn a_damaged_file_is_reported_and_left_alone() -> Result<(), Error> {
    let site = Site::new(&[]).await;
    let damaged = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    std::fs::write(site.file("www.example.com"), damaged).unwrap();
    let mut acme = site.serve()?;
    let line = acme.line("damaged and left alone", LIMIT).await?;
    assert!(line.contains("www.example.com"), "{line}");
    assert!(line.contains("the private key cannot be used"), "{line}");
    assert!(line.contains("the private key cannot be read"), "{line}");
    acme.stop().await?;
    let text = std::fs::read_to_string(site.file("www.example.com")).unwrap();
    assert_eq!((text.as_str(), site.orders()), (damaged, 0));
    Ok(())
}

#[tokio::test]
async fn a_second_interrupt_ends_at_once() -> Result<(), Error> {
    let site = Site::new(&["localhost"]).await;
    let mut acme = site.serve()?;
    acme.line("localhost: certificate", LIMIT).await?;
    let client = Client::trusting(&site.ca.root_pem())?;
    let mut stream = client.connect(site.address(), "localhost").await?;
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    // Until the request has begun, the connection counts as idle.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let interrupt = format!("kill -INT {}", acme.id());
    let interrupt = || Command::new("sh").args(["-c", &interrupt]).status();
    let start = Instant::now();
    assert!(interrupt().unwrap().success());
    acme.line("Ending", LIMIT).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(acme.ended()?.is_none());
    assert!(interrupt().unwrap().success());
    assert!(acme.wait(LIMIT).await?.success());
    assert!(start.elapsed() < Duration::from_secs(9));
    acme.line("cut off", LIMIT).await.map(drop)
}

// A pipe whose other end nobody opens would hold a thread for ever.
#[tokio::test]
async fn a_pipe_is_no_file_to_serve() -> Result<(), Error> {
    let site = Site::new(&["localhost"]).await;
    let pipe = site.path("root/pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let mut acme = site.serve()?;
    acme.line("localhost: certificate", LIMIT).await?;
    let client = Client::trusting(&site.ca.root_pem())?;
    let url = format!("https://localhost:{}/pipe", site.port);
    assert_eq!(client.get(&url).await?.status, 404);
    acme.stop().await.map(drop)
}

// A forwarding gives the endpoint another port than the public one.
#[tokio::test]
async fn redirects_go_to_the_public_port() -> Result<(), Error> {
    let site = Site::new(&[]).await;
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = site.command();
    command.args([
        "--agree-tos",
        "--http-01",
        &address,
        "--redirect-port",
        "443",
    ]);
    let mut acme = Child::spawn("acme", &mut command)?;
    acme.line("No names yet", LIMIT).await?;
    let client = Client::trusting(&site.ca.root_pem())?;
    let page = client.get(&format!("http://{address}/page")).await?;
    assert_eq!(page.headers["location"], "https://127.0.0.1/page");
    acme.stop().await.map(drop)
}

// The directory is gone while the program runs: it says so and serves on.
#[tokio::test]
async fn a_directory_that_is_gone_is_told_of() -> Result<(), Error> {
    let site = Site::new(&["www.example.com"]).await;
    let mut acme = site.serve()?;
    acme.line("www.example.com: certificate", LIMIT).await?;
    // In one step: a certificate removed from a directory that is there is to be served no more.
    let elsewhere = site.certs().with_extension("elsewhere");
    std::fs::rename(site.certs(), elsewhere).unwrap();
    acme.line("cannot be read any more", LIMIT).await?;
    site.visit("www.example.com").await?;
    acme.stop().await.map(drop)
}

// RFC 8738: an address proves itself by its reverse name, and is served to who connects to it.
#[tokio::test]
async fn an_address_is_issued_and_served() -> Result<(), Error> {
    let site = Site::new(&["127.0.0.1"]).await;
    let mut acme = site.serve()?;
    acme.line("127.0.0.1: certificate", LIMIT).await?;
    site.visit("127.0.0.1").await?;
    acme.stop().await.map(drop)
}
