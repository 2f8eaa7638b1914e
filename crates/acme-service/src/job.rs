//! One attempt: from a name to a certificate in the store.

use std::{sync::Arc, time::Duration};

use acme_client::{CertificateAuthority, CertificateRequest, Error, ErrorKind, Operation};
use acme_messages::{
    Clock, ServerName,
    jose::{KeyType, PrivateKey},
};
use acme_responders::Responder;
use acme_store::{
    CertificateBundle, CertificateStore, Entry, EntryState, Expect, PutError, StoreError, Version,
};

use crate::{IssueError, answers::Answers};

/// How long the CA may take over one certificate, waits included.
pub const ISSUE_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// How long the store may take over one call.
pub(crate) const STORE_DEADLINE: Duration = Duration::from_secs(60);

/// How often a put is tried anew because somebody else wrote meanwhile.
const MAX_CONFLICTS: usize = 3;

/// What every attempt needs.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) store: Arc<dyn CertificateStore>,
    pub(crate) authority: Arc<dyn CertificateAuthority>,
    pub(crate) responders: Vec<Arc<dyn Responder>>,
    pub(crate) answers: Answers,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) key_type: KeyType,
    pub(crate) profile: Option<String>,
}

/// What an attempt should know of those before it.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// A certificate that was issued and could not be stored.
    pub(crate) unstored: Option<CertificateBundle>,
    /// How many in a row have failed.
    pub(crate) failures: u32,
}

/// What is in the store after an attempt.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) bundle: CertificateBundle,
    pub(crate) version: Version,
}

/// Why an attempt failed, and the certificate that could not be stored.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: IssueError,
    pub(crate) unstored: Option<CertificateBundle>,
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        Self {
            error,
            unstored: None,
        }
    }
}

impl Means {
    /// Gets a certificate for a name and stores it; one that an earlier attempt
    /// could not store is not ordered again.
    pub(crate) async fn issue(
        &self,
        name: &ServerName,
        attempt: Attempt,
    ) -> Result<Stored, Failure> {
        // Asked first: an order is not spent on what cannot be kept.
        self.bounded(self.store.accepts(name))
            .await
            .map_err(IssueError::store)?;
        let before = self.get(name).await.map_err(IssueError::store)?;
        let bundle = match attempt.unstored {
            // A put that was said to fail may have worked, or somebody else's did.
            Some(bundle) => match before.as_ref().and_then(|it| at_least_as_good(it, &bundle)) {
                Some(stored) => return Ok(stored),
                None => bundle,
            },
            None => self.obtain(name, attempt.failures).await?,
        };
        self.put(name, &bundle, before)
            .await
            .map_err(|error| Failure {
                error,
                unstored: Some(bundle),
            })
    }

    async fn obtain(
        &self,
        name: &ServerName,
        failures: u32,
    ) -> Result<CertificateBundle, IssueError> {
        // A new key each time: one that leaked is of use no longer than its certificate.
        let key = PrivateKey::generate(self.key_type).map_err(IssueError::Key)?;
        let request = CertificateRequest::for_names(std::slice::from_ref(name), &key)
            .map_err(|error| IssueError::Request(Arc::new(error)))?;
        // What failed is not tried first again: port 443 may be out of the CA's reach
        // where port 80 is not.
        let count = self.responders.len();
        let first = usize::try_from(failures).unwrap_or_default() % count.max(1);
        let responders = self.responders.iter().cycle().skip(first).take(count);
        let request = responders
            .cloned()
            .fold(request, CertificateRequest::responder);
        let request = match &self.profile {
            Some(profile) => request.profile(profile),
            None => request,
        };
        let issued = tokio::select! {
            issued = self.authority.obtain(&request) => {
                issued.map_err(|error| IssueError::Authority(Arc::new(error)))?
            }
            () = self.clock.sleep(ISSUE_DEADLINE) => return Err(IssueError::TimedOut),
        };
        // Whoever the authority is: what is not for this name and key replaces nothing.
        let chain = issued.chain;
        chain
            .check_names(std::slice::from_ref(name))
            .map_err(foreign)?;
        CertificateBundle::new(key, chain).map_err(foreign)
    }

    async fn get(&self, name: &ServerName) -> Result<Option<Entry>, StoreError> {
        self.bounded(self.store.get(name)).await
    }

    async fn bounded<T, E: From<StoreError>>(
        &self,
        call: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        bounded(&*self.clock, call).await
    }

    async fn put(
        &self,
        name: &ServerName,
        bundle: &CertificateBundle,
        mut before: Option<Entry>,
    ) -> Result<Stored, IssueError> {
        for _ in 0..MAX_CONFLICTS {
            let was_there = before.is_some();
            let expected = match before {
                Some(entry) => Expect::Version(entry.version),
                None => Expect::Absent,
            };
            match self.bounded(self.store.put(name, bundle, expected)).await {
                Ok(version) => {
                    return Ok(Stored {
                        bundle: bundle.clone(),
                        version,
                    });
                }
                Err(PutError::Store(error)) => return Err(IssueError::store(error)),
                Err(_) => {} // A conflict: look at what is there now.
            }
            before = self.get(name).await.map_err(IssueError::store)?;
            match &before {
                None if was_there => return Err(IssueError::Removed),
                None => {}
                Some(entry) => {
                    if let Some(stored) = at_least_as_good(entry, bundle) {
                        return Ok(stored);
                    }
                    if let EntryState::Damaged(error) = &entry.contents {
                        // It may be half of what somebody is writing.
                        let error = StoreError::Unavailable((*error).into());
                        return Err(IssueError::store(error));
                    }
                }
            }
        }
        Err(IssueError::store(StoreError::Unavailable(
            "somebody else keeps writing this name".into(),
        )))
    }
}

/// What somebody else has stored, if it lasts as long as ours.
fn at_least_as_good(entry: &Entry, ours: &CertificateBundle) -> Option<Stored> {
    let theirs = entry.bundle()?;
    let lasts = theirs.chain().leaf().not_after >= ours.chain().leaf().not_after;
    lasts.then(|| Stored {
        bundle: theirs.clone(),
        version: entry.version.clone(),
    })
}

fn foreign(error: impl std::error::Error + Send + Sync + 'static) -> IssueError {
    let error = Error::new(ErrorKind::InvalidChain, Operation::Certificate)
        .with_detail(error.to_string())
        .with_source(error);
    IssueError::Authority(Arc::new(error))
}

/// A call of the store, given up after [`STORE_DEADLINE`].
pub(crate) async fn bounded<T, E: From<StoreError>>(
    clock: &dyn Clock,
    call: impl Future<Output = Result<T, E>> + Send,
) -> Result<T, E> {
    tokio::select! {
        answer = call => answer,
        () = clock.sleep(STORE_DEADLINE) => {
            Err(StoreError::Unavailable("the store does not answer".into()).into())
        }
    }
}
