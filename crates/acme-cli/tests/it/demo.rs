//! `acme demo`: the main job, on this machine alone.

use std::process::Command;

use acme_tests::{Child, Error, skipped};

use crate::site::{LIMIT, acme};

/// The word after a mark, wherever it stands.
fn after<'a>(text: &'a str, mark: &str) -> &'a str {
    let (_, rest) = text.split_once(mark).unwrap();
    rest.split_whitespace().next().unwrap()
}

#[test]
fn once_visits_renews_and_ends_well() {
    let output = acme(["demo", "--once"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}{error}");
    assert_eq!(
        error, "",
        "a run without trouble says nothing on standard error"
    );
    let old = after(&text, "the chain verifies. Serial");
    let new = after(&text, "gets the new one.       Serial");
    assert_ne!(old, new);
    assert_eq!(after(&text, "lives on with       serial"), old);
    let root = after(&text, "--cacert");
    assert!(
        !std::path::Path::new(root).exists(),
        "{root} is left behind"
    );
}

#[tokio::test]
async fn its_curl_line_works_and_it_ends_when_asked() -> Result<(), Error> {
    let mut demo = Child::spawn("acme demo", &mut acme(["demo"]))?;
    let line = demo.line("curl --cacert", LIMIT).await?;
    let root = after(&line, "--cacert").to_owned();
    if Command::new("curl").arg("--version").output().is_ok() {
        let line = line[line.find("curl").unwrap()..].to_owned();
        let page = Command::new("sh").args(["-c", &line]).output().unwrap();
        let page = String::from_utf8_lossy(&page.stdout).into_owned();
        assert!(page.contains("It works"), "{line}\n{page}");
    } else {
        skipped("the demo's curl line", "there is no curl");
    }
    let status = demo.stop().await?;
    assert!(status.success(), "{status}");
    assert!(
        !std::path::Path::new(&root).exists(),
        "{root} is left behind"
    );
    Ok(())
}

#[tokio::test]
async fn it_leaves_nothing_behind_when_interrupted_halfway() -> Result<(), Error> {
    let mut demo = Child::spawn("acme demo", &mut acme(["demo", "--once"]))?;
    let line = demo.line("curl --cacert", LIMIT).await?;
    let root = after(&line, "--cacert").to_owned();
    demo.stop().await?;
    assert!(
        !std::path::Path::new(&root).exists(),
        "{root} is left behind"
    );
    Ok(())
}

#[test]
fn an_address_that_is_not_here_is_named() {
    let output = acme(["demo", "--listen", "192.0.2.1:0"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(
        error.contains("192.0.2.1:0") && error.contains("--listen"),
        "{error}"
    );
}
