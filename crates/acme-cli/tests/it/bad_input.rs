//! Bad input: one line that names the offending part, a status, and nothing created.

use std::fs;

use tempfile::TempDir;

use crate::site::{Site, acme};

/// Runs `acme serve` in a folder with `certs/`, `root/` and a file `file`.
fn check(arguments: &[&str], status: i32, parts: &[&str]) {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("certs")).unwrap();
    fs::create_dir(folder.path().join("root")).unwrap();
    fs::write(folder.path().join("file"), "no certificate").unwrap();
    let output = acme(["serve"].iter().chain(arguments))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {error}");
    assert_eq!(error.lines().count(), 1, "{arguments:?}: {error}");
    assert!(error.starts_with("acme: "), "{error}");
    for part in parts {
        assert!(
            error.contains(part),
            "{arguments:?} does not say {part:?}: {error}"
        );
    }
    let mut left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["certs", "file", "root"]);
    assert_eq!(
        fs::read_dir(folder.path().join("certs")).unwrap().count(),
        0
    );
}

const ELSEWHERE: &str = "https://127.0.0.1:1/dir";

// E3, E4, M17, S15.
#[test]
fn is_named_and_creates_nothing() {
    let serve = |endpoint: &'static str, more: &[&'static str], status, parts: &[&str]| {
        let mut arguments = vec![endpoint, "--path", "root"];
        arguments.extend(more);
        check(&arguments, status, parts);
    };
    serve(
        "le:missing:tcp:443",
        &[],
        4,
        &["\"missing\"", "does not exist", "create it"],
    );
    serve(
        "le:~/certs:tcp:443",
        &[],
        4,
        &["\"~/certs\"", "does not exist"],
    );
    serve("le:file:tcp:443", &[], 4, &["\"file\"", "not a directory"]);
    serve(
        "certs:tcp:443",
        &[],
        3,
        &["\"certs\"", "no endpoint prefix"],
    );
    serve("le:certs", &[], 3, &["where to listen is missing"]);
    serve("le:certs:tcp", &[], 3, &["the port is missing"]);
    serve("le:certs:tcp:x", &[], 3, &["\"x\" is no port"]);
    serve("le:certs:tcp:70000", &[], 3, &["\"70000\" is no port"]);
    serve("le:certs:udp:443", &[], 3, &["\"udp\" is no way to listen"]);
    serve(
        "le:certs:tcp:443:speed=1",
        &[],
        3,
        &["\"speed\" is no option"],
    );
    serve("le:certs:tcp:443\\", &[], 3, &["backslash"]);
    serve("acme:certs:tcp:0", &[], 3, &["--directory"]);
    serve(
        "le:certs:tcp:0",
        &["--directory", ELSEWHERE],
        3,
        &[ELSEWHERE, "le:"],
    );
    let wrong = "/wrong/kind/of/directory";
    serve(
        "acme:certs:tcp:0",
        &["--directory", wrong],
        3,
        &[wrong, "https"],
    );
    let plain = "http://127.0.0.1:1/dir";
    serve(
        "acme:certs:tcp:0",
        &["--directory", plain],
        3,
        &[plain, "https"],
    );
    let down = ["--directory", ELSEWHERE, "--agree-tos"];
    serve(
        "acme:certs:tcp:0",
        &down,
        75,
        &[ELSEWHERE, "refused", "try again later"],
    );
    let root = ["--directory", ELSEWHERE, "--ca-root", "file"];
    serve("acme:certs:tcp:0", &root, 3, &["--ca-root file", "PEM"]);
    let root = ["--directory", ELSEWHERE, "--ca-root", "none.pem"];
    serve(
        "acme:certs:tcp:0",
        &root,
        3,
        &["--ca-root none.pem", "No such file"],
    );
    let email = ["--directory", ELSEWHERE, "--email", "not an address"];
    serve(
        "acme:certs:tcp:0",
        &email,
        3,
        &["--email", "not an address"],
    );
    check(
        &["le:certs:tcp:0", "--path", "none"],
        3,
        &["--path none", "does not exist", "create it"],
    );
    check(
        &["le:certs:tcp:0", "--path", "file"],
        3,
        &["--path file", "not a directory"],
    );
    for path in [".", "certs"] {
        check(
            &["le:certs:tcp:0", "--path", path],
            3,
            &[&format!("--path {path}"), "private keys", "\"certs\""],
        );
    }
}

// A port alone is what people write first.
#[test]
fn an_address_without_a_port_or_a_host_is_told_how_one_reads() {
    for arguments in [
        &["demo", "--listen", "8443"][..],
        &["ca", "--listen", "localhost"],
        &["ca", "--resolver", "127.0.0.1"],
        &["serve", "le:certs:tcp:0", "--path", ".", "--http-01", "80"],
    ] {
        let output = acme(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains("such as 127.0.0.1:5002"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_key_that_cannot_be_used_is_named_once_and_left_alone() {
    let site = Site::new(&[]).await;
    let key = site.certs().join("client.key");
    fs::write(&key, "no key").unwrap();
    let mut command = site.command();
    command.args(["--agree-tos", "--log", "off"]);
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{error}");
    assert_eq!(error.matches("client.key").count(), 1, "{error}");
    assert!(error.contains("remove it"), "{error}");
    assert_eq!(fs::read_to_string(&key).unwrap(), "no key");
}

// 192.0.2.0/24 is for documents, and no machine has it.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_this_machine_has_not_is_said_to_be_none() {
    let site = Site::new(&[]).await;
    let mut command = site.command();
    command.args(["--agree-tos", "--http-01", "192.0.2.1:0"]);
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("192.0.2.1:0"), "{error}");
    assert!(
        error.contains("an address that this machine has"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_that_are_not_agreed_to_are_named_and_nothing_is_created() {
    let site = Site::new(&["www.example.com"]).await;
    site.ca.configure(|it| {
        it.accounts.terms_of_service = Some("https://ca.example/terms-v7".to_owned())
    });
    let output = tokio::task::block_in_place(|| site.command().output().unwrap());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("https://ca.example/terms-v7"), "{error}");
    assert!(error.contains("--agree-tos"), "{error}");
    assert_eq!(site.files(), ["www.example.com.pem"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_that_is_not_trusted_is_told_from_one_that_is_down() {
    let site = Site::new(&[]).await;
    fs::write(site.path("ca.pem"), site.ca.root_pem()).unwrap();
    let output = tokio::task::block_in_place(|| site.command().output().unwrap());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(75), "{error}");
    assert!(
        error.contains("certificate") && error.contains("--ca-root"),
        "{error}"
    );
    assert!(site.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named() {
    let site = Site::new(&[]).await;
    let taken = std::net::TcpListener::bind(site.address()).unwrap();
    let output =
        tokio::task::block_in_place(|| site.command().arg("--agree-tos").output().unwrap());
    drop(taken);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains(&format!("tcp:{}", site.port)), "{error}");
    assert!(site.files().is_empty());
}
