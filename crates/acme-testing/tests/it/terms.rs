//! Terms of service that change (RFC 8555, section 7.3.3).

use acme_testing::{TestCa, messages::ProblemType};
use serde_json::json;

use crate::{client::Client, world::builder};

const NEW: &str = "https://ca.example/terms/2";

async fn changed() -> (TestCa, Client) {
    let ca = builder().start().await.unwrap();
    let client = Client::register(&ca).await;
    ca.configure(|it| it.accounts.terms_of_service = Some(NEW.to_owned()));
    (ca, client)
}

#[tokio::test]
async fn accounts_are_asked_to_agree_again() {
    let (ca, mut client) = changed().await;
    let name = json!({ "type": "dns", "value": "example.com" });
    let order = json!({ "identifiers": [name] });
    client.new_order(order.clone()).await.expect(201);

    ca.configure(|it| it.accounts.enforce_changed_terms = true);
    let authorize = client.directory.new_authz.clone().unwrap();
    for answer in [
        client.new_order(order.clone()).await,
        client.post(&authorize, json!({ "identifier": name })).await,
    ] {
        let problem = answer.expect_problem(403, ProblemType::UserActionRequired);
        assert_eq!(problem.instance.as_deref(), Some(NEW));
        assert_eq!(answer.link("terms-of-service").as_deref(), Some(NEW));
    }
    // Looking is free; agreeing is asking for the account again.
    let kid = client.kid.clone();
    client.fetch(&kid).await.expect(200);
    let found = client
        .new_account(json!({ "onlyReturnExisting": true }))
        .await;
    found.expect(200);
    client.new_order(order.clone()).await.expect(403);
    let agreed = json!({ "termsOfServiceAgreed": true });
    client.new_account(agreed).await.expect(200);
    client.new_order(order).await.expect(201);
}
