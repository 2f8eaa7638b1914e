//! Each step of a replacement fails in turn, and the old file stays.

use std::{
    env,
    os::unix::{fs::symlink, process::ExitStatusExt},
    process::{Command, id},
};

use super::*;
use crate::directory::temporary;

const STEPS: [Step; 6] = [
    Step::Create,
    Step::Write,
    Step::Dress,
    Step::Sync,
    Step::Place,
    Step::SyncDirectory,
];

fn folder(directory: &tempfile::TempDir) -> Folder {
    Folder::new(directory.path().to_owned())
}

fn name() -> EntryName {
    EntryName::new(&"a.example.com".parse().unwrap(), 255).unwrap()
}

fn version(folder: &Folder) -> Version {
    let old = Old::at(folder, &folder.path_of(&name())).unwrap();
    old.version().unwrap()
}

fn files(directory: &tempfile::TempDir) -> Vec<String> {
    let files = fs::read_dir(directory.path()).unwrap();
    let mut files: Vec<_> = files
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    files
}

// S9, D9: neither a key nor a request is lost.
#[test]
fn failed_write_keeps_old_key() {
    for before in ["old", ""] {
        for failing in STEPS {
            a_failure_keeps(before, failing);
        }
    }
}

fn a_failure_keeps(before: &str, failing: Step) {
    let directory = tempfile::tempdir().unwrap();
    let folder = folder(&directory);
    let path = folder.path_of(&name());
    fs::write(&path, before).unwrap();
    let old = version(&folder);
    let mut steps = Vec::new();
    let result = put_with(
        &folder,
        &name(),
        b"new",
        &Expect::Version(old.clone()),
        0o600,
        &mut |step| {
            steps.push(step);
            if step == failing {
                Err(io::ErrorKind::StorageFull.into())
            } else {
                Ok(())
            }
        },
    );
    assert!(matches!(
        result,
        Err(PutError::Store(StoreError::Io { .. }))
    ));
    assert_eq!(files(&directory), ["a.example.com.pem"], "{failing:?}");
    let until = STEPS.iter().position(|it| *it == failing).unwrap();
    assert_eq!(steps, STEPS[..=until], "each step comes, and in this order");
    let placed = failing == Step::SyncDirectory;
    let contents = if placed { "new" } else { before };
    assert_eq!(fs::read_to_string(&path).unwrap(), contents, "{failing:?}");
    assert_eq!(version(&folder) == old, !placed, "{failing:?}");
}

/// Which step of its write another process is killed before.
const KILLED_BEFORE: &str = "ACME_STORE_TEST_KILLED_BEFORE";
const KILLED_IN: &str = "ACME_STORE_TEST_KILLED_IN";

// S9
#[test]
fn killed_before_each_step_leaves_the_old_file_or_the_new_one() {
    if let Ok(step) = env::var(KILLED_BEFORE) {
        return be_killed(&step);
    }
    // The file of this program may have been replaced by a new build meanwhile.
    let program = if cfg!(target_os = "linux") {
        format!("/proc/{}/exe", id()).into()
    } else {
        env::current_exe().unwrap()
    };
    let this =
        "directory::replacement::tests::killed_before_each_step_leaves_the_old_file_or_the_new_one";
    for step in STEPS {
        let directory = tempfile::tempdir().unwrap();
        let folder = folder(&directory);
        let path = folder.path_of(&name());
        fs::write(&path, "old").unwrap();
        let ended = Command::new(&program)
            .args(["--exact", this])
            .env(KILLED_BEFORE, format!("{step:?}"))
            .env(KILLED_IN, directory.path())
            .output()
            .unwrap();
        assert_eq!(ended.status.signal(), Some(9), "{ended:?}");
        let placed = step == Step::SyncDirectory;
        let contents = if placed { "new" } else { "old" };
        assert_eq!(fs::read_to_string(&path).unwrap(), contents, "{step:?}");
        let left = !placed && step != Step::Create;
        assert_eq!(files(&directory).len(), 1 + usize::from(left), "{step:?}");
        // Nothing that it held or left is in anybody's way.
        temporary::sweep(&folder, folder.handle().unwrap()).unwrap();
        assert_eq!(files(&directory), ["a.example.com.pem"]);
        let expected = Expect::Version(version(&folder));
        put(&folder, &name(), b"newer", &expected, 0o600).unwrap();
    }
}

fn be_killed(step: &str) {
    let folder = Folder::new(env::var_os(KILLED_IN).unwrap().into());
    let expected = Expect::Version(version(&folder));
    put_with(&folder, &name(), b"new", &expected, 0o600, &mut |it| {
        if format!("{it:?}") == step {
            let mut kill = Command::new("kill");
            kill.args(["-9", &id().to_string()]).status()?;
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn failed_write_of_a_new_entry_leaves_nothing() {
    for failing in &STEPS[..5] {
        let directory = tempfile::tempdir().unwrap();
        let result = put_with(
            &folder(&directory),
            &name(),
            b"new",
            &Expect::Absent,
            0o600,
            &mut |step| {
                if step == *failing {
                    Err(io::ErrorKind::StorageFull.into())
                } else {
                    Ok(())
                }
            },
        );
        assert!(result.is_err());
        assert_eq!(files(&directory), [""; 0], "{failing:?}");
    }
}

// Asked before an order is spent: a full disk, one without modes, no room for files.
#[test]
fn what_a_write_would_fail_at_is_found_out_beforehand() {
    let directory = tempfile::tempdir().unwrap();
    let folder = folder(&directory);
    for contents in [None, Some(""), Some("old")] {
        if let Some(contents) = contents {
            fs::write(folder.path_of(&name()), contents).unwrap();
        }
        let before = files(&directory);
        check(&folder, &name(), 0o600).unwrap();
        for failing in [Step::Create, Step::Write, Step::Dress] {
            let refused = check_with(&folder, &name(), 0o600, &mut |step| {
                if step == failing {
                    Err(Errno::PERM.into())
                } else {
                    Ok(())
                }
            });
            assert!(refused.is_err(), "{contents:?} {failing:?}");
            assert_eq!(files(&directory), before);
        }
    }
}

// D11, T44: file systems of other systems take no `*` and no `:`.
#[test]
fn a_name_that_the_file_system_refuses_is_no_passing_fault() {
    let directory = tempfile::tempdir().unwrap();
    let folder = folder(&directory);
    for (text, refused) in [
        ("*.example.com", true),
        ("2001:db8::1", true),
        ("a.example.com", false),
    ] {
        let name = EntryName::new(&text.parse().unwrap(), 255).unwrap();
        check(&folder, &name, 0o600).unwrap();
        let checked = check_with(&folder, &name, 0o600, &mut |_| Err(Errno::INVAL.into()));
        let put = put_with(&folder, &name, b"x", &Expect::Absent, 0o600, &mut |step| {
            if step == Step::Place {
                Err(Errno::INVAL.into())
            } else {
                Ok(())
            }
        });
        let (Err(PutError::Store(put)), Err(checked)) = (put, checked) else {
            panic!("{text} was put");
        };
        for error in [checked, put] {
            let not_allowed = matches!(error, StoreError::NameNotAllowed { .. });
            assert_eq!((not_allowed, error.is_transient()), (refused, !refused));
        }
        assert_eq!(files(&directory), [""; 0], "{text}");
    }
}

#[test]
fn a_file_that_comes_in_between_is_never_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let folder = folder(&directory);
    let path = folder.path_of(&name());
    let result = put_with(
        &folder,
        &name(),
        b"new",
        &Expect::Absent,
        0o600,
        &mut |step| {
            if step == Step::Place {
                fs::write(&path, "the operator's")?;
            }
            Ok(())
        },
    );
    assert!(matches!(result, Err(PutError::Conflict)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "the operator's");
    assert_eq!(files(&directory), ["a.example.com.pem"]);
}

// Equal bytes written again are another version.
#[test]
fn every_write_has_a_version_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let folder = folder(&directory);
    let mut seen = vec![put(&folder, &name(), b"x", &Expect::Absent, 0o600).unwrap()];
    for _ in 0..20 {
        let expected = Expect::Version(seen.last().unwrap().clone());
        let new = put(&folder, &name(), b"x", &expected, 0o600).unwrap();
        assert_eq!(new, version(&folder));
        assert!(!seen.contains(&new));
        seen.push(new);
    }
    // A clock that was set back changes nothing about that.
    let path = folder.path_of(&name());
    let future = SystemTime::now() + Duration::from_secs(3600);
    let times = FileTimes::new().set_modified(future);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_times(times)
        .unwrap();
    for _ in 0..20 {
        let expected = Expect::Version(version(&folder));
        let new = put(&folder, &name(), b"x", &expected, 0o600).unwrap();
        assert!(!seen.contains(&new));
        seen.push(new);
    }
}

// Two files that take turns have two inodes, also where times are whole seconds: ext4 with
// small inodes, FAT, file systems of other machines.
#[test]
fn a_replacement_is_later_however_coarse_the_times_are() {
    let second = Duration::from_secs(1);
    for grain in [
        Duration::from_nanos(1),
        Duration::from_nanos(100),
        second,
        2 * second,
    ] {
        for ahead in [Duration::ZERO, 3600 * second] {
            let now = SystemTime::UNIX_EPOCH + Duration::new(1_790_000_001, 123_456_789);
            let mut old = now + ahead;
            for _ in 0..5 {
                let mut file = old;
                date(Some(old), now, |time| {
                    let time = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
                    let whole = time.as_nanos() / grain.as_nanos() * grain.as_nanos();
                    file = SystemTime::UNIX_EPOCH + Duration::from_nanos_u128(whole);
                    Ok(file)
                })
                .unwrap();
                assert!(file > old, "{grain:?} {ahead:?}");
                old = file;
            }
        }
    }
    // A time that is the last one there is, or that is kept by nobody, is no reason to fail.
    let last = (0..64).rev().fold(SystemTime::UNIX_EPOCH, |time, bit| {
        let more = Duration::new(1 << bit, 0);
        time.checked_add(more).unwrap_or(time)
    });
    for old in [last, last + Duration::from_nanos(999_999_999)] {
        date(Some(old), SystemTime::UNIX_EPOCH, |_| Ok(old)).unwrap();
    }
}

// The account's key is nobody's entry, and never replaced.
#[test]
fn a_link_to_the_account_key_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let folder = folder(&directory);
    let key = directory.path().join("client.key");
    fs::write(&key, "the key").unwrap();
    symlink("client.key", folder.path_of(&name())).unwrap();
    let expected = Expect::Version(version(&folder));
    let put = put(&folder, &name(), b"new", &expected, 0o600);
    let refused = |it: &StoreError| matches!(it, StoreError::NameNotAllowed { .. });
    assert!(matches!(put, Err(PutError::Store(it)) if refused(&it)));
    assert!(check(&folder, &name(), 0o600).is_err_and(|it| refused(&it)));
    assert_eq!(fs::read_to_string(&key).unwrap(), "the key");
}

// S17, D12
#[test]
fn links_are_written_through_inside_and_refused_outside() {
    let directory = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let folder = folder(&directory);
    let path = folder.path_of(&name());
    fs::create_dir(directory.path().join("data")).unwrap();
    fs::write(directory.path().join("data/real"), "old").unwrap();
    symlink("data/real", &path).unwrap();
    check(&folder, &name(), 0o600).unwrap();
    let expected = Expect::Version(version(&folder));
    let new = put(&folder, &name(), b"new", &expected, 0o600).unwrap();
    assert_eq!(new, version(&folder));
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!(
        fs::read(directory.path().join("data/real")).unwrap(),
        b"new"
    );

    fs::remove_file(&path).unwrap();
    let target = outside.path().join("x.pem");
    fs::write(&target, "theirs").unwrap();
    symlink(&target, &path).unwrap();
    let refused = check(&folder, &name(), 0o600);
    assert!(matches!(
        refused,
        Err(StoreError::LinkLeavesDirectory { .. })
    ));
    let expected = Expect::Version(version(&folder));
    let refused = put(&folder, &name(), b"new", &expected, 0o600);
    assert!(matches!(
        refused,
        Err(PutError::Store(StoreError::LinkLeavesDirectory { .. }))
    ));
    assert_eq!(fs::read(&target).unwrap(), b"theirs");

    fs::remove_file(&target).unwrap();
    for result in [
        check(&folder, &name(), 0o600).map(|()| None),
        reading::entry(&folder, &name()).map(|it| it.map(|it| it.version)),
    ] {
        assert!(matches!(result, Err(StoreError::NotAFile { .. })));
    }
}

/// An access list: user 1234 may read, the file's group may not.
#[cfg(target_os = "linux")]
const READER: [u8; 44] = [
    2, 0, 0, 0, // version 2
    1, 0, 6, 0, 255, 255, 255, 255, // the owner: rw-
    2, 0, 4, 0, 0xd2, 4, 0, 0, // user 1234: r--
    4, 0, 0, 0, 255, 255, 255, 255, // the group: ---
    16, 0, 4, 0, 255, 255, 255, 255, // the mask: r--
    32, 0, 0, 0, 255, 255, 255, 255, // all others: ---
];

// D10: a list of readers is no less than a mode, and its mask is no mode of the group.
#[cfg(target_os = "linux")]
#[test]
fn readers_in_an_access_list_are_kept() {
    use rustix::{
        fs::{XattrFlags, getxattr, setxattr},
        io::Errno,
    };

    const NAME: &str = "system.posix_acl_access";
    let list = |path: &Path| {
        let mut bytes = [0; 256];
        match getxattr(path, NAME, &mut bytes) {
            Ok(length) => Some(bytes[..length].to_vec()),
            Err(errno) => {
                assert_eq!(errno, Errno::NODATA);
                None
            }
        }
    };
    for old in ["old", ""] {
        let directory = tempfile::tempdir().unwrap();
        let folder = folder(&directory);
        let path = folder.path_of(&name());
        fs::write(&path, old).unwrap();
        if setxattr(&path, NAME, &READER, XattrFlags::empty()) == Err(Errno::OPNOTSUPP) {
            // The file system has no access lists.
            return;
        }
        check(&folder, &name(), 0o600).unwrap();
        put(&folder, &name(), b"new", &version(&folder).into(), 0o600).unwrap();
        assert_eq!(list(&path).as_deref(), Some(&READER[..]));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
    }
    // What the directory gives to new files is not given to old ones.
    let directory = tempfile::tempdir().unwrap();
    let folder = folder(&directory);
    let path = folder.path_of(&name());
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let default = "system.posix_acl_default";
    setxattr(directory.path(), default, &READER, XattrFlags::empty()).unwrap();
    put(&folder, &name(), b"new", &version(&folder).into(), 0o600).unwrap();
    assert_eq!(list(&path), None);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
}

/// The directory in which another process has mounts of its own.
#[cfg(target_os = "linux")]
const MOUNTED_IN: &str = "ACME_STORE_TEST_MOUNTED_IN";

// A container's single file, a link into another mount, a full disk: found out before an order is spent.
#[cfg(target_os = "linux")]
#[test]
fn what_mounts_keep_from_being_replaced_is_refused_beforehand() {
    if let Some(directory) = env::var_os(MOUNTED_IN) {
        return be_mounted(&Folder::new(directory.into()));
    }
    let directory = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let folder = folder(&directory);
    fs::create_dir(directory.path().join("data")).unwrap();
    fs::create_dir(directory.path().join("full")).unwrap();
    fs::write(folder.path_of(&name()), "old").unwrap();
    fs::write(outside.path().join("x.pem"), "old").unwrap();
    symlink("data/x.pem", directory.path().join("b.example.com.pem")).unwrap();
    // A mount namespace of its own, which ends with it.
    let mount = r#"mount --bind "$1/x.pem" "$2/a.example.com.pem" &&
        mount --bind "$1" "$2/data" &&
        mount -t tmpfs -o size=64k none "$2/full" || { echo "no mounts"; exit; }; shift 2; exec "$@""#;
    let this =
        "directory::replacement::tests::what_mounts_keep_from_being_replaced_is_refused_beforehand";
    let ended = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", mount, "sh"])
        .args([
            outside.path(),
            directory.path(),
            &env::current_exe().unwrap(),
        ])
        .args(["--exact", this])
        .env(MOUNTED_IN, directory.path())
        .output();
    let Ok(ended) = ended else { return };
    // Not every system allows namespaces, and mounts in them.
    if !ended.stderr.starts_with(b"unshare") && !ended.stdout.starts_with(b"no mounts") {
        assert!(ended.status.success(), "{ended:?}");
        assert!(
            ended.stdout.windows(8).any(|it| it == b"1 passed"),
            "{ended:?}"
        );
    }
}

#[cfg(target_os = "linux")]
fn be_mounted(folder: &Folder) {
    for label in ["a", "b"] {
        let name = format!("{label}.example.com").parse().unwrap();
        let name = EntryName::new(&name, 255).unwrap();
        let old = Old::at(folder, &folder.path_of(&name)).unwrap();
        let expected = Expect::Version(old.version().unwrap());
        let refused = put(folder, &name, b"new", &expected, 0o600);
        assert!(refused.is_err(), "{label}");
        let refused = check(folder, &name, 0o600);
        assert!(
            matches!(refused, Err(StoreError::Io { .. })),
            "{label}: {refused:?}"
        );
    }
    let full = Folder::new(folder.path().join("full"));
    let path = full.path_of(&name());
    check(&full, &name(), 0o600).unwrap();
    fs::write(&path, "old").unwrap();
    check(&full, &name(), 0o600).unwrap();
    let filled = fs::write(full.path().join("filling"), [0; 1 << 17]);
    assert_eq!(filled.unwrap_err().kind(), io::ErrorKind::StorageFull);
    for contents in ["old", "", "absent"] {
        if contents == "absent" {
            fs::remove_file(&path).unwrap();
        } else {
            fs::write(&path, contents).unwrap();
        }
        let refused = check(&full, &name(), 0o600);
        assert!(
            matches!(refused, Err(StoreError::Io { .. })),
            "{contents}: {refused:?}"
        );
        let left = fs::read_dir(full.path()).unwrap().count();
        assert_eq!(left, 1 + usize::from(path.exists()), "{contents}");
    }
}

// Who has fixed a file so that nobody replaces it is not to pay for orders.
#[cfg(target_os = "linux")]
#[test]
fn an_immutable_file_is_refused_beforehand() {
    let directory = tempfile::tempdir().unwrap();
    let folder = folder(&directory);
    let path = folder.path_of(&name());
    fs::write(&path, "old").unwrap();
    let chattr = |change: &str| {
        let done = Command::new("chattr").arg(change).arg(&path).output();
        done.is_ok_and(|it| it.status.success())
    };
    if !chattr("+i") {
        // Only root can do that, on some file systems.
        return;
    }
    let checked = check(&folder, &name(), 0o600);
    let expected = Expect::Version(version(&folder));
    let put = put(&folder, &name(), b"new", &expected, 0o600);
    assert!(chattr("-i"));
    assert!(matches!(checked, Err(StoreError::Io { .. })), "{checked:?}");
    assert!(put.is_err());
    check(&folder, &name(), 0o600).unwrap();
}
