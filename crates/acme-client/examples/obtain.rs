//! A certificate from the embedded test CA: `cargo run -p acme-client --example obtain`.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use acme_client::messages::jose::{KeyType, PrivateKey};
use acme_client::{Client, HyperTransport, messages::NewAccount};
use std::{error::Error, sync::Arc};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let ca = acme_testing::TestCa::builder().crypto_provider(provider.clone());
    let ca = ca.without_terms_of_service().start().await?;
    let port_80 = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    ca.set_http_01_port(port_80.local_addr()?.port());
    let responder = acme_responders::Http01Responder::new();
    let serving = responder.clone();
    tokio::spawn(async move { serving.serve(port_80).await });

    let transport = HyperTransport::builder().crypto_provider(provider);
    let transport = transport.only_roots_pem(ca.https_root_pem().as_bytes())?;
    let client = Client::builder(ca.directory_url(), transport.build()?).build()?;
    let key = Arc::new(PrivateKey::generate(KeyType::EcdsaP256)?);
    let account = client.new_account(key, &NewAccount::default()).await?;
    let request = client.certificate_request(&["a.example".parse()?], KeyType::EcdsaP256)?;
    let request = request.responder(Arc::new(responder));
    let issued = account.account.obtain(&request).await?;
    println!("{}", issued.chain.to_pem());
    Ok(())
}
