//! Work that waits for the disk, on a thread that may wait.

use std::{
    error::Error,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::task::{JoinHandle, spawn_blocking};

/// Runs work on one of the runtime's blocking threads, once `queue` has given it its
/// places there, and waits for it.
///
/// Work that has begun goes on when this future is dropped; what has not begun never does,
/// and is dropped with it. A future that is kept and not polled keeps nobody waiting: the
/// work is done, and its places are given back, all the same.
///
/// # Errors
/// - When the system has no thread to give, the runtime ends, or the work panics.
pub(crate) async fn disk_work<P: Send + 'static, T: Send + 'static>(
    queue: impl Future<Output = P> + Send + 'static,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Box<dyn Error + Send + Sync>> {
    let waiting = Arc::new(Mutex::new(Some((work, None))));
    let until_dropped = UntilDropped(Arc::clone(&waiting));
    let task = tokio::spawn(async move {
        let places = queue.await;
        if let Some((_, its)) = &mut *lock(&waiting) {
            *its = Some(places);
        }
        // Without any thread tokio panics, and keeps the work for whenever it has one.
        let begun = catch_unwind(AssertUnwindSafe(|| {
            spawn_blocking(move || {
                let (work, places) = lock(&waiting).take()?;
                let done = work();
                drop(places);
                Some(done)
            })
        }));
        match begun {
            Ok(begun) => begun.await,
            Err(_) => Ok(None),
        }
    });
    let mut task = AbortOnDrop(task);
    let done = (&mut task.0).await??;
    drop(until_dropped);
    done.ok_or_else(|| "the system has no thread to give".into())
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Takes the work back, unless it has begun.
struct UntilDropped<J>(Arc<Mutex<Option<J>>>);

impl<J> Drop for UntilDropped<J> {
    fn drop(&mut self) {
        drop(lock(&self.0).take());
    }
}

fn lock<J>(waiting: &Mutex<J>) -> std::sync::MutexGuard<'_, J> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
