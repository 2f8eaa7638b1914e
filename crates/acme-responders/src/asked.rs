//! The wait for someone to ask, shared by the responders that can tell.

use acme_messages::jose::BoxFuture;
use tokio::sync::watch;

/// Completes when the flag is set; never, when there is no flag or its answer was taken away.
pub(crate) fn wait(flag: Option<watch::Receiver<bool>>) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        if let Some(mut flag) = flag
            && flag.wait_for(|asked| *asked).await.is_ok()
        {
            return;
        }
        std::future::pending().await
    })
}
