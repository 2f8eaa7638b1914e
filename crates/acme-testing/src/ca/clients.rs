//! Clients of ours that trust the CA.

use std::sync::Arc;

use acme_client::{AcmeAuthority, Client, Error, HyperTransport, HyperTransportError};
use acme_messages::jose::{KeyError, KeyType, PrivateKey};

use super::TestCa;

impl TestCa {
    /// A client of this CA, which trusts its HTTPS root alone.
    ///
    /// # Errors
    /// - [`ClientError`] when it cannot be set up, as for a CA over plain HTTP.
    pub fn client(&self) -> Result<Client, ClientError> {
        let transport = HyperTransport::builder()
            .crypto_provider(Arc::clone(&self.authority.provider))
            .only_roots_pem(self.https_root.as_bytes())?
            .build()?;
        Client::builder(self.directory_url(), transport)
            .build()
            .map_err(ClientError::Client)
    }

    /// A [`client`](Self::client) with an account of a fresh key, which agrees to
    /// the terms of service when it is first used.
    ///
    /// # Errors
    /// - As [`client`](Self::client).
    pub fn authority(&self) -> Result<AcmeAuthority, ClientError> {
        let key = PrivateKey::generate(KeyType::EcdsaP256).map_err(ClientError::Key)?;
        Ok(AcmeAuthority::builder(self.client()?, Arc::new(key))
            .agree_to_terms_of_service(true)
            .build())
    }
}

/// A client of a test CA could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The client's settings do not fit together.
    #[error("the client could not be set up")]
    Client(#[source] Error),
    /// The account's key could not be made.
    #[error("the account's key could not be made")]
    Key(#[source] KeyError),
    /// The client's HTTP could not be set up.
    #[error("the client's HTTP could not be set up")]
    Transport(#[source] HyperTransportError),
}

impl From<HyperTransportError> for ClientError {
    fn from(error: HyperTransportError) -> Self {
        Self::Transport(error)
    }
}
