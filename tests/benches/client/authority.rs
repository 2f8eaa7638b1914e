//! The CAs, both set to find every challenge met at once, and their count of requests.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use acme_client::messages::jose::{KeyType, PrivateKey};
use acme_client::messages::{NewAccount, NewOrder, ServerName};
use acme_testing::TestCa;
use acme_tests::{Pebble, Programs};
use rustls::crypto::aws_lc_rs;
use tempfile::NamedTempFile;
use tokio::time::timeout;

use crate::Failure;
use crate::measurement::{self, Measurement, Task};

/// Longer than any measurement takes.
const LIMIT: Duration = Duration::from_secs(30);

/// How long a CA may take to answer one client alone, before it counts as stuck.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// How often Pebble is started anew for one measurement.
const RESTARTS: u32 = 5;

/// What Pebble says of each request.
const REQUEST: &str = "-> calling handler()";

/// A request that only this program makes.
const MARK: &str = "GET /dir -> calling handler()";

#[derive(Debug)]
pub(crate) enum Authority {
    InProcess { ca: TestCa, root: NamedTempFile },
    Pebble { pebble: Box<Pebble>, restarts: u32 },
}

impl Authority {
    /// `TestCa`, in this process, which is not the client's.
    pub(crate) async fn in_process() -> Result<Self, Failure> {
        let ca = TestCa::builder()
            .crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .configure(|config| config.validation.always_valid = true)
            .start()
            .await?;
        let mut root = NamedTempFile::new()?;
        root.write_all(ca.https_root_pem().as_bytes())?;
        Ok(Self::InProcess { ca, root })
    }

    /// Pebble, or nothing after saying so.
    pub(crate) async fn pebble() -> Result<Option<Self>, Failure> {
        let Some(programs) = Programs::or_skip("Pebble's figures")? else {
            return Ok(None);
        };
        let pebble = start(programs).await?;
        Ok(Some(Self::Pebble {
            pebble: Box::new(pebble),
            restarts: 0,
        }))
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Self::InProcess { .. } => "`TestCa`".to_owned(),
            Self::Pebble { restarts: 0, .. } => "Pebble".to_owned(),
            Self::Pebble { restarts, .. } => {
                format!("Pebble, which stopped answering anyone {restarts} times and was restarted")
            }
        }
    }

    fn directory(&self) -> String {
        match self {
            Self::InProcess { ca, .. } => ca.directory_url(),
            Self::Pebble { pebble, .. } => pebble.directory_url().to_owned(),
        }
    }

    fn root(&self) -> PathBuf {
        match self {
            Self::InProcess { root, .. } => root.path().to_path_buf(),
            Self::Pebble { pebble, .. } => pebble.https_root_file(),
        }
    }

    /// Measures; a Pebble that has stopped answering is started anew, and then it is done again.
    pub(crate) async fn measure(&mut self, task: &Task) -> Result<Measurement, Failure> {
        for _ in 0..=RESTARTS {
            let (directory, root) = (self.directory(), self.root());
            let ended = timeout(LIMIT, self.once(task, &directory, &root)).await;
            if let Ok(Ok(measured)) = ended {
                return Ok(measured);
            }
            // Whose fault it is shows in how the CA treats a client that has just come.
            let probed = timeout(ANSWERS_WITHIN, probe(&directory, &root)).await;
            if let Ok(Ok(())) = probed {
                let late = || format!("{} did not finish, and the CA answers others", task.kind);
                return ended.unwrap_or_else(|_| Err(late().into()));
            }
            eprintln!("{} at {} at once:", task.kind, task.width);
            self.restart().await?;
        }
        Err("the CA keeps stopping".into())
    }

    async fn once(
        &self,
        task: &Task,
        directory: &str,
        root: &Path,
    ) -> Result<Measurement, Failure> {
        match self {
            Self::InProcess { ca, .. } => {
                let begin = async || {
                    ca.clear_requests();
                    Ok(())
                };
                let end = async |()| Ok(ca.requests().len());
                measurement::run(task, directory, root, begin, end).await
            }
            Self::Pebble { pebble, .. } => {
                let begin = async || counted(pebble).await;
                // The mark is a request too.
                let end = async |before| Ok(counted(pebble).await? - before - 1);
                measurement::run(task, directory, root, begin, end).await
            }
        }
    }

    async fn restart(&mut self) -> Result<(), Failure> {
        let Self::Pebble { pebble, restarts } = self else {
            return Err("TestCa answers nobody".into());
        };
        *restarts += 1;
        eprintln!("Pebble answers nobody any more, which is its own fault; it is started anew");
        let programs = Programs::or_skip("Pebble's figures")?.ok_or("Pebble is gone")?;
        let old = std::mem::replace(&mut **pebble, start(programs).await?);
        old.stop().await?;
        Ok(())
    }

    pub(crate) async fn stop(self) -> Result<(), Failure> {
        match self {
            Self::InProcess { ca, .. } => ca.shutdown().await,
            Self::Pebble { pebble, .. } => pebble.stop().await?,
        }
        Ok(())
    }
}

async fn start(programs: Programs) -> Result<Pebble, Failure> {
    let pebble = Pebble::builder(programs)
        .variable("PEBBLE_VA_ALWAYS_VALID", "1")
        .nonce_reject(0)
        .authz_reuse(0)
        .retry_after(0, 0)
        .start();
    Ok(pebble.await?)
}

/// How many requests there were, up to one that is made here and now.
async fn counted(pebble: &Pebble) -> Result<usize, Failure> {
    let marks = pebble.log().count(MARK);
    pebble.directory().await?;
    let marked = pebble.log().nth_line(marks + 1, MARK, ANSWERS_WITHIN);
    marked.await?;
    Ok(pebble.log().count(REQUEST))
}

/// Whether a CA answers a client that has nothing to do with the measurement.
async fn probe(directory: &str, root: &Path) -> Result<(), Failure> {
    let transport = acme_client::HyperTransport::builder()
        .crypto_provider(Arc::new(aws_lc_rs::default_provider()))
        .only_roots_pem(&std::fs::read(root)?)?
        .build()?;
    let client = acme_client::Client::builder(directory, transport).build()?;
    let mut new = NewAccount::default();
    new.terms_of_service_agreed = true;
    let key = Arc::new(PrivateKey::generate(KeyType::EcdsaP256)?);
    let account = client.new_account(key, &new).await?.account;
    let name: ServerName = "probe.example.com".parse()?;
    account.new_order(&NewOrder::new([name])).await?;
    Ok(())
}
