//! Scripts in Python: started, listened to, and ended.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
    process::Command,
    time::Duration,
};

use acme_tests::Child;

use crate::table::Checked;

/// How long a script may take: a Python program needs a second to begin.
const LIMIT: Duration = Duration::from_secs(60);

/// What a script puts before each of its answers, since libraries say things too.
const SAID: &str = "said: ";

/// What a script says when it has said everything.
const DONE: &str = "done.";

fn command(python: &Path, script: &str) -> Command {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/readers/python");
    let mut command = Command::new(python);
    command.arg(Path::new(folder).join(script));
    command
}

/// Runs a script to its end; what it answers, line by line.
pub(crate) async fn ask(python: &Path, script: &str, arguments: &[&str]) -> Checked<Vec<String>> {
    let mut child = Child::spawn(script, command(python, script).args(arguments))?;
    child
        .line(DONE, LIMIT)
        .await
        .map_err(|error| format!("{error}: {}", error.log()))?;
    let lines = child.log().lines();
    let said = lines.iter().filter_map(|line| line.strip_prefix(SAID));
    let said = said.map(str::to_owned).collect();
    child.stop().await?;
    Ok(said)
}

/// Begins to serve an endpoint of Twisted's, and says where.
pub(crate) async fn serve(
    python: &Path,
    endpoint: &str,
    address: IpAddr,
) -> Checked<(Child, SocketAddr)> {
    let mut child = Child::spawn("serve.py", command(python, "serve.py").arg(endpoint))?;
    let line = child.line("port ", LIMIT).await?;
    let port = line.rsplit(' ').next().unwrap_or_default().trim();
    Ok((child, SocketAddr::new(address, port.parse()?)))
}
