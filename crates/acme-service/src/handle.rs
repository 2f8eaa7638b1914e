//! The way to a running service.

use std::{sync::Arc, time::Duration};

use acme_messages::ServerName;
use acme_store::CertificateBundle;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::{InitialCheck, IssueError, ServiceEvent, ServiceStopped};

/// What waits for a name's attempt.
pub(crate) type Waiter = oneshot::Sender<Result<CertificateBundle, IssueError>>;

/// What a handle asks of the engine.
#[derive(Debug)]
pub(crate) enum Command {
    /// Get a certificate for a name now.
    Issue(ServerName, Waiter),
    /// Finish within the grace, then say so.
    Shutdown(Duration, oneshot::Sender<()>),
}

/// A running service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServiceHandle {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) ready: watch::Receiver<Option<Arc<InitialCheck>>>,
    pub(crate) events: broadcast::WeakSender<ServiceEvent>,
}

impl ServiceHandle {
    /// Waits until each name that had nothing to serve at the start has been tried once.
    ///
    /// It never hangs: a CA that is down, a store that fails and a name that
    /// cannot be proved are reported as values. Names that are merely due are
    /// not waited for.
    ///
    /// # Errors
    /// - [`ServiceStopped`] when the service was shut down before.
    #[doc(alias = "when_certs_valid")]
    pub async fn initial_check(&self) -> Result<Arc<InitialCheck>, ServiceStopped> {
        let mut ready = self.ready.clone();
        let check = ready
            .wait_for(Option::is_some)
            .await
            .map_err(|_| ServiceStopped)?;
        check.clone().ok_or(ServiceStopped)
    }

    /// Gets a certificate for a name now, due or not, and stores it.
    ///
    /// Whoever asks while an attempt for the name is under way joins it; whoever
    /// stops waiting harms no one else, and the attempt goes on.
    ///
    /// # Errors
    /// - [`IssueError`], the same for all who waited.
    #[doc(alias = "issue_cert")]
    pub async fn issue(&self, name: &ServerName) -> Result<CertificateBundle, IssueError> {
        let (waiter, result) = oneshot::channel();
        self.commands
            .send(Command::Issue(name.clone(), waiter))
            .await
            .map_err(|_| IssueError::Stopped)?;
        result.await.unwrap_or(Err(IssueError::Stopped))
    }

    /// What happens from now on. A receiver that falls behind misses the oldest.
    ///
    /// # Errors
    /// - [`ServiceStopped`] when the service was shut down.
    pub fn subscribe(&self) -> Result<broadcast::Receiver<ServiceEvent>, ServiceStopped> {
        let events = self.events.upgrade().ok_or(ServiceStopped)?;
        Ok(events.subscribe())
    }

    /// Stops the service: nothing new begins, attempts under way get the grace to
    /// finish, then they are given up and their responders stopped.
    ///
    /// Shutting down what is shut down changes nothing.
    pub async fn shutdown(&self, grace: Duration) {
        let (done, finished) = oneshot::channel();
        if self
            .commands
            .send(Command::Shutdown(grace, done))
            .await
            .is_ok()
        {
            // An error means that it is over too.
            finished.await.ok();
        }
        // Somebody else's shutdown may be under way still.
        let mut ready = self.ready.clone();
        while ready.changed().await.is_ok() {}
    }
}
