//! Programs that are awaited and ended.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use acme_tests::{Child, Error};

/// More than any of these programs needs.
const AMPLE: Duration = Duration::from_secs(30);

fn shell(script: &str) -> Child {
    Child::spawn("sh", Command::new("sh").args(["-c", script])).unwrap()
}

fn exists(id: u32) -> bool {
    Path::new(&format!("/proc/{id}")).exists()
}

#[tokio::test]
async fn lines_are_awaited_and_counted() -> Result<(), Error> {
    let mut child = shell("echo one; echo two >&2; echo three one; exec sleep 600");
    assert_eq!(child.line("tw", AMPLE).await?, "two");
    let log = child.log().clone();
    assert_eq!(log.nth_line(2, "one", AMPLE).await?, "three one");
    assert_eq!(log.count("one"), 2);
    assert!(log.contains("three") && !log.contains("four"));
    child.stop().await?;
    assert_eq!(log.lines().len(), 3, "the log outlives the program");
    Ok(())
}

#[tokio::test]
async fn a_line_that_does_not_come_is_an_error_with_the_log() {
    let mut child = shell("echo hello; exec sleep 600");
    child.line("hello", AMPLE).await.unwrap();
    let error = child
        .line("goodbye", Duration::from_millis(20))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooLong { .. }), "{error:?}");
    assert_eq!(error.log(), "hello");
    assert!(format!("{error:?}").contains("\n  | hello"), "{error:?}");
}

#[tokio::test]
async fn an_early_end_is_told_at_once() {
    let mut child = shell("echo cannot bind; exit 3");
    let error = child.line("ready", AMPLE).await.unwrap_err();
    let Error::Ended { program, how, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(program, "sh");
    assert!(how.contains('3'), "{how}");
    assert_eq!(error.log(), "cannot bind");
}

#[tokio::test]
async fn sigterm_lets_it_end_by_itself() -> Result<(), Error> {
    let mut child = shell("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done");
    child.line("up", AMPLE).await?;
    let log = child.log().clone();
    let status = child.stop().await?;
    assert_eq!(status.code(), Some(7));
    log.line("bye", AMPLE).await?;
    Ok(())
}

#[tokio::test]
async fn what_ignores_sigterm_is_killed() -> Result<(), Error> {
    let mut child = shell("trap '' TERM; echo up; while :; do sleep 0.01; done")
        .grace(Duration::from_millis(50));
    child.line("up", AMPLE).await?;
    let id = child.id();
    let status = child.stop().await?;
    assert_eq!(status.code(), None, "{status}");
    assert!(!exists(id));
    Ok(())
}

#[tokio::test]
async fn kill_gives_no_chance_to_clean_up() -> Result<(), Error> {
    let mut child = shell("trap 'echo bye' TERM EXIT; echo up; while :; do sleep 0.01; done");
    child.line("up", AMPLE).await?;
    let log = child.log().clone();
    let status = child.kill().await?;
    assert_eq!(status.code(), None, "{status}");
    assert!(!log.contains("bye"));
    Ok(())
}

#[tokio::test]
async fn nothing_is_left_behind_when_it_is_dropped() -> Result<(), Error> {
    for script in [
        "echo up; exec sleep 600",
        "trap '' TERM; echo up; while :; do sleep 0.01; done",
    ] {
        let mut child = shell(script).grace(Duration::from_millis(50));
        child.line("up", AMPLE).await?;
        let id = child.id();
        assert!(exists(id));
        drop(child);
        assert!(!exists(id), "{script}");
    }
    Ok(())
}

#[tokio::test]
async fn its_own_end_can_be_awaited() -> Result<(), Error> {
    let mut child = shell("read line; exit 4");
    assert_eq!(child.wait(AMPLE).await?.code(), Some(4));
    assert!(child.ended()?.is_some());
    assert_eq!(
        child.stop().await?.code(),
        Some(4),
        "stopping it again is no error"
    );

    let mut child = shell("exec sleep 600");
    let error = child.wait(Duration::from_millis(20)).await.unwrap_err();
    assert!(matches!(error, Error::TooLong { .. }), "{error:?}");
    Ok(())
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let error = Child::spawn("ghost", &mut Command::new("/nowhere/ghost")).unwrap_err();
    assert_eq!(error.to_string(), "cannot start ghost");
}
