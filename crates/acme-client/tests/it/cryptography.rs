//! Whose cryptography signs and checks: the TLS library's, another's, or the keys' own.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use acme_client::{
    Account, CertificateRequest, Client, Cryptography, ErrorKind, Fault, ProviderSigner,
    messages::jose::{AsyncSigner, Jwk, KeyType, PrivateKey, SignError, Signer, SigningAlgorithm},
};
use rustls::pki_types::SignatureVerificationAlgorithm;

use crate::world::{World, agreed, hyper, names, new_key, provider, within};

fn is<T: 'static>(signer: &dyn AsyncSigner) -> bool {
    let any: &dyn Any = signer;
    any.is::<T>()
}

async fn new_account(client: &Client, signer: Arc<dyn AsyncSigner>) -> Account {
    client.new_account(signer, &agreed()).await.unwrap().account
}

async fn obtain(world: &World, account: &Account) {
    let request = world.request(&["a.example"]);
    within(account.obtain(&request)).await.unwrap();
}

/// A signer of which nothing more is known: one in an HSM, say.
#[derive(Debug)]
struct Elsewhere(Arc<PrivateKey>);

impl Signer for Elsewhere {
    fn algorithm(&self) -> SigningAlgorithm {
        Signer::algorithm(&*self.0)
    }

    fn public_jwk(&self) -> &Jwk {
        Signer::public_jwk(&*self.0)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Signer::sign(&*self.0, message)
    }
}

/// Takes no key, or each, and counts how often it is asked.
#[derive(Debug, Default)]
struct Counting {
    takes: bool,
    keys: AtomicUsize,
    chains: AtomicUsize,
}

impl Cryptography for Counting {
    fn signer(&self, key: &PrivateKey) -> Option<Arc<dyn AsyncSigner>> {
        self.keys.fetch_add(1, Ordering::Relaxed);
        let signer = ProviderSigner::new(&provider(), key).unwrap();
        self.takes.then(|| Arc::new(signer) as _)
    }

    fn verification_algorithms(&self) -> &[&dyn SignatureVerificationAlgorithm] {
        self.chains.fetch_add(1, Ordering::Relaxed);
        &[]
    }
}

// A TLS provider signs for an account and for a certificate, and the CA sees no difference.
#[tokio::test]
async fn a_provider_signs() {
    let world = World::new().await;
    let (account_key, key) = (new_key(), new_key());
    let signer = |key: &_| Arc::new(ProviderSigner::new(&provider(), key).unwrap());
    let account = new_account(&world.client, signer(&account_key)).await;
    let names = names(&["a.example"]);
    // A signature's numbers are short now and then.
    for _ in 0..8 {
        let request = CertificateRequest::for_names(&names, &*signer(&key)).unwrap();
        let request = request.responder(world.responder.clone());
        within(account.obtain(&request)).await.unwrap();
    }
    let found = world.client.find_account(account_key).await.unwrap();
    assert_eq!(found.unwrap().account.url(), account.url());
    let secret = key.to_pkcs8_pem().unwrap();
    let shown = format!("{:?}", signer(&key));
    assert!(
        secret
            .lines()
            .skip(1)
            .all(|it| it.starts_with('-') || !shown.contains(it))
    );
}

#[tokio::test]
async fn keys_in_memory_sign_with_the_transports_library() {
    let world = World::new().await;
    let client = Client::builder(world.ca.directory_url(), hyper(&world.ca));
    let client = client.build().unwrap();
    let account = new_account(&client, world.account_key.clone()).await;
    assert!(is::<ProviderSigner>(account.signer()));
    assert_eq!(
        account.signer().public_jwk().thumbprint(),
        world.account_key.thumbprint()
    );
    obtain(&world, &account).await;

    // In whatever way an account comes about, and however the key is held.
    let held: Arc<dyn AsyncSigner> = Arc::new(world.account_key.clone());
    assert!(is::<ProviderSigner>(
        client.account(held, account.url()).signer()
    ));
    let found = client.find_account(world.account_key.clone()).await;
    assert!(is::<ProviderSigner>(
        found.unwrap().unwrap().account.signer()
    ));
    let new = new_key();
    let changed = account.change_key(new.clone()).await.unwrap();
    assert!(is::<ProviderSigner>(changed.signer()));
    assert_eq!(changed.signer().public_jwk().thumbprint(), new.thumbprint());
    changed.fetch().await.unwrap();
}

#[tokio::test]
async fn a_signer_elsewhere_is_left_alone() {
    let world = World::new().await;
    let signer = Arc::new(Elsewhere(world.account_key.clone()));
    let client = Client::builder(world.ca.directory_url(), hyper(&world.ca));
    let account = new_account(&client.build().unwrap(), signer).await;
    assert!(is::<Elsewhere>(account.signer()));
    obtain(&world, &account).await;
}

#[tokio::test]
async fn keys_sign_by_themselves_where_the_client_is_told_so_or_nobody_takes_them() {
    let world = World::new().await;
    let takes_none: Arc<Counting> = Arc::default();
    for cryptography in [None, Some(takes_none.clone() as Arc<dyn Cryptography>)] {
        let client = Client::builder(world.ca.directory_url(), hyper(&world.ca));
        let client = client.cryptography(cryptography).build().unwrap();
        let account = new_account(&client, world.account_key.clone()).await;
        assert!(is::<PrivateKey>(account.signer()));
        obtain(&world, &account).await;
    }
    assert!(takes_none.keys.load(Ordering::Relaxed) > 0);
    assert_eq!(takes_none.chains.load(Ordering::Relaxed), 1);
}

// A key is loaded when there is an account, and not for each request.
#[tokio::test]
async fn a_key_is_given_to_a_library_once() {
    let world = World::new().await;
    let library = Arc::new(Counting {
        takes: true,
        ..Counting::default()
    });
    let client = Client::builder(world.ca.directory_url(), hyper(&world.ca));
    let client = client.cryptography(Some(library.clone())).build().unwrap();
    let account = new_account(&client, world.account_key.clone()).await;
    for _ in 0..3 {
        obtain(&world, &account).await;
    }
    assert_eq!(library.keys.load(Ordering::Relaxed), 1);
}

// Each kind of key that a library takes signs with it as by itself; the others sign by themselves.
#[tokio::test]
async fn each_kind_of_key_signs_for_an_account() {
    let world = World::new().await;
    // As far as this build makes them.
    let keys = KeyType::ALL.iter().map(|it| PrivateKey::generate(*it));
    for key in keys.flatten().map(Arc::new) {
        let kind = Signer::algorithm(&*key);
        let client = Client::builder(world.ca.directory_url(), hyper(&world.ca));
        let client = client.build().unwrap();
        let account = new_account(&client, key.clone()).await;
        assert!(is::<ProviderSigner>(account.signer()), "{kind:?}");
        for message in [&b""[..], b"message", &[0xff; 100_000]] {
            let signature = account.signer().sign(message).await.unwrap();
            Signer::public_jwk(&*key)
                .verify(message, &signature)
                .unwrap();
        }
    }
}

/// A library whose keys fail when they are to sign.
#[derive(Debug)]
struct Failing;

impl Cryptography for Failing {
    fn signer(&self, key: &PrivateKey) -> Option<Arc<dyn AsyncSigner>> {
        Some(Arc::new(FailingKey(Signer::public_jwk(key).clone())))
    }

    fn verification_algorithms(&self) -> &[&dyn SignatureVerificationAlgorithm] {
        &[]
    }
}

#[derive(Debug)]
struct FailingKey(Jwk);

impl Signer for FailingKey {
    fn algorithm(&self) -> SigningAlgorithm {
        self.0.algorithm()
    }

    fn public_jwk(&self) -> &Jwk {
        &self.0
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Err(SignError::new("the library is out of order"))
    }
}

// It is told as what it is, nothing is sent, and the nonce is kept.
#[tokio::test]
async fn a_library_that_fails_is_told() {
    let world = World::new().await;
    let client = Client::builder(world.ca.directory_url(), hyper(&world.ca));
    let client = client
        .cryptography(Some(Arc::new(Failing)))
        .build()
        .unwrap();
    for _ in 0..2 {
        let new = agreed();
        let made = client.new_account(world.account_key.clone(), &new).await;
        let error = made.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Sign);
        assert_eq!(error.fault(), Fault::Helper);
        assert!(!error.is_transient());
    }
    use acme_testing::Operation::{Directory, NewNonce};
    assert_eq!(world.asked(), [Directory, NewNonce]);
}
