//! The suite of behaviours that every authority passes, before real CAs.

use std::sync::{Arc, OnceLock};

use acme_client::{
    AcmeAuthority, AcmeAuthorityBuilder, Client, ExternalAccount, HyperTransport,
    HyperTransportBuilder,
    messages::jose::{KeyType, PrivateKey},
};
use acme_responders::Http01Responder;
use acme_testing::suite::Subject;
use rustls::crypto::ring;
use tokio::net::TcpListener;

fn transport() -> HyperTransportBuilder {
    HyperTransport::builder().crypto_provider(Arc::new(ring::default_provider()))
}

fn authority(
    url: &str,
    transport: HyperTransportBuilder,
    key: Arc<PrivateKey>,
) -> AcmeAuthorityBuilder {
    let client = Client::builder(url, transport.build().unwrap());
    AcmeAuthority::builder(client.build().unwrap(), key)
}

fn new_key() -> Arc<PrivateKey> {
    Arc::new(PrivateKey::generate(KeyType::EcdsaP256).unwrap())
}

mod pebble {
    use acme_testing::authority_suite;
    use acme_tests::{Pebble, Programs};

    use super::*;

    /// A subject, and the CA that it is a client of.
    struct Kept(
        Subject,
        #[expect(dead_code, reason = "it is to live")] Pebble,
    );

    impl AsRef<Subject> for Kept {
        fn as_ref(&self) -> &Subject {
            &self.0
        }
    }

    async fn subject(test: &str) -> Option<Kept> {
        let programs = Programs::or_skip(test).unwrap()?;
        let responder = Http01Responder::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serve = responder.clone();
        tokio::spawn(async move { serve.serve(listener).await });
        let pebble = Pebble::builder(programs).http_port(port).start().await;
        let pebble = pebble.unwrap();
        let roots = pebble.https_root_pem().as_bytes();
        let transport = transport().only_roots_pem(roots).unwrap();
        let authority = authority(pebble.directory_url(), transport, new_key());
        let authority = Arc::new(authority.agree_to_terms_of_service(true).build());
        let subject = Subject::new(authority, Arc::new(responder)).validates(true);
        Some(Kept(subject, pebble))
    }

    authority_suite!(subject);
}

mod named_ca {
    use acme_testing::authority_suite;
    use acme_tests::TestDirectory;

    use super::*;

    /// One account and one listener for all tests, whose runtimes end with them.
    static SHARED: OnceLock<(Http01Responder, Arc<PrivateKey>)> = OnceLock::new();

    fn shared(directory: &TestDirectory) -> (Http01Responder, Arc<PrivateKey>) {
        let made = SHARED.get_or_init(|| {
            let listener = std::net::TcpListener::bind(directory.listen).unwrap();
            listener.set_nonblocking(true).unwrap();
            let responder = Http01Responder::new();
            let serve = responder.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = { runtime }.enable_all().build().unwrap();
                runtime.block_on(async {
                    let listener = TcpListener::from_std(listener).unwrap();
                    serve.serve(listener).await
                })
            });
            (responder, new_key())
        });
        made.clone()
    }

    async fn subject(test: &str) -> Option<Subject> {
        let directory = TestDirectory::or_skip(test).unwrap()?;
        let (responder, key) = shared(&directory);
        let mut transport = transport();
        if let Some(roots) = &directory.roots {
            let roots = std::fs::read(roots).unwrap();
            transport = transport.only_roots_pem(&roots).unwrap();
        }
        let mut authority = authority(&directory.url, transport, key)
            .agree_to_terms_of_service(directory.agree_to_terms);
        if let Some(contact) = directory.contact {
            authority = authority.contact(contact);
        }
        if let Some((id, file)) = directory.external_account {
            let key = std::fs::read_to_string(file).unwrap();
            authority = authority.external_account(ExternalAccount::new(id, &key).unwrap());
        }
        let subject =
            Subject::new(Arc::new(authority.build()), Arc::new(responder)).validates(true);
        Some(subject.names_below(directory.host.parse().unwrap()))
    }

    authority_suite!(subject);
}
