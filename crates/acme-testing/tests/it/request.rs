//! What every request must be (RFC 8555, section 6).

use acme_testing::messages::{
    ProblemType,
    jose::{FlattenedJws, KeyType, PrivateKey, ProtectedHeader, Signer, base64url},
};
use http::{HeaderValue, Method};
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    world::builder,
};

async fn client() -> (acme_testing::TestCa, Client) {
    let ca = builder().start().await.unwrap();
    let client = Client::register(&ca).await;
    (ca, client)
}

/// Sends a body that need not be a JWS.
async fn post_raw(client: &mut Client, url: &str, body: Value) -> Answer {
    let body = body.to_string().into_bytes();
    client.send(Client::request(Method::POST, url, body)).await
}

#[tokio::test]
async fn a_nonce_is_good_once() {
    let (_ca, mut client) = client().await;
    let url = client.kid.clone();
    let header = client.header(&url).await;
    client.post_with(&url, &header, b"").await.expect(200);
    let answer = client.post_with(&url, &header, b"").await;
    answer.expect_problem(400, ProblemType::BadNonce);
    // The error's own nonce serves the next try.
    let nonce = answer.header("replay-nonce").unwrap().parse().unwrap();
    let header = header.nonce(nonce);
    client.post_with(&url, &header, b"").await.expect(200);
}

#[tokio::test]
async fn a_request_without_a_nonce_is_refused() {
    let (_ca, mut client) = client().await;
    let url = client.kid.clone();
    let header = ProtectedHeader::with_kid(client.key.algorithm(), &url, &url);
    let answer = client.post_with(&url, &header, b"").await;
    answer.expect_problem(400, ProblemType::BadNonce);
    let unknown = header.nonce("AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap());
    let answer = client.post_with(&url, &unknown, b"").await;
    answer.expect_problem(400, ProblemType::BadNonce);
}

#[tokio::test]
async fn a_refused_request_spends_its_nonce() {
    let (_ca, mut client) = client().await;
    let url = client.kid.clone();
    let header = client.header(&url).await;
    let own = std::mem::replace(
        &mut client.key,
        PrivateKey::generate(KeyType::EcdsaP256).unwrap(),
    );
    let answer = client.post_with(&url, &header, b"").await;
    answer.expect_problem(400, ProblemType::Malformed);
    client.key = own;
    let answer = client.post_with(&url, &header, b"").await;
    answer.expect_problem(400, ProblemType::BadNonce);
}

#[tokio::test]
async fn the_signed_url_must_be_the_one_requested() {
    let (_ca, mut client) = client().await;
    let url = client.kid.clone();
    for other in [
        format!("{url}/"),
        url.replace("127.0.0.1", "localhost"),
        format!("{url}?"),
    ] {
        let header = client.header(&other).await;
        let answer = client.post_with(&url, &header, b"").await;
        answer.expect_problem(403, ProblemType::Unauthorized);
    }
}

#[tokio::test]
async fn exactly_one_of_jwk_and_kid_is_due() {
    let (_ca, mut client) = client().await;
    let (account, new_order) = (client.kid.clone(), client.directory.new_order.clone());
    let new_account = client.directory.new_account.clone();

    let mut both = client.header(&account).await;
    both.jwk = Some(client.key.public_jwk().clone());
    let mut neither = client.header(&account).await;
    neither.kid = None;
    for header in [both, neither] {
        let answer = client.post_with(&account, &header, b"").await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
    let jwk = client.jwk_header(&new_order).await;
    let answer = client.post_with(&new_order, &jwk, b"{}").await;
    answer.expect_problem(400, ProblemType::Malformed);
    let kid = client.header(&new_account).await;
    let answer = client.post_with(&new_account, &kid, b"{}").await;
    answer.expect_problem(400, ProblemType::Malformed);
}

#[tokio::test]
async fn the_account_url_must_be_exact() {
    let (_ca, mut client) = client().await;
    let url = client.kid.clone();
    for kid in [
        "1".to_owned(),
        format!("{url}/"),
        url.replace("account", "order"),
    ] {
        client.kid = kid;
        let answer = client.fetch(&url).await;
        answer.expect_problem(400, ProblemType::AccountDoesNotExist);
    }
}

#[tokio::test]
async fn a_damaged_jws_is_refused() {
    let (_ca, mut client) = client().await;
    let url = client.kid.clone();
    let header = client.header(&url).await;
    let jws = FlattenedJws::sign(&client.key, header, b"")
        .unwrap()
        .to_json();
    let jws: Value = serde_json::from_slice(&jws).unwrap();
    let damages: [fn(&mut Value); 6] = [
        |it| it["protected"] = json!(format!("{}=", it["protected"].as_str().unwrap())),
        |it| it["header"] = json!({}),
        |it| it["signature"] = json!("AAAA"),
        |it| it["payload"] = Value::Null,
        |it| it["signatures"] = json!([]),
        |it| *it = json!("text"),
    ];
    for damage in damages {
        let mut jws = jws.clone();
        damage(&mut jws);
        let answer = post_raw(&mut client, &url, jws).await;
        answer.expect_problem(400, ProblemType::Malformed);
        assert!(answer.header("replay-nonce").is_some());
    }
}

#[tokio::test]
async fn a_bad_header_gets_the_problem_that_fits() {
    let (_ca, mut client) = client().await;
    let url = client.kid.clone();
    let send = async |client: &mut Client, change: Value| {
        let mut header = json!({
            "alg": "ES256", "kid": url, "url": url, "nonce": client.nonce().await,
        });
        for (member, value) in change.as_object().unwrap() {
            header[member] = value.clone();
        }
        let protected = base64url::encode(header.to_string());
        let body = json!({ "protected": protected, "payload": "", "signature": "AAAA" });
        post_raw(client, &url, body).await
    };
    for alg in ["none", "HS256", "PS256", "es256"] {
        let answer = send(&mut client, json!({ "alg": alg })).await;
        let problem = answer.expect_problem(400, ProblemType::BadSignatureAlgorithm);
        assert!(problem.algorithms.contains(&"ES256".to_owned()));
    }
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA" });
    let answer = send(&mut client, json!({ "jwk": jwk })).await;
    answer.expect_problem(400, ProblemType::BadPublicKey);
    for change in [
        json!({ "nonce": "not base64url!" }),
        json!({ "b64": false }),
        json!({ "crit": ["b64"] }),
        json!({ "url": null }),
    ] {
        let answer = send(&mut client, change).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
}

#[tokio::test]
async fn http_itself_is_checked() {
    let (_ca, mut client) = client().await;
    let url = client.kid.clone();
    let header = client.header(&url).await;
    let body = FlattenedJws::sign(&client.key, header, b"")
        .unwrap()
        .to_json();

    let mut request = Client::request(Method::POST, &url, body.clone());
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert("content-type", json);
    let answer = client.send(request).await;
    answer.expect_problem(415, ProblemType::Malformed);

    let mut request = Client::request(Method::POST, &url, body);
    request.headers_mut().remove("user-agent");
    let answer = client.send(request).await;
    answer.expect_problem(400, ProblemType::Malformed);

    for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD] {
        let is_head = method == Method::HEAD;
        let answer = client.send(Client::request(method, &url, Vec::new())).await;
        assert_eq!(answer.header("allow"), Some("POST"));
        if is_head {
            answer.expect(405);
        } else {
            answer.expect_problem(405, ProblemType::Malformed);
        }
    }
    let unknown = format!("{url}/more/of/it");
    let answer = client.get(&unknown).await;
    answer.expect_problem(404, ProblemType::Malformed);

    let long = Client::request(Method::POST, &url, vec![b' '; 50_001]);
    let answer = client.send(long).await;
    answer.expect_problem(413, ProblemType::Malformed);
}

#[tokio::test]
async fn fresh_nonces_are_never_stored() {
    let (_ca, mut client) = client().await;
    let url = client.directory.new_nonce.clone();
    for (method, status) in [(Method::HEAD, 200), (Method::GET, 204)] {
        let answer = client.send(Client::request(method, &url, Vec::new())).await;
        answer.expect(status);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(base64url::is_alphabet(
            answer.header("replay-nonce").unwrap()
        ));
    }
    // What may be read may be fetched too (section 6.3).
    client.fetch(&url).await.expect(204);
    let directory = client.link_to_directory().await;
    assert_eq!(
        client.fetch(&directory).await.expect(200).link("index"),
        None
    );
}

#[tokio::test]
async fn a_fetch_has_no_payload() {
    let (_ca, mut client) = client().await;
    let (url, order) = client.order(&["example.com"]).await;
    for url in [url, order.authorizations[0].clone()] {
        let answer = client.post(&url, json!({})).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
}
