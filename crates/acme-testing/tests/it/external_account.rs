//! External account binding: the CA's five checks (RFC 8555, section 7.3.4).

use acme_testing::{
    TestCa,
    messages::{
        Account, ProblemType,
        jose::{ExternalAccountBinding, KeyType, MacAlgorithm, MacKey, PrivateKey, base64url},
    },
};
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    world::builder,
};

const SECRET: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

fn secret() -> MacKey {
    MacKey::from_text(SECRET).unwrap()
}

async fn bank() -> TestCa {
    builder()
        .external_account("customer-7", secret())
        .configure(|it| it.accounts.external_account_required = true)
        .start()
        .await
        .unwrap()
}

fn binding(client: &Client, kid: &str, key: &MacKey, algorithm: MacAlgorithm) -> Value {
    let url = &client.directory.new_account;
    let own = client.key.public_jwk();
    let binding = ExternalAccountBinding::new(algorithm, kid, key, url, own);
    serde_json::to_value(binding).unwrap()
}

async fn register(client: &mut Client, binding: Value) -> Answer {
    let payload = json!({ "termsOfServiceAgreed": true, "externalAccountBinding": binding });
    client.new_account(payload).await
}

#[tokio::test]
async fn a_bound_account_echoes_its_binding() {
    let ca = bank().await;
    for algorithm in [
        MacAlgorithm::Hs256,
        MacAlgorithm::Hs384,
        MacAlgorithm::Hs512,
    ] {
        let mut client = Client::connect(&ca).await;
        assert!(client.directory.meta.external_account_required);
        let binding = binding(&client, "customer-7", &secret(), algorithm);
        let answer = register(&mut client, binding.clone()).await;
        let account: Account = answer.expect(201).json();
        assert_eq!(account.external_account_binding, Some(binding));
    }
}

#[tokio::test]
async fn no_binding_is_told_apart() {
    let ca = bank().await;
    let mut client = Client::connect(&ca).await;
    let answer = client
        .new_account(json!({ "termsOfServiceAgreed": true }))
        .await;
    answer.expect_problem(403, ProblemType::ExternalAccountRequired);
}

#[tokio::test]
async fn each_of_the_five_checks_refuses() {
    let ca = bank().await;
    let mut client = Client::connect(&ca).await;
    let good = binding(&client, "customer-7", &secret(), MacAlgorithm::Hs256);

    // 1. It is a JWS of the flattened kind.
    for form in [
        json!("text"),
        json!({}),
        json!({ "payload": "", "signature": "" }),
    ] {
        let answer = register(&mut client, form).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
    // 2. Its header has a MAC algorithm, `kid`, the same `url`, and no nonce.
    let headers = [
        json!({ "alg": "ES256", "kid": "customer-7", "url": client.directory.new_account }),
        json!({ "alg": "HS256", "url": client.directory.new_account }),
        json!({ "alg": "HS256", "kid": "customer-7" }),
        json!({ "alg": "HS256", "kid": "customer-7", "url": client.directory.new_order }),
        json!({ "alg": "HS256", "kid": "customer-7", "url": client.directory.new_account, "nonce": "AAAA" }),
    ];
    for header in headers {
        let protected = base64url::encode(header.to_string());
        let input = format!("{protected}.{}", good["payload"].as_str().unwrap());
        let tag = secret().tag(MacAlgorithm::Hs256, input.as_bytes());
        let forged = json!({
            "protected": protected,
            "payload": good["payload"],
            "signature": base64url::encode(tag),
        });
        let answer = register(&mut client, forged).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
    // 3. The key identifier is known.
    let unknown = binding(&client, "customer-8", &secret(), MacAlgorithm::Hs256);
    let answer = register(&mut client, unknown).await;
    answer.expect_problem(403, ProblemType::Unauthorized);
    // 4. The MAC is that key's.
    let other = MacKey::from_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
    let forged = binding(&client, "customer-7", &other, MacAlgorithm::Hs256);
    let answer = register(&mut client, forged).await;
    answer.expect_problem(403, ProblemType::Unauthorized);
    // 5. It is about the key that signs the request.
    let own = std::mem::replace(
        &mut client.key,
        PrivateKey::generate(KeyType::EcdsaP256).unwrap(),
    );
    let answer = register(&mut client, good.clone()).await;
    answer.expect_problem(400, ProblemType::Malformed);
    client.key = own;
    register(&mut client, good).await.expect(201);
}

#[tokio::test]
async fn an_external_account_can_be_good_for_one() {
    let ca = bank().await;
    ca.configure(|it| it.accounts.external_accounts_once = true);
    let mut first = Client::connect(&ca).await;
    let mine = binding(&first, "customer-7", &secret(), MacAlgorithm::Hs256);
    register(&mut first, mine.clone()).await.expect(201);
    // The same account again is no second one.
    register(&mut first, mine).await.expect(200);
    let mut second = Client::connect(&ca).await;
    let other = binding(&second, "customer-7", &secret(), MacAlgorithm::Hs256);
    let answer = register(&mut second, other).await;
    answer.expect_problem(403, ProblemType::Unauthorized);
}

#[tokio::test]
async fn a_ca_without_external_accounts_passes_bindings_over() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::connect(&ca).await;
    let answer = register(&mut client, json!("whatever")).await;
    let account: Account = answer.expect(201).json();
    assert_eq!(account.external_account_binding, None);
}
