//! Accounts (RFC 8555, section 7.3).

use acme_testing::messages::{Account, AccountStatus, ProblemType};
use serde_json::json;

use crate::{client::Client, world::builder};

#[tokio::test]
async fn a_key_gets_one_account() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::connect(&ca).await;
    let payload = json!({
        "termsOfServiceAgreed": true,
        "contact": ["mailto:admin@example.com"],
        "unknown": { "member": 1 },
    });
    let created = client.new_account(payload).await;
    let account: Account = created.expect(201).json();
    assert_eq!(account.status, AccountStatus::Valid);
    assert_eq!(account.contact, ["mailto:admin@example.com"]);
    assert!(created.link("index").is_some());

    // The request's members count for nothing when the key is known.
    let again = client.new_account(json!({ "contact": ["tel:1"] })).await;
    assert_eq!(again.expect(200).location(), created.location());
    assert_eq!(again.json::<Account>().contact, account.contact);
    let found = client
        .new_account(json!({ "onlyReturnExisting": true }))
        .await;
    assert_eq!(found.expect(200).location(), created.location());

    let mut other = Client::connect(&ca).await;
    let answer = other
        .new_account(json!({ "onlyReturnExisting": true }))
        .await;
    answer.expect_problem(400, ProblemType::AccountDoesNotExist);
}

#[tokio::test]
async fn the_terms_must_be_agreed_to() {
    let terms = "https://ca.example/terms-2";
    let ca = builder().terms_of_service(terms).start().await.unwrap();
    let mut client = Client::connect(&ca).await;
    assert_eq!(
        client.directory.meta.terms_of_service.as_deref(),
        Some(terms)
    );
    let answer = client.new_account(json!({})).await;
    let problem = answer.expect_problem(403, ProblemType::UserActionRequired);
    assert_eq!(problem.instance.as_deref(), Some(terms));
    assert_eq!(answer.link("terms-of-service").as_deref(), Some(terms));
    client
        .new_account(json!({ "termsOfServiceAgreed": true }))
        .await
        .expect(201);

    let ca = builder().without_terms_of_service().start().await.unwrap();
    let mut client = Client::connect(&ca).await;
    assert_eq!(client.directory.meta.terms_of_service, None);
    client.new_account(json!({})).await.expect(201);
}

#[tokio::test]
async fn contacts_are_checked_and_updated() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::connect(&ca).await;
    let with = |contact: &str| json!({ "termsOfServiceAgreed": true, "contact": [contact] });
    let answer = client.new_account(with("tel:+123")).await;
    answer.expect_problem(400, ProblemType::UnsupportedContact);
    let answer = client
        .new_account(with("mailto:a@example.com,b@example.com"))
        .await;
    answer.expect_problem(400, ProblemType::InvalidContact);

    let mut client = Client::register(&ca).await;
    let url = client.kid.clone();
    let update = json!({
        "contact": ["mailto:new@example.com"], "status": "valid", "orders": "https://x.example",
    });
    let account: Account = client.post(&url, update).await.expect(200).json();
    assert_eq!(account.contact, ["mailto:new@example.com"]);
    let answer = client
        .post(&url, json!({ "contact": ["mailto:nobody"] }))
        .await;
    answer.expect_problem(400, ProblemType::InvalidContact);
    let account: Account = client.fetch(&url).await.expect(200).json();
    assert_eq!(account.contact, ["mailto:new@example.com"]);
}

#[tokio::test]
async fn a_closed_account_may_nothing() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let url = client.kid.clone();
    let answer = client.post(&url, json!({ "status": "deactivated" })).await;
    let account: Account = answer.expect(200).json();
    assert_eq!(account.status, AccountStatus::Deactivated);
    client
        .fetch(&url)
        .await
        .expect_problem(401, ProblemType::Unauthorized);
    let order = json!({ "identifiers": [{ "type": "dns", "value": "example.com" }] });
    client
        .new_order(order)
        .await
        .expect_problem(401, ProblemType::Unauthorized);
    let answer = client
        .new_account(json!({ "termsOfServiceAgreed": true }))
        .await;
    answer.expect_problem(401, ProblemType::Unauthorized);
}

#[tokio::test]
async fn an_account_sees_nothing_of_another() {
    let mut world = crate::world::World::new().await;
    let (_, _, certificate) = world.issue(&["example.com"]).await;
    let (url, order) = world.client.order(&["example.com"]).await;
    let authorization = order.authorizations[0].clone();
    let kind = acme_testing::messages::ChallengeType::Http01;
    let (challenge, _) = world.client.challenge(&authorization, kind).await;

    let mut stranger = Client::register(&world.ca).await;
    let account = world.client.kid.clone();
    for url in [&account, &url, &authorization, &challenge.url, &certificate] {
        let answer = stranger.fetch(url).await;
        answer.expect_problem(403, ProblemType::Unauthorized);
    }
    let finalize = stranger
        .post(&order.finalize, json!({ "csr": "AAAA" }))
        .await;
    finalize.expect_problem(403, ProblemType::Unauthorized);
    let respond = stranger.post(&challenge.url, json!({})).await;
    respond.expect_problem(403, ProblemType::Unauthorized);
    let give_up = json!({ "status": "deactivated" });
    let answer = stranger.post(&authorization, give_up).await;
    answer.expect_problem(403, ProblemType::Unauthorized);
}

#[tokio::test]
async fn an_account_has_so_many_contacts_and_no_more() {
    let ca = builder()
        .configure(|it| it.accounts.max_contacts = 2)
        .start()
        .await
        .unwrap();
    let mut client = Client::connect(&ca).await;
    let with = |count: usize| {
        let contacts = (0..count).map(|at| format!("mailto:a{at}@example.com"));
        let contacts: Vec<_> = contacts.collect();
        json!({ "termsOfServiceAgreed": true, "contact": contacts })
    };
    let answer = client.new_account(with(3)).await;
    answer.expect_problem(400, ProblemType::InvalidContact);
    let subject = json!({
        "termsOfServiceAgreed": true, "contact": ["mailto:a@example.com?subject=x"],
    });
    let answer = client.new_account(subject).await;
    answer.expect_problem(400, ProblemType::InvalidContact);
    client.kid = client.new_account(with(2)).await.expect(201).location();
    let kid = client.kid.clone();
    // They can be taken back.
    let answer = client.post(&kid, json!({ "contact": [] })).await;
    assert!(answer.expect(200).json::<Account>().contact.is_empty());
}
