//! The order of the sources, and each source against programs that only pretend.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use super::container::Container;
use super::debian::Package;
use super::environment::Environment;
use super::golang::GoInstall;
use super::search_path::SearchPath;
use super::*;
use crate::apt::Apt;

/// A source that answers as told and writes down that it was asked.
struct Fake {
    name: &'static str,
    answer: Result<Found, String>,
    asked: Rc<RefCell<Vec<&'static str>>>,
}

impl Source for Fake {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn look(&self) -> Result<Found, String> {
        self.asked.borrow_mut().push(self.name);
        self.answer.clone()
    }
}

fn found(pebble: &str) -> Found {
    Found::new(Programs {
        pebble: pebble.into(),
        challtestsrv: "c".into(),
    })
}

/// Writes an executable script.
///
/// Another process writes it: a file that this one has open for writing, even for a moment,
/// can be inherited by a child that another test starts, and is then "busy" when executed.
fn program(folder: &Path, name: &str, body: &str) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(folder).unwrap();
    let status = Command::new("sh")
        .args(["-c", "printf '%s' \"$1\" > \"$0\" && chmod 755 \"$0\""])
        .arg(&path)
        .arg(format!("#!/bin/sh\n{body}\n"))
        .status()
        .unwrap();
    assert!(status.success());
    path
}

#[test]
fn the_first_source_that_has_it_is_taken_and_no_later_one_asked() {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let fake = |name, answer| Fake {
        name,
        answer,
        asked: Rc::clone(&asked),
    };
    let first = fake("first", Err("it is shut".to_owned()));
    let second = fake("second", Ok(found("/second").remark("2.10.1")));
    let third = fake("third", Ok(found("/third")));

    let search = search(&[&first, &second, &third]);

    assert_eq!(*asked.borrow(), ["first", "second"]);
    assert_eq!(
        search.to_string(),
        "pebble: not from first: it is shut\npebble: taken from second: 2.10.1"
    );
    let (_, taken) = search.taken.unwrap();
    assert_eq!(taken.programs.pebble, Path::new("/second"));
}

#[test]
fn when_no_source_has_it_every_reason_is_told() {
    let asked = Rc::default();
    let fake = |name, reason: &str| Fake {
        name,
        answer: Err(reason.to_owned()),
        asked: Rc::clone(&asked),
    };
    let search = search(&[&fake("a", "no daemon"), &fake("b", "no go")]);
    assert!(search.taken.is_none());
    let text = search.to_string();
    for part in [
        "not from a: no daemon",
        "not from b: no go",
        "cannot be had",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn the_environment_must_name_two_executables() {
    let folder = tempfile::tempdir().unwrap();
    let good = program(folder.path(), "p", "").into_os_string();
    let plain = folder.path().join("plain").into_os_string();
    fs::write(&plain, "").unwrap();
    let look = |pebble: Option<&OsString>, challtestsrv: Option<&OsString>| {
        Environment {
            pebble: pebble.cloned(),
            challtestsrv: challtestsrv.cloned(),
        }
        .look()
    };
    let absent = OsString::from("/nowhere/pebble");
    assert!(look(Some(&good), Some(&good)).is_ok());
    for (pebble, challtestsrv, part) in [
        (None, None, "neither"),
        (Some(&good), None, "CHALLTESTSRV"),
        (None, Some(&good), "PEBBLE"),
        (Some(&absent), Some(&good), "/nowhere/pebble"),
        (Some(&good), Some(&plain), "not an executable file"),
    ] {
        let reason = look(pebble, challtestsrv).unwrap_err();
        assert!(reason.contains(part), "{reason}");
    }
}

#[test]
fn a_namesake_on_the_search_path_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let source = SearchPath {
        path: Some(folder.path().into()),
    };
    assert!(source.look().unwrap_err().contains("no `pebble`"));

    program(
        folder.path(),
        "pebble",
        "echo 'Pebble lets you control services'",
    );
    assert!(source.look().unwrap_err().contains("pebble-challtestsrv"));

    program(folder.path(), "pebble-challtestsrv", "");
    assert!(source.look().unwrap_err().contains("some other program"));

    program(
        folder.path(),
        "pebble",
        "echo '  -dnsserver string' >&2; exit 2",
    );
    assert!(source.look().is_ok());
}

#[test]
fn go_installs_once_per_version() {
    let folder = tempfile::tempdir().unwrap();
    let tools = folder.path().join("tools");
    let log = folder.path().join("log");
    let body = format!(
        "[ $1 = install ] || exit 0; echo \"$@\" >> {}; for p in pebble pebble-challtestsrv; do \
         echo > $GOBIN/$p; chmod +x $GOBIN/$p; done",
        log.display()
    );
    let source = GoInstall {
        go: program(folder.path(), "go", &body).into(),
        tools: tools.clone(),
    };
    let calls = || fs::read_to_string(&log).unwrap_or_default().lines().count();

    assert_eq!(source.look().unwrap().programs.pebble, tools.join("pebble"));
    assert_eq!(calls(), 1);
    source.look().unwrap();
    assert_eq!(calls(), 1, "the stamp says that it is there");
    fs::write(tools.join("pebble.version"), "2.0.0").unwrap();
    source.look().unwrap();
    assert_eq!(calls(), 2, "another version is replaced");
    fs::remove_file(tools.join("pebble")).unwrap();
    source.look().unwrap();
    assert_eq!(calls(), 3, "a missing program is replaced");
    let arguments = fs::read_to_string(&log).unwrap();
    assert!(arguments.contains("cmd/pebble-challtestsrv@v2.10.1"));
}

#[test]
fn a_go_that_fails_is_passed_over_with_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let failing = "[ $1 = version ] || { echo 'proxy unreachable' >&2; exit 1; }";
    let source = GoInstall {
        go: program(folder.path(), "go", failing).into(),
        tools: folder.path().join("tools"),
    };
    assert!(source.look().unwrap_err().contains("proxy unreachable"));
}

#[test]
fn an_engine_without_a_daemon_or_an_image_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let engine = |name, body| OsString::from(program(folder.path(), name, body));
    let look = |engines: Vec<OsString>| {
        Container {
            engines,
            tools: folder.path().join("tools"),
        }
        .look()
    };
    let no_daemon = engine("docker", "echo 'no daemon here' >&2; exit 1");
    let no_image = engine(
        "podman",
        "[ $1 = info ] || { echo 'no such host' >&2; exit 1; }",
    );
    let reason = look(vec![no_daemon.clone(), no_image, "no-such-engine".into()]).unwrap_err();
    for part in [
        "no daemon here",
        "pulling ghcr.io",
        "no such host",
        "no such program",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    assert!(look(vec![no_daemon, engine("good", "exit 0")]).is_ok());
}

#[test]
fn the_script_passes_on_folder_variables_and_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let body = "[ $1 != run ] || { shift; for a in \"$@\"; do echo \"<$a>\"; done; }";
    let source = Container {
        engines: vec![program(folder.path(), "engine", body).into()],
        tools: folder.path().join("tools"),
    };
    let programs = source.look().unwrap().programs;
    let output = Command::new("sh")
        .arg(programs.pebble)
        .args(["-config", "a file with blanks.json"])
        .env("ACME_PEBBLE_DIR", "/tmp/some where")
        .env("PEBBLE_VA_NOSLEEP", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = text.lines().collect();
    for expected in [
        "<--init>",
        "</tmp/some where:/tmp/some where>",
        "<PEBBLE_VA_NOSLEEP>",
        "<a file with blanks.json>",
    ] {
        assert!(words.contains(&expected), "{expected} in {words:?}");
    }
    let image = words.iter().position(|w| w.contains("ghcr.io")).unwrap();
    assert_eq!(words[image], "<ghcr.io/letsencrypt/pebble:2.10.1>");
    assert_eq!(words[image + 1], "<-config>");
}

#[test]
fn the_debian_package_is_for_root_and_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    let log = folder.path().join("log");
    let apt = format!(
        "echo $1 >> {log}; case $1 in install) [ -e {log}.updated ] || exit 100;; \
         update) touch {log}.updated;; esac",
        log = log.display()
    );
    let package = |uid: &str| Package {
        apt: Apt {
            id: program(folder.path(), "id", &format!("echo {uid}")).into(),
            apt_get: program(folder.path(), "apt-get", &apt).into(),
        },
        installed_into: bin.clone(),
    };
    assert!(package("1000").look().unwrap_err().contains("root"));

    program(&bin, "pebble", "");
    program(&bin, "pebble-challtestsrv", "");
    let found = package("0").look().unwrap();
    assert!(found.lacks.contains(&"profiles"));
    let calls = fs::read_to_string(&log).unwrap();
    let calls: Vec<&str> = calls.lines().collect();
    assert_eq!(calls, ["--version", "install", "update", "install"]);
}
