//! What of running Pebble can be tested without it.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use acme_tests::{Error, Pebble, Programs};

fn look_up(set: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
    move |name| {
        set.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| OsString::from(value))
    }
}

#[test]
fn without_pebble_a_test_is_skipped_unless_conformance_is_demanded() {
    const BOTH: &[(&str, &str)] = &[("PEBBLE", "/p"), ("CHALLTESTSRV", "/c")];
    let programs = Programs::from_variables(look_up(BOTH)).unwrap();
    assert_eq!(programs, Some(Programs::new("/p", "/c")));

    for set in [
        &[][..],
        &[("PEBBLE", "")],
        &[("PEBBLE", "/p")],
        &[("CHALLTESTSRV", "/c")],
        &[("CI", "true")],
        &[("ACME_CONFORMANCE", "0")],
    ] {
        assert_eq!(
            Programs::from_variables(look_up(set)).unwrap(),
            None,
            "{set:?}"
        );
    }

    for (set, expected) in [
        (&[("ACME_CONFORMANCE", "1")][..], "PEBBLE"),
        (
            &[("ACME_CONFORMANCE", "1"), ("PEBBLE", "/p")],
            "CHALLTESTSRV",
        ),
    ] {
        let error = Programs::from_variables(look_up(set)).unwrap_err();
        assert!(
            matches!(error, Error::Programs { variable } if variable == expected),
            "{set:?}: {error:?}"
        );
    }
}

/// Writes an executable script.
///
/// Another process writes it: a file that this one has open for writing, even for a moment,
/// can be inherited by a child that another test starts, and is then "busy" when executed.
fn script(folder: &tempfile::TempDir, name: &str, body: &str) -> PathBuf {
    let path = folder.path().join(name);
    let status = Command::new("sh")
        .args(["-c", "printf '%s' \"$1\" > \"$0\" && chmod 755 \"$0\""])
        .arg(&path)
        .arg(format!("#!/bin/sh\n{body}\n"))
        .status()
        .unwrap();
    assert!(status.success());
    path
}

#[tokio::test]
async fn a_program_that_does_not_come_up_is_an_error_that_shows_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let broken = script(&folder, "broken", "echo no memory >&2; exit 9");
    let error = Pebble::builder(Programs::new(&broken, &broken))
        .start()
        .await
        .unwrap_err();
    let Error::Ended { program, how, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(program, "pebble-challtestsrv");
    assert!(how.contains('9'), "{how}");
    assert!(error.log().contains("no memory"), "{error:?}");
}

#[tokio::test]
async fn a_taken_port_is_tried_again_and_then_told() {
    let folder = tempfile::tempdir().unwrap();
    let tries = folder.path().join("tries");
    let body = format!(
        "[ $1 = -help ] || echo x >> {}; echo listen: address already in use; exit 1",
        tries.display()
    );
    let taken = script(&folder, "taken", &body);
    let error = Pebble::builder(Programs::new(&taken, &taken))
        .start()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::PortTaken { .. }), "{error:?}");
    assert_eq!(fs::read_to_string(tries).unwrap().lines().count(), 3);
}
