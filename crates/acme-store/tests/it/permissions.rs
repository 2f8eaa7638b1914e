//! Who may read a key: what new files get, what old ones keep, and whom we are not.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use acme_store::{CertificateStore, DirectoryOptions, DirectoryStore, Expect};
use tempfile::tempdir;

use crate::{
    directory::{files, name},
    other_process::{NOBODY, OtherProcess, is_root},
    pki::PKI,
};

const GOOD: &str = include_str!("../data/www.example.com.pem");

fn write(directory: &Path, file: &str, contents: &str, mode: u32) {
    let path = directory.join(file);
    fs::write(&path, contents).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(directory: &Path, file: &str) -> u32 {
    fs::metadata(directory.join(file)).unwrap().mode() & 0o7777
}

// S16, D10, T18
#[test]
fn new_key_files_are_0600() {
    for umask in ["000", "022", "077"] {
        let directory = tempdir().unwrap();
        let path = directory.path();
        write(path, "touched.example.com.pem", "", 0o666);
        write(path, "chosen.example.com.pem", "", 0o640);
        write(path, "shared.example.com.pem", GOOD, 0o640);
        write(path, "txacme.example.com.pem", GOOD, 0o755);
        let said = OtherProcess::new("put all", path, umask).run();
        assert!(
            said.len() == 5 && said.iter().all(|it| it.ends_with(": put")),
            "{said:?}"
        );
        assert_eq!(mode(path, "new.example.com.pem"), 0o600, "umask {umask}");
        assert_eq!(mode(path, "client.key"), 0o600, "umask {umask}");
        assert_eq!(
            mode(path, "touched.example.com.pem"),
            0o600,
            "umask {umask}"
        );
        assert_eq!(mode(path, "chosen.example.com.pem"), 0o640, "umask {umask}");
        assert_eq!(mode(path, "shared.example.com.pem"), 0o640, "umask {umask}");
        assert_eq!(mode(path, "txacme.example.com.pem"), 0o755, "umask {umask}");
        assert_eq!(files(path).len(), 6, "D7");
    }
}

// S16, D10: readers of the directory's group.
#[tokio::test]
async fn the_mode_of_new_files_can_be_chosen() {
    let directory = tempdir().unwrap();
    let path = directory.path();
    write(path, "touched.example.com.pem", "", 0o666);
    write(path, "shared.example.com.pem", GOOD, 0o600);
    let mut options = DirectoryOptions::default();
    options.new_file_mode = 0o640;
    let store = DirectoryStore::open_with(path, options).await.unwrap();
    for (label, expected) in [("new", 0o640), ("touched", 0o640), ("shared", 0o600)] {
        let name = name(&format!("{label}.example.com"));
        let before = store.get(&name).await.unwrap();
        let expect = before.map_or(Expect::Absent, |it| it.version.into());
        let bundle = PKI.bundle(&name.to_string());
        store.put(&name, &bundle, expect).await.unwrap();
        assert_eq!(mode(path, &format!("{name}.pem")), expected, "{name}");
    }
}

// D10
#[test]
fn owner_and_group_are_kept() {
    if !is_root() {
        println!("skipped: only root can give files away");
        return;
    }
    let directory = tempdir().unwrap();
    let path = directory.path();
    for file in ["blank.example.com.pem", "full.example.com.pem"] {
        let contents = if file.starts_with("full") { GOOD } else { "" };
        write(path, file, contents, 0o640);
        chown(path.join(file), Some(1234), Some(2345)).unwrap();
    }
    let said = OtherProcess::new("put all", path, "022").run();
    assert_eq!(said.len(), 3, "{said:?}");
    for file in ["blank.example.com.pem", "full.example.com.pem"] {
        let kept = fs::metadata(path.join(file)).unwrap();
        assert_eq!(
            (kept.uid(), kept.gid(), kept.mode() & 0o777),
            (1234, 2345, 0o640),
            "{file}"
        );
        assert_ne!(fs::read_to_string(path.join(file)).unwrap(), GOOD);
    }
}

// D10: readers of a file are not lost because its writer may not give it away.
#[test]
fn a_write_that_would_lose_a_reader_is_refused() {
    if !is_root() {
        println!("skipped: only root can be somebody else");
        return;
    }
    let directory = tempdir().unwrap();
    let path = directory.path();
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    write(path, "blank.example.com.pem", "", 0o644);
    // Nobody is to read them to replace them, so that they belong to its group or to all.
    write(path, "foreign.example.com.pem", GOOD, 0o644);
    write(path, "group.example.com.pem", GOOD, 0o644);
    write(path, "root.example.com.pem", GOOD, 0o604);
    chown(
        path.join("foreign.example.com.pem"),
        Some(1234),
        Some(NOBODY),
    )
    .unwrap();
    chown(path.join("group.example.com.pem"), Some(NOBODY), Some(2345)).unwrap();
    let said = OtherProcess::new("put all", path, "022").nobody().run();
    let expected = [
        "blank.example.com: put",
        "foreign.example.com: refused",
        "group.example.com: refused",
        "root.example.com: put",
        "new.example.com: put",
    ];
    assert_eq!(said, expected);
    assert_eq!(mode(path, "blank.example.com.pem"), 0o600);
    for file in ["foreign.example.com.pem", "group.example.com.pem"] {
        assert_eq!(fs::read_to_string(path.join(file)).unwrap(), GOOD, "{file}");
    }
    assert_eq!(files(path).len(), 6, "nothing is left behind");
}

// Asked before an order is spent: somebody else's file where each may remove only their
// own, and one that a link leads to in a directory that cannot be written.
#[cfg(target_os = "linux")]
#[test]
fn what_may_not_be_replaced_is_refused_beforehand() {
    if !is_root() {
        println!("skipped: only root can be somebody else");
        return;
    }
    let directory = tempdir().unwrap();
    let path = directory.path();
    fs::set_permissions(path, Permissions::from_mode(0o1777)).unwrap();
    write(path, "blank.example.com.pem", "", 0o644);
    write(path, "full.example.com.pem", GOOD, 0o644);
    write(path, "own.example.com.pem", "", 0o600);
    chown(path.join("own.example.com.pem"), Some(NOBODY), Some(NOBODY)).unwrap();
    for (label, owner, mode) in [
        ("fixed", 0, 0o755),
        ("open", NOBODY, 0o755),
        ("owned", NOBODY, 0o1755),
        ("sticky", 0, 0o1777),
    ] {
        let within = path.join(label);
        fs::create_dir(&within).unwrap();
        write(&within, "file", "", 0o644);
        chown(&within, Some(owner), Some(owner)).unwrap();
        fs::set_permissions(&within, Permissions::from_mode(mode)).unwrap();
        let link = path.join(format!("to-{label}.example.com.pem"));
        std::os::unix::fs::symlink(format!("{label}/file"), link).unwrap();
    }
    let said = OtherProcess::new("put all", path, "022").nobody().run();
    let expected = [
        "blank.example.com: refused",
        "full.example.com: refused",
        "own.example.com: put",
        "to-fixed.example.com: refused",
        "to-open.example.com: put",
        "to-owned.example.com: put",
        "to-sticky.example.com: refused",
        "new.example.com: put",
    ];
    assert_eq!(said, expected);

    // Root may do all of it.
    let said = OtherProcess::new("put all", path, "022").run();
    assert!(said.iter().all(|it| it.ends_with(": put")), "{said:?}");
}

#[test]
fn an_unwritable_directory_is_refused_and_can_be_read() {
    if !is_root() {
        println!("skipped: only root can be somebody else");
        return;
    }
    let directory = tempdir().unwrap();
    let path = directory.path();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    write(path, "www.example.com.pem", GOOD, 0o644);
    write(path, "secret.example.com.pem", GOOD, 0o600);
    let said = OtherProcess::new("open", path, "022").nobody().run();
    let expected = [
        "not writable",
        "secret.example.com: unreadable",
        "www.example.com: bundle",
    ];
    assert_eq!(said, expected);
    assert_eq!(
        files(path),
        ["secret.example.com.pem", "www.example.com.pem"]
    );
}
