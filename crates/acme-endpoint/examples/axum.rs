//! An axum application over HTTPS that keeps its own certificates.
//!
//! ```sh
//! mkdir -p certs && touch certs/www.example.com.pem
//! cargo run --example axum --features axum -- lets:certs:tcp:443
//! ```
//!
//! An empty `certs/NAME.pem` asks for a certificate for NAME. `lets:` is Let's
//! Encrypt's staging environment; once it works, write `le:` and use a fresh
//! directory, since what staging issued looks valid.

use std::{error::Error, sync::Arc, time::Duration};

use acme_client::{AcmeAuthority, Client, HyperTransport};
use acme_endpoint::{AutoTlsEndpoint, EndpointSpec};
use acme_store::{DirectoryStore, load_or_create_account_key};
use axum::{Router, routing::get};

/// How long a certificate that is being requested may take after Ctrl-C.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().nth(1);
    let spec: EndpointSpec = argument
        .as_deref()
        .unwrap_or("lets:certs:tcp:443")
        .parse()?;
    let url = spec.ca.directory_url().ok_or("use le: or lets:")?;

    // Any provider of rustls will do; aws-lc-rs adds a post-quantum key exchange.
    let provider = Arc::new(rustls::crypto::ring::default_provider());

    // The CA. Running this agrees to its terms of service.
    let transport = HyperTransport::builder()
        .crypto_provider(provider.clone())
        .build()?;
    let key = load_or_create_account_key(&spec.directory).await?;
    let authority = AcmeAuthority::builder(Client::builder(url, transport).build()?, Arc::new(key))
        .agree_to_terms_of_service(true)
        .build();

    // The endpoint: stored certificates are served at once, missing ones requested.
    let store = DirectoryStore::open(&spec.directory).await?;
    let (listener, endpoint) = AutoTlsEndpoint::builder(Arc::new(store), Arc::new(authority))
        .crypto_provider(provider)
        .protocols(["http/1.1"]) // and "h2" with axum's feature `http2`
        .start(spec.listen.bind()?)
        .await?;

    let app = Router::new().route("/", get(async || "Hello over HTTPS\n"));
    axum::serve(listener, app)
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    endpoint.shutdown(GRACE).await;
    Ok(())
}
