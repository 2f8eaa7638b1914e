//! A CA as the renewal engine sees it: something that issues.

use std::{fmt, sync::Arc};

use acme_messages::{
    CertificateId, NewAccount, ProblemType, ServerName,
    jose::{AsyncSigner, BoxFuture, KeyType},
};

use crate::{
    Account, CertificateRequest, Client, Error, ExternalAccount, IssuedCertificate, RenewalAdvice,
    obtain::in_time, shared::Shared,
};

/// Issues certificates: a CA with an account at it, or a double in a test.
#[doc(alias = "Client")]
pub trait CertificateAuthority: fmt::Debug + Send + Sync + 'static {
    /// Who this is: the directory's URL. Certificates of two authorities with one
    /// identity may replace each other.
    fn identity(&self) -> &str;

    /// Makes sure that the authority can be used: it is reachable, and there is an account.
    fn prepare(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// A request for these names with a new key, which comes back with the certificate.
    ///
    /// # Errors
    /// - [`ErrorKind::Request`](crate::ErrorKind::Request) when there are no names, or no key can
    ///   be made.
    fn certificate_request(
        &self,
        names: &[ServerName],
        key_type: KeyType,
    ) -> Result<CertificateRequest, Error> {
        CertificateRequest::generate(names, key_type)
    }

    /// Obtains a certificate; dropping the future gives it up and stops its responders.
    fn obtain<'a>(
        &'a self,
        request: &'a CertificateRequest,
    ) -> BoxFuture<'a, Result<IssuedCertificate, Error>>;

    /// When the authority would have a certificate renewed, and when to ask again;
    /// `None` when it has no opinion.
    fn renewal_info<'a>(
        &'a self,
        id: &'a CertificateId,
    ) -> BoxFuture<'a, Result<Option<RenewalAdvice>, Error>>;
}

macro_rules! forward_authority {
    ($($pointer:ty),*) => {$(
        impl<T: CertificateAuthority + ?Sized> CertificateAuthority for $pointer {
            fn identity(&self) -> &str {
                (**self).identity()
            }

            fn prepare(&self) -> BoxFuture<'_, Result<(), Error>> {
                (**self).prepare()
            }

            fn certificate_request(
                &self,
                names: &[ServerName],
                key_type: KeyType,
            ) -> Result<CertificateRequest, Error> {
                (**self).certificate_request(names, key_type)
            }

            fn obtain<'a>(
                &'a self,
                request: &'a CertificateRequest,
            ) -> BoxFuture<'a, Result<IssuedCertificate, Error>> {
                (**self).obtain(request)
            }

            fn renewal_info<'a>(
                &'a self,
                id: &'a CertificateId,
            ) -> BoxFuture<'a, Result<Option<RenewalAdvice>, Error>> {
                (**self).renewal_info(id)
            }
        }
    )*};
}

forward_authority!(Arc<T>, Box<T>);

/// A CA and an account at it that is made, or found, when it is first needed.
#[derive(Debug)]
pub struct AcmeAuthority {
    client: Client,
    signer: Arc<dyn AsyncSigner>,
    registration: NewAccount,
    external: Option<ExternalAccount>,
    account: Shared<Account>,
}

/// Settings of an [`AcmeAuthority`].
#[derive(Debug)]
pub struct AcmeAuthorityBuilder {
    client: Client,
    signer: Arc<dyn AsyncSigner>,
    registration: NewAccount,
    external: Option<ExternalAccount>,
    account_url: Option<String>,
}

impl AcmeAuthorityBuilder {
    /// Adds a contact: a `mailto:` URL. Most CAs need none.
    #[must_use]
    pub fn contact(mut self, url: impl Into<String>) -> Self {
        self.registration.contact.push(url.into());
        self
    }

    /// Agrees to the CA's terms of service; by default nothing is agreed to.
    #[must_use]
    pub const fn agree_to_terms_of_service(mut self, agree: bool) -> Self {
        self.registration.terms_of_service_agreed = agree;
        self
    }

    /// Binds a new account to one elsewhere at the CA ([RFC 8555, section 7.3.4]).
    ///
    /// [RFC 8555, section 7.3.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4
    #[must_use]
    pub fn external_account(mut self, external: ExternalAccount) -> Self {
        self.external = Some(external);
        self
    }

    /// The account's URL, where it was kept: the CA is not asked for it then. One that the CA
    /// does not know is forgotten, and the account made or found by its key.
    #[must_use]
    pub fn account_url(mut self, url: impl Into<String>) -> Self {
        self.account_url = Some(url.into());
        self
    }

    /// Builds the authority. Nothing is sent yet.
    #[must_use]
    pub fn build(self) -> AcmeAuthority {
        let account = self
            .account_url
            .map(|url| self.client.account(self.signer.clone(), url));
        AcmeAuthority {
            client: self.client,
            signer: self.signer,
            registration: self.registration,
            external: self.external,
            account: Shared::new(account),
        }
    }
}

impl AcmeAuthority {
    /// Starts an authority: a CA, and the key of the account there.
    pub fn builder(client: Client, signer: Arc<dyn AsyncSigner>) -> AcmeAuthorityBuilder {
        AcmeAuthorityBuilder {
            client,
            signer,
            registration: NewAccount::default(),
            external: None,
            account_url: None,
        }
    }

    /// The account: known, found, or made. Those who wait meanwhile share what comes of it.
    ///
    /// # Errors
    /// - Those of [`Client::new_account`].
    pub async fn account(&self) -> Result<Account, Error> {
        let mut turn = self.account.turn().await;
        if let Some(account) = turn.value() {
            return Ok(account.clone());
        }
        if let Some(error) = turn.missed_failure() {
            return Err(error);
        }
        let (signer, new) = (self.signer.clone(), &self.registration);
        let registered = match &self.external {
            Some(external) => self.client.new_bound_account(signer, new, external).await,
            None => self.client.new_account(signer, new).await,
        };
        let registration = match registered {
            Ok(registration) => registration,
            Err(error) => {
                turn.fail(&error);
                return Err(error);
            }
        };
        tracing::info!(
            ca = self.client.directory_url(),
            account = registration.account.url(),
            created = registration.created,
            "the account is ready"
        );
        Ok(turn.value().insert(registration.account).clone())
    }

    /// Forgets an account that the CA does not know; one that was made meanwhile stays.
    async fn forget(&self, url: &str) {
        let mut turn = self.account.turn().await;
        let known = turn.value();
        if known.as_ref().is_some_and(|it| it.url() == url) {
            tracing::warn!(ca = self.identity(), "the CA has forgotten the account");
            *known = None;
        }
    }
}

impl CertificateAuthority for AcmeAuthority {
    fn identity(&self) -> &str {
        self.client.directory_url()
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.account().await.map(drop) })
    }

    fn certificate_request(
        &self,
        names: &[ServerName],
        key_type: KeyType,
    ) -> Result<CertificateRequest, Error> {
        self.client.certificate_request(names, key_type)
    }

    fn obtain<'a>(
        &'a self,
        request: &'a CertificateRequest,
    ) -> BoxFuture<'a, Result<IssuedCertificate, Error>> {
        let obtaining = async move {
            let account = self.account().await?;
            let result = account.obtain(request).await;
            let forgotten = |error: &Error| error.has_problem(&ProblemType::AccountDoesNotExist);
            if !result.as_ref().is_err_and(forgotten) {
                return result;
            }
            self.forget(account.url()).await;
            self.account().await?.obtain(request).await
        };
        // Finding or making the account counts too.
        Box::pin(in_time(&self.client, request, obtaining))
    }

    fn renewal_info<'a>(
        &'a self,
        id: &'a CertificateId,
    ) -> BoxFuture<'a, Result<Option<RenewalAdvice>, Error>> {
        Box::pin(self.client.renewal_info(id))
    }
}
