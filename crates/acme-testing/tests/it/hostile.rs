//! Whatever is sent, it is answered: nothing panics, hangs, or is the CA's fault.

use acme_testing::{
    TestCa,
    messages::jose::{FlattenedJws, base64url},
};
use http::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    world::World,
};

/// Bytes that look random, the same in each run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// Every kind of resource that is posted to.
async fn urls(world: &mut World) -> Vec<String> {
    let (_, _, certificate) = world.issue(&["example.com"]).await;
    let (order_url, order) = world.client.order(&["example.com"]).await;
    let kind = acme_testing::messages::ChallengeType::Http01;
    let authorization = order.authorizations[0].clone();
    let (challenge, _) = world.client.challenge(&authorization, kind).await;
    let directory = world.client.directory.clone();
    let kid = world.client.kid.clone();
    vec![
        world.ca.directory_url(),
        directory.new_nonce,
        directory.new_account,
        directory.new_order,
        directory.new_authz.unwrap(),
        directory.key_change.unwrap(),
        directory.revoke_cert.unwrap(),
        format!("{kid}/orders"),
        kid,
        order_url,
        order.finalize,
        authorization,
        challenge.url,
        certificate,
    ]
}

#[track_caller]
fn check(answer: &Answer, sent: &[u8]) {
    let sent = String::from_utf8_lossy(&sent[..sent.len().min(200)]);
    assert!(answer.status < 500, "{} to {sent}", answer.status);
    if answer.status >= 400 {
        let problem: Value = answer.json();
        assert!(problem["type"].is_string() && problem["detail"].is_string());
    }
}

/// The CA is as good as ever.
async fn still_serves(ca: &TestCa) {
    Client::register(ca).await.order(&["still.example"]).await;
}

/// Values that a reader may stumble over, wherever they stand.
fn values() -> Vec<Value> {
    let long = "a".repeat(2_000);
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1e308),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}\u{7f}\u{ffff}\u{1f600}"),
        json!(long),
        json!("../../../etc/passwd"),
        json!("%00%0d%0aset-cookie: a=b"),
        json!("\r\nset-cookie: a=b"),
        json!([]),
        json!({}),
        json!([[[[{}]]]]),
        json!([null, 0, "", {}]),
        json!({ "type": "dns", "value": "" }),
        json!([{ "type": "dns", "value": "\u{202e}" }]),
        json!("9999-12-31T23:59:59Z"),
        json!("-009999-01-01T00:00:00Z"),
        json!("deactivated"),
    ]
}

const MEMBERS: [&str; 16] = [
    "contact",
    "termsOfServiceAgreed",
    "onlyReturnExisting",
    "externalAccountBinding",
    "identifiers",
    "identifier",
    "notBefore",
    "notAfter",
    "profile",
    "replaces",
    "csr",
    "certificate",
    "reason",
    "status",
    "protected",
    "payload",
];

#[tokio::test]
async fn bodies_that_are_no_jws() {
    let mut world = World::new().await;
    let urls = urls(&mut world).await;
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for url in &urls {
        let header = world.client.header(url).await;
        let good = FlattenedJws::sign(&world.client.key, header, b"{}")
            .unwrap()
            .to_json();
        let mut bodies = vec![
            Vec::new(),
            b"\0".to_vec(),
            b"[".repeat(50_000),
            b"{\"protected\":".repeat(3_000),
            b"9".repeat(50_000),
            br#"{"protected":1e999,"payload":"","signature":""}"#.to_vec(),
            br#"{"protected":"W10","payload":"","signature":""}"#.to_vec(),
            vec![0xff; 1_000],
        ];
        bodies.extend((1..8).map(|n| noise.bytes(n * n * 40)));
        let step = good.len() / 9;
        bodies.extend((0..9).map(|n| good[..n * step].to_vec()));
        bodies.extend((0..9).map(|n| {
            let mut damaged = good.clone();
            let at = noise.next() as usize % damaged.len();
            damaged[at] = damaged[at].wrapping_add(1 + n);
            damaged
        }));
        for body in bodies {
            let request = Client::request(Method::POST, url, body.clone());
            let answer = world.client.send(request).await;
            check(&answer, &body);
        }
    }
    still_serves(&world.ca).await;
}

#[tokio::test]
async fn headers_that_are_none() {
    let mut world = World::new().await;
    let url = world.client.directory.new_order.clone();
    for member in ["alg", "nonce", "url", "jwk", "kid", "crit", "typ"] {
        for value in values() {
            let mut header = json!({
                "alg": "ES256", "kid": world.client.kid, "url": url,
                "nonce": world.client.nonce().await,
            });
            header[member] = value;
            let protected = base64url::encode(header.to_string());
            let body = json!({ "protected": protected, "payload": "", "signature": "AAAA" });
            let body = body.to_string().into_bytes();
            let request = Client::request(Method::POST, &url, body.clone());
            let answer = world.client.send(request).await;
            check(&answer, &body);
            assert_eq!(answer.headers.get("set-cookie"), None);
        }
    }
    still_serves(&world.ca).await;
}

/// Well signed, so that each handler reads what it should not have been sent.
#[tokio::test]
async fn payloads_that_are_none() {
    let mut world = World::new().await;
    world.ca.configure(|it| it.issuance.dates = true);
    let urls = urls(&mut world).await;
    for (at, url) in urls.iter().enumerate() {
        for (number, value) in values().into_iter().enumerate() {
            // All members at once, and all but one that is right.
            let mut payload = json!({});
            for member in MEMBERS {
                payload[member] = value.clone();
            }
            if number % 2 == 0 {
                payload["identifiers"] = json!([{ "type": "dns", "value": "example.com" }]);
            }
            // The account is to live on.
            payload["status"] = json!("valid");
            let body = payload.to_string();
            let sign_anew = at == 2;
            let header = if sign_anew {
                world.client.jwk_header(url).await
            } else {
                world.client.header(url).await
            };
            for payload in [body.as_str(), &value.to_string()] {
                let header = header.clone().nonce(world.client.nonce().await);
                let answer = world
                    .client
                    .post_with(url, &header, payload.as_bytes())
                    .await;
                check(&answer, payload.as_bytes());
            }
        }
    }
    still_serves(&world.ca).await;
}

#[tokio::test]
async fn paths_that_lead_nowhere() {
    let mut world = World::new().await;
    let base = world.ca.directory_url().replace("/directory", "");
    let kid = world.client.kid.clone();
    let huge = usize::MAX.to_string();
    let paths = [
        "/".to_owned(),
        "//".to_owned(),
        "/order/".to_owned(),
        "/order//finalize".to_owned(),
        "/../directory".to_owned(),
        "/directory/".to_owned(),
        "/%2e%2e/directory".to_owned(),
        "/renewal-info/".to_owned(),
        "/renewal-info/...".to_owned(),
        format!("/renewal-info/{}", "A".repeat(8_000)),
        format!("/certificate/x/{huge}"),
        format!("/certificate/x/{huge}0"),
        "/certificate/x/-1".to_owned(),
        format!("/order/{}", "x".repeat(8_000)),
    ];
    for path in paths {
        let url = format!("{base}{path}");
        let answer = world.client.get(&url).await;
        check(&answer, path.as_bytes());
        assert!(matches!(answer.status, 404 | 405), "{path}");
        let answer = world.client.fetch(&url).await;
        check(&answer, path.as_bytes());
        assert!((400..=405).contains(&answer.status), "{path}");
    }
    for page in [huge.as_str(), "99999999999999999999", "-1", "x", ""] {
        let url = format!("{kid}/orders?page={page}");
        let answer = world.client.fetch(&url).await;
        check(&answer, page.as_bytes());
    }
    still_serves(&world.ca).await;
}
