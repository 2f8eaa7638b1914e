//! One attempt: from a name to a certificate in the store.

use std::{sync::Arc, time::Duration};

use acme_client::{CertificateAuthority, CertificateRequest};
use acme_messages::{
    Clock, ServerName,
    jose::{KeyType, PrivateKey},
};
use acme_responders::Responder;
use acme_store::{
    CertificateBundle, CertificateStore, Entry, Expect, PutError, StoreError, Version,
};

use crate::IssueError;

/// How long the CA may take over one certificate, waits included.
pub const ISSUE_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// How often a put is tried anew because somebody else wrote meanwhile.
const MAX_CONFLICTS: usize = 3;

/// What every attempt needs.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) store: Arc<dyn CertificateStore>,
    pub(crate) authority: Arc<dyn CertificateAuthority>,
    pub(crate) responders: Vec<Arc<dyn Responder>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) key_type: KeyType,
    pub(crate) profile: Option<String>,
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
        unstored: Option<CertificateBundle>,
    ) -> Result<Stored, Failure> {
        // Asked first: an order is not spent on what cannot be kept.
        self.store.accepts(name).await.map_err(IssueError::store)?;
        let before = self.store.get(name).await.map_err(IssueError::store)?;
        let bundle = match unstored {
            Some(bundle) => bundle,
            None => self.obtain(name).await?,
        };
        self.put(name, &bundle, before)
            .await
            .map_err(|error| Failure {
                error: IssueError::store(error),
                unstored: Some(bundle),
            })
    }

    async fn obtain(&self, name: &ServerName) -> Result<CertificateBundle, IssueError> {
        // A new key each time: one that leaked is of use no longer than its certificate.
        let key = PrivateKey::generate(self.key_type);
        let request = CertificateRequest::for_names(std::slice::from_ref(name), &key)
            .map_err(|error| IssueError::Request(Arc::new(error)))?;
        let request = self
            .responders
            .iter()
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
        // The client has checked the chain against the key.
        CertificateBundle::new(key, issued.chain)
            .map_err(|error| IssueError::store(StoreError::Unavailable(error.into())))
    }

    async fn put(
        &self,
        name: &ServerName,
        bundle: &CertificateBundle,
        mut before: Option<Entry>,
    ) -> Result<Stored, StoreError> {
        for _ in 0..MAX_CONFLICTS {
            let expected = match before {
                Some(entry) => Expect::Version(entry.version),
                None => Expect::Absent,
            };
            match self.store.put(name, bundle, expected).await {
                Ok(version) => {
                    return Ok(Stored {
                        bundle: bundle.clone(),
                        version,
                    });
                }
                Err(PutError::Store(error)) => return Err(error),
                Err(_) => {} // A conflict: look at what is there now.
            }
            before = self.store.get(name).await?;
            if let Some(entry) = &before
                && let Some(other) = entry.bundle()
                && other.chain().leaf().not_after >= bundle.chain().leaf().not_after
            {
                // Somebody else renewed it, and theirs lasts as long as ours.
                return Ok(Stored {
                    bundle: other.clone(),
                    version: entry.version.clone(),
                });
            }
        }
        Err(StoreError::Unavailable(
            "somebody else keeps writing this name".into(),
        ))
    }
}
