//! The helper program as the suite sees it: told what to do, stopped, killed.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tokio::sync::mpsc;

use super::{
    assistant::MARK,
    ground::{Ground, Halt, ensure, missing},
};

/// 60 s: a program that has not said anything by then does not run.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A running helper; it is killed when dropped.
pub(super) struct Helper {
    child: Child,
    input: ChildStdin,
    said: mpsc::UnboundedReceiver<String>,
}

impl Helper {
    pub(super) fn start(ground: &Ground) -> Result<Self, Halt> {
        let command = ground
            .hooks()
            .helper
            .as_ref()
            .ok_or_else(|| missing("helper"))?;
        let mut command = command(ground.namespace.clone());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let no_pipe = || Halt::Failed("the helper has no pipes".to_owned());
        let input = child.stdin.take().ok_or_else(no_pipe)?;
        let output = child.stdout.take().ok_or_else(no_pipe)?;
        let (say, said) = mpsc::unbounded_channel();
        // It ends with the helper's output.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(word) = line.strip_prefix(MARK)
                    && say.send(word.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        Ok(Self { child, input, said })
    }

    /// Sends a command, without waiting for what comes of it.
    pub(super) async fn send(&mut self, command: &str) -> Result<(), Halt> {
        // A line fits into the pipe.
        writeln!(self.input, "{command}")?;
        self.input.flush()?;
        tokio::task::yield_now().await;
        Ok(())
    }

    /// Sends a command, and gives its answer.
    pub(super) async fn say(&mut self, command: &str) -> Result<String, Halt> {
        self.send(command).await?;
        let said = tokio::time::timeout(ANSWER_LIMIT, self.said.recv()).await?;
        said.ok_or_else(|| Halt::Failed(format!("the helper has ended at {command:?}")))
    }

    /// Sends a command that has one right answer.
    pub(super) async fn ask(&mut self, command: &str, expected: &str) -> Result<(), Halt> {
        let said = self.say(command).await?;
        ensure!(said == expected, "the helper's {command:?}: {said}");
        Ok(())
    }

    /// Waits for a line that has one right content.
    pub(super) async fn expect(&mut self, expected: &str) -> Result<(), Halt> {
        let said = tokio::time::timeout(ANSWER_LIMIT, self.said.recv()).await?;
        ensure!(
            said.as_deref() == Some(expected),
            "the helper says {said:?}"
        );
        Ok(())
    }

    /// Stops it, as a debugger or a frozen machine does, and waits until it has stopped.
    pub(super) fn stop(&self) -> Result<(), Halt> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::STOP)?;
        let stopped = waitpid(Some(pid), WaitOptions::UNTRACED)?;
        ensure!(
            stopped.is_some_and(|it| it.1.stopped()),
            "the helper did not stop"
        );
        Ok(())
    }

    /// Lets it go on.
    pub(super) fn go_on(&self) -> Result<(), Halt> {
        Ok(kill_process(Pid::from_child(&self.child), Signal::CONT)?)
    }

    /// Kills it, and waits for its end.
    pub(super) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.kill();
    }
}
