//! Closes a port from elsewhere, and tells when it is closed.

use std::convert::Infallible;

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::task::AbortHandle;

/// Closes the port of a [`TlsListener`](crate::TlsListener). Cheap to clone.
#[derive(Clone, Debug)]
pub struct ListenerCloser {
    task: AbortHandle,
    gone: Shared<BoxFuture<'static, ()>>,
}

impl ListenerCloser {
    /// Spawns what owns a port, and nothing else holds it open.
    pub(crate) fn spawn(owner: impl Future<Output = Infallible> + Send + 'static) -> Self {
        let task = tokio::spawn(async {
            owner.await;
        });
        Self {
            task: task.abort_handle(),
            gone: task.map(drop).boxed().shared(),
        }
    }

    /// Stops listening. Handshakes under way are dropped; connections that are
    /// done, accepted by the application or not, live on.
    pub fn close(&self) {
        self.task.abort();
    }

    /// Waits until the port is closed, by [`close`](Self::close) or because its
    /// listener was dropped: from then on connections are refused, and the port
    /// can be bound anew.
    pub async fn closed(&self) {
        self.gone.clone().await;
    }
}
