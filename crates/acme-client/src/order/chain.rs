//! The chains of an order that is valid ([RFC 8555, section 7.4.2]).
//!
//! [RFC 8555, section 7.4.2]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4.2

use std::time::Duration;

use acme_messages::{CertificateChain, ChainError, ChainPreference, OrderStatus, Timestamp, link};

use super::Order;
use crate::{
    CertificateRequest, Error, ErrorKind, Operation, Reply,
    pacing::{Patience, Work},
};

/// The most alternate chains that are fetched; what comes after them is passed over.
///
/// CAs with cross-signed roots have three or four.
pub const MAX_ALTERNATES: usize = 10;

/// How often a certificate that the CA says there is is looked for again, or its URL.
const LATE_LOOKS: usize = 10;

/// How far ahead of this machine's clock a certificate may begin.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(24 * 60 * 60);

impl Order {
    /// Fetches the certificate of an order that is valid: the CA's default chain.
    ///
    /// It is read strictly and not checked otherwise; [`CertificateChain`] has the checks.
    ///
    /// # Errors
    /// - [`ErrorKind::WrongState`] when the order is not valid; nothing was sent then.
    /// - [`ErrorKind::BadResponse`] when the order names no certificate.
    /// - [`ErrorKind::InvalidChain`] when the chain cannot be read, or is too long.
    /// - Those of a request; see [`ErrorKind`].
    pub async fn certificate(&self) -> Result<CertificateChain, Error> {
        let reply = self.download_default().await?;
        read(&reply)
    }

    /// Fetches every chain of an order that is valid, the CA's default first.
    ///
    /// Alternates are those that the default answer names; what cannot be fetched or read
    /// among them is passed over, and so is what came already.
    ///
    /// # Errors
    /// - As [`certificate`](Self::certificate).
    pub async fn chains(&self) -> Result<Vec<CertificateChain>, Error> {
        let reply = self.download_default().await?;
        let mut chains = vec![read(&reply)?];
        self.add_alternates(&reply, &mut chains).await;
        Ok(chains)
    }

    /// The chain that a request prefers, checked, and the others if it wants them.
    ///
    /// Alternates are fetched only where they matter.
    pub(crate) async fn checked_chains(
        &self,
        request: &CertificateRequest,
    ) -> Result<(CertificateChain, Vec<CertificateChain>), Error> {
        let now = self.client().clock().now();
        let reply = self.download_default().await?;
        let default = read(&reply)?;
        self.check(&default, request, now)
            .map_err(|error| refused(error).with_url(reply.url()))?;
        if request.begins_now() {
            check_beginning(&default, now).map_err(|error| error.with_url(reply.url()))?;
        }
        let mut chains = vec![default];
        if request.wants_all_chains() || !settles(request.chain_preference(), &chains[0]) {
            self.add_alternates(&reply, &mut chains).await;
            let mut position = 0;
            chains.retain(|chain| {
                position += 1;
                let good = position == 1 || self.check(chain, request, now).is_ok();
                if !good {
                    tracing::warn!(order = self.url(), "an alternate chain is refused");
                }
                good
            });
        }
        let at = request.chain_preference().pick(&chains).unwrap_or_else(|| {
            tracing::warn!(order = self.url(), "no chain is as preferred");
            0
        });
        let chosen = chains.remove(at);
        if !request.wants_all_chains() {
            chains.clear();
        }
        Ok((chosen, chains))
    }

    /// Nothing is handed out that a server could not use (RFC 8555, section 7.4.2).
    fn check(
        &self,
        chain: &CertificateChain,
        request: &CertificateRequest,
        now: Timestamp,
    ) -> Result<(), ChainError> {
        chain.check_key(request.csr().public_key())?;
        chain.check_names(request.names())?;
        chain.check_time(now)?;
        match self.client().cryptography() {
            Some(library) => chain.check_links_with(library.verification_algorithms()),
            None => chain.check_links(),
        }
    }

    async fn add_alternates(&self, default: &Reply, chains: &mut Vec<CertificateChain>) {
        let links = default.links();
        let mut seen = vec![default.url()];
        for url in link::urls(&links, "alternate") {
            if seen.contains(&url) {
                continue;
            }
            if seen.len() > MAX_ALTERNATES {
                break;
            }
            seen.push(url);
            match self.download(url, 0).await.and_then(|reply| read(&reply)) {
                Ok(chain) if !chains.contains(&chain) => chains.push(chain),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "an alternate chain is passed over"),
            }
        }
    }

    /// Looks again, for a second or two, at an order that is valid and names no certificate: its
    /// URL may come a little later, where several machines are the CA.
    pub(crate) async fn names_certificate(&mut self) -> Result<(), Error> {
        let client = self.client().clone();
        let mut patience = Patience::new(&client, Work::Issuing);
        for _ in 0..LATE_LOOKS {
            if self.state.certificate.is_some()
                || !patience.wait(&client, self.retry_after.take()).await
            {
                break;
            }
            if let Err(error) = self.refresh().await {
                patience.endure(&client, error).await?;
            }
        }
        Ok(())
    }

    fn certificate_url(&self) -> Result<&str, Error> {
        self.demand(&OrderStatus::Valid, Operation::Certificate)?;
        self.state.certificate.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::BadResponse, Operation::Certificate)
                .with_url(&self.url)
                .with_detail("the order is valid but names no certificate")
        })
    }

    async fn download_default(&self) -> Result<Reply, Error> {
        self.download(self.certificate_url()?, LATE_LOOKS).await
    }

    /// Fetches a chain, and again as often as this when there is none yet: not all of a CA's
    /// machines have it at once.
    async fn download(&self, url: &str, mut late_looks: usize) -> Result<Reply, Error> {
        // The certificate is there and counted: a passing trouble does not lose it.
        let mut patience = Patience::new(self.client(), Work::Issuing);
        let sender = self.account.sender();
        loop {
            let fetched = self
                .client()
                .post_as_get(Operation::Certificate, &sender, url);
            match fetched.await {
                Ok(reply) => return Ok(reply),
                Err(error) if error.status() == Some(404) && late_looks > 0 => {
                    late_looks -= 1;
                    if !patience.wait(self.client(), error.retry_after()).await {
                        return Err(error);
                    }
                }
                Err(error) => patience.endure(self.client(), error).await?,
            }
        }
    }
}

/// Whether the default chain is the one preferred, whatever else there is.
fn settles(preference: &ChainPreference, default: &CertificateChain) -> bool {
    match preference {
        ChainPreference::Default => true,
        // One that leads there goes before one that passes by.
        ChainPreference::IssuerCommonName(name) => {
            let last = default.issuer_common_names().last().flatten();
            last.as_ref() == Some(name)
        }
        other => other.pick(std::slice::from_ref(default)).is_some(),
    }
}

fn read(reply: &Reply) -> Result<CertificateChain, Error> {
    CertificateChain::from_pem(reply.body()).map_err(|error| refused(error).with_url(reply.url()))
}

/// A beginning a little ahead is the difference of two clocks; one far ahead is not.
fn check_beginning(chain: &CertificateChain, now: Timestamp) -> Result<(), Error> {
    let begins = chain.leaf().not_before;
    let ahead = begins.duration_since(now);
    if ahead.is_positive() {
        tracing::warn!(%begins, "the certificate is not valid yet: clocks differ, perhaps");
    }
    match Duration::try_from(ahead) {
        Ok(ahead) if ahead > MAX_CLOCK_DIFFERENCE => {
            Err(Error::new(ErrorKind::InvalidChain, Operation::Certificate)
                .with_detail(format!("the certificate begins at {begins} only")))
        }
        _ => Ok(()),
    }
}

fn refused(error: ChainError) -> Error {
    Error::new(ErrorKind::InvalidChain, Operation::Certificate)
        .with_detail(error.to_string())
        .with_source(error)
}
