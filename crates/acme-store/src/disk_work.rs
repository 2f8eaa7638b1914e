//! Work that waits for the disk, on a thread that may wait.

use std::{
    error::Error,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::task::spawn_blocking;

/// Runs work on one of the runtime's blocking threads, and waits for it.
///
/// Work that has begun goes on when this future is dropped; what has not begun never does,
/// and is dropped with it.
///
/// # Errors
/// - When the system has no thread to give, the runtime ends, or the work panics.
pub(crate) async fn disk_work<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Box<dyn Error + Send + Sync>> {
    let waiting = Arc::new(Mutex::new(Some(work)));
    let until_dropped = UntilDropped(Arc::clone(&waiting));
    // Without any thread tokio panics, and keeps the work for whenever it has one.
    let begun = catch_unwind(AssertUnwindSafe(|| {
        spawn_blocking(move || take(&waiting).map(|work| work()))
    }));
    let done = match begun {
        Ok(begun) => begun.await?,
        Err(_) => None,
    };
    drop(until_dropped);
    done.ok_or_else(|| "the system has no thread to give".into())
}

struct UntilDropped<F>(Arc<Mutex<Option<F>>>);

impl<F> Drop for UntilDropped<F> {
    fn drop(&mut self) {
        drop(take(&self.0));
    }
}

/// The work, unless it has begun or is wanted no more.
fn take<F>(waiting: &Mutex<Option<F>>) -> Option<F> {
    waiting
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}
