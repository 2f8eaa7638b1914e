//! The directory: kept, refreshed, and doubted when a resource is not where it says.

use std::{sync::Arc, time::Duration};

use acme_messages::{Directory, Timestamp};
use http::StatusCode;

use crate::{Client, Error, ErrorKind, Operation, Repeat, Reply, Sender, shared::Shared};

/// How long a directory is believed.
pub const DIRECTORY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How long an aged directory is used on before the next try to get a new one.
const NEXT_TRY: Duration = Duration::from_secs(10 * 60);

/// The directory as it was fetched last.
#[derive(Debug, Default)]
pub(crate) struct DirectoryCache(Shared<Kept>);

#[derive(Debug)]
struct Kept {
    directory: Arc<Directory>,
    since: Timestamp,
    lifetime: Duration,
}

impl Kept {
    const fn new(directory: Arc<Directory>, since: Timestamp) -> Self {
        Self {
            directory,
            since,
            lifetime: DIRECTORY_LIFETIME,
        }
    }
}

impl Client {
    /// The directory: fetched once, and again after [`DIRECTORY_LIFETIME`], or when the CA answers
    /// at one of its URLs that there is nothing.
    ///
    /// A directory that has aged is used on when a new one cannot be had.
    /// A redirect is not followed: the error says where it leads, and that URL is the one to
    /// configure.
    ///
    /// # Errors
    /// - Those of a request; see [`ErrorKind`].
    pub async fn directory(&self) -> Result<Arc<Directory>, Error> {
        let mut turn = self.directory_cache().0.turn().await;
        let now = self.clock().now();
        match turn.value() {
            Some(kept) if now.duration_since(kept.since).unsigned_abs() < kept.lifetime => {
                return Ok(kept.directory.clone());
            }
            Some(_) => {}
            None => {
                if let Some(error) = turn.missed_failure() {
                    return Err(error);
                }
            }
        }
        match self.fetch_directory().await {
            Ok(directory) => {
                *turn.value() = Some(Kept::new(directory.clone(), now));
                Ok(directory)
            }
            Err(error) => match turn.value() {
                Some(kept) => {
                    tracing::warn!(%error, "the directory could not be refreshed");
                    (kept.since, kept.lifetime) = (now, NEXT_TRY);
                    Ok(kept.directory.clone())
                }
                None => {
                    turn.fail(&error);
                    Err(error)
                }
            },
        }
    }

    /// A directory that is younger than this one, for who doubts it; several who doubt the same
    /// share one request.
    pub(crate) async fn directory_after(&self, old: &Directory) -> Result<Arc<Directory>, Error> {
        let mut turn = self.directory_cache().0.turn().await;
        if let Some(kept) = turn.value()
            && *kept.directory != *old
        {
            return Ok(kept.directory.clone());
        }
        let directory = self.fetch_directory().await?;
        *turn.value() = Some(Kept::new(directory.clone(), self.clock().now()));
        Ok(directory)
    }

    /// The new URL of a resource that an error says is no longer where the directory says.
    pub(crate) async fn moved(
        &self,
        error: &Error,
        old: &Directory,
        resource: impl Fn(&Directory) -> Option<String> + Send + Sync,
    ) -> Option<Arc<Directory>> {
        if !is_gone(error) {
            return None;
        }
        let new = self.directory_after(old).await.ok()?;
        (resource(&new) != resource(old)).then_some(new)
    }

    /// Posts to a resource of the directory, and once more when it has moved.
    pub(crate) async fn post_to(
        &self,
        operation: Operation,
        sender: &Sender,
        resource: impl Fn(&Directory) -> Option<String> + Send + Sync,
        payload: &[u8],
        repeat: Repeat,
    ) -> Result<Reply, Error> {
        let mut directory = self.directory().await?;
        let mut moved = false;
        loop {
            let url = resource(&directory).ok_or_else(|| {
                Error::new(ErrorKind::NotOffered, operation).with_url(self.directory_url())
            })?;
            let sent = self.post(operation, sender, &url, payload, repeat).await;
            let error = match sent {
                Err(error) if !moved => error,
                other => return other,
            };
            match self.moved(&error, &directory, &resource).await {
                Some(new) => directory = new,
                None => return Err(error),
            }
            moved = true;
        }
    }

    async fn fetch_directory(&self) -> Result<Arc<Directory>, Error> {
        let reply = self.get(Operation::Directory, self.directory_url()).await?;
        reply.json().map(Arc::new)
    }
}

/// Whether an error says that there is nothing at a URL, rather than that something is refused.
fn is_gone(error: &Error) -> bool {
    let gone = [
        StatusCode::NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED,
        StatusCode::GONE,
    ];
    matches!(error.kind(), ErrorKind::BadResponse | ErrorKind::Problem)
        && gone.iter().any(|it| error.status() == Some(it.as_u16()))
}
