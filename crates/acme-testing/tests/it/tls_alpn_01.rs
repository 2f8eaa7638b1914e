//! Validation by tls-alpn-01 (RFC 8737), with a certificate made by hand.

use std::{net::IpAddr, sync::Arc, time::Duration};

use acme_testing::{
    Style, TestCa,
    messages::{
        Authorization, AuthorizationStatus, ChallengeType, Order, OrderStatus, ProblemType,
        tls_alpn::acme_identifier_value,
    },
};
use der::asn1::{Ia5String, OctetString};
use p256::{ecdsa::SigningKey, elliptic_curve::Generate};
use rustls::version::{TLS12, TLS13};
use serde_json::json;
use tokio::net::TcpListener;
use x509_cert::{
    ext::{
        Extension, ToExtension,
        pkix::{SubjectAltName, name::GeneralName},
    },
    name::Name,
};

use crate::{
    client::Client,
    tls_shape::{Hellos, Shape, identifier, names, serve},
    world::builder as ca_builder,
};

/// Validates `name` by a server of this shape; returns the problem, and what it heard.
async fn validate(
    name: &str,
    change: impl FnOnce(&mut Shape),
) -> (Option<ProblemType>, Vec<(Option<String>, Vec<Vec<u8>>)>) {
    validate_by(Style::Rfc8555, name, change).await
}

async fn validate_by(
    style: Style,
    name: &str,
    change: impl FnOnce(&mut Shape),
) -> (Option<ProblemType>, Vec<(Option<String>, Vec<Vec<u8>>)>) {
    let ca = ca_builder()
        .configure(|it| it.style = style)
        .start()
        .await
        .unwrap();
    let mut client = Client::register(&ca).await;
    let (url, order) = client.order(&[name]).await;
    let authorization = &order.authorizations[0];
    let (challenge, answer) = client
        .challenge(authorization, ChallengeType::TlsAlpn01)
        .await;
    let mut shape = Shape::right(name, &answer);
    change(&mut shape);
    let hellos = Hellos::default();
    ca.set_tls_alpn_01_port(serve(shape.config(Arc::clone(&hellos))).await);
    client.post(&challenge.url, json!({})).await.expect(200);
    let seen: Authorization = client.fetch(authorization).await.json();
    let order: Order = client.fetch(&url).await.json();
    let error = seen.challenges[0].error.clone();
    let expected = match error {
        Some(_) => (AuthorizationStatus::Invalid, OrderStatus::Invalid),
        None => (AuthorizationStatus::Valid, OrderStatus::Ready),
    };
    assert_eq!((seen.status, order.status), expected);
    assert_eq!(order.error, error);
    let heard = hellos.lock().unwrap().clone();
    (error.map(|it| it.into_details().kind), heard)
}

#[tokio::test]
async fn the_right_certificate_proves_a_name() {
    let (problem, heard) = validate("www.example.com", |_| {}).await;
    assert_eq!(problem, None);
    let offered = vec![b"acme-tls/1".to_vec()];
    assert_eq!(heard, [(Some("www.example.com".to_owned()), offered)]);
    for version in [&TLS12, &TLS13] {
        let (problem, _) = validate("example.com", |it| it.versions = vec![version]).await;
        assert_eq!(problem, None, "{version:?}");
    }
    let (problem, _) = validate("example.com", |it| it.protocols.insert(0, b"h2")).await;
    assert_eq!(problem, None);
}

#[tokio::test]
async fn an_address_is_asked_for_by_its_reverse_name() {
    let (problem, heard) = validate("192.0.2.1", |_| {}).await;
    assert_eq!(problem, None);
    assert_eq!(heard[0].0.as_deref(), Some("1.2.0.192.in-addr.arpa"));
    let (problem, heard) = validate("2001:db8::1", |_| {}).await;
    assert_eq!(problem, None);
    let reverse = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
    assert_eq!(heard[0].0.as_deref(), Some(reverse));
}

/// RFC 8738, section 6: one iPAddress, and no name in its place.
#[tokio::test]
async fn an_address_is_proved_by_itself_alone() {
    let check = async |name: &str, shown: GeneralName, met: bool| {
        let (problem, _) = validate(name, |it| {
            let names = SubjectAltName(vec![shown.clone()]);
            it.extensions[0] = names.to_extension(&Name::default(), &[]).unwrap();
        })
        .await;
        let expected = (!met).then_some(ProblemType::Unauthorized);
        assert_eq!(problem, expected, "{name} {shown:?}");
    };
    let address = |text: &str| GeneralName::from(text.parse::<IpAddr>().unwrap());
    let dns = |text: &str| GeneralName::DnsName(Ia5String::new(text).unwrap());
    check("192.0.2.1", address("192.0.2.1"), true).await;
    check("192.0.2.1", address("192.0.2.2"), false).await;
    check("192.0.2.1", address("::ffff:192.0.2.1"), false).await;
    check("192.0.2.1", dns("192.0.2.1"), false).await;
    check("192.0.2.1", dns("1.2.0.192.in-addr.arpa"), false).await;
    check("2001:db8::1", address("2001:db8::1"), true).await;
    check("2001:db8::1", address("2001:db8::2"), false).await;
    check("2001:db8::1", dns("2001:db8::1"), false).await;
    check("example.com", address("127.0.0.1"), false).await;
    let (problem, _) = validate("192.0.2.1", |it| {
        it.extensions[0] = names(&["192.0.2.1", "example.com"]);
    })
    .await;
    assert_eq!(problem, Some(ProblemType::Unauthorized));
}

#[tokio::test]
async fn a_wrong_digest_is_told_in_the_ways_of_the_ca() {
    for (style, expected) in [
        (Style::Rfc8555, ProblemType::IncorrectResponse),
        (Style::Boulder, ProblemType::Unauthorized),
        (Style::Pebble, ProblemType::Unauthorized),
    ] {
        let (problem, _) = validate_by(style, "example.com", |it| {
            let value = acme_identifier_value(&[7; 32]);
            it.extensions[1] = identifier(true, &value);
        })
        .await;
        assert_eq!(problem, Some(expected), "{style:?}");
    }
}

#[tokio::test]
async fn a_wrong_certificate_is_refused() {
    async fn check(what: &str, change: fn(&mut Shape), expected: ProblemType) {
        let (problem, _) = validate("example.com", change).await;
        assert_eq!(problem, Some(expected), "{what}");
    }
    let unauthorized = ProblemType::Unauthorized;
    check(
        "not critical",
        |it| it.extensions[1].critical = false,
        unauthorized.clone(),
    )
    .await;
    check(
        "two names",
        |it| it.extensions[0] = names(&["example.com", "example.org"]),
        unauthorized.clone(),
    )
    .await;
    check(
        "another name",
        |it| it.extensions[0] = names(&["example.org"]),
        unauthorized.clone(),
    )
    .await;
    check(
        "upper case",
        |it| it.extensions[0] = names(&["EXAMPLE.com"]),
        unauthorized.clone(),
    )
    .await;
    check(
        "no names",
        |it| drop(it.extensions.remove(0)),
        unauthorized.clone(),
    )
    .await;
    check(
        "no identifier",
        |it| drop(it.extensions.remove(1)),
        unauthorized.clone(),
    )
    .await;
    check(
        "nothing in it",
        |it| it.extensions.clear(),
        unauthorized.clone(),
    )
    .await;
    check(
        "identifier twice",
        |it| it.extensions.push(it.extensions[1].clone()),
        unauthorized.clone(),
    )
    .await;
    check(
        "names twice",
        |it| it.extensions.push(it.extensions[0].clone()),
        unauthorized.clone(),
    )
    .await;
    check(
        "any extension twice",
        |it| {
            let extn_id = const_oid::db::rfc5280::ID_CE_KEY_USAGE;
            let extn_value = OctetString::new([3, 2, 7, 128]).unwrap();
            let usage = Extension {
                extn_id,
                critical: false,
                extn_value,
            };
            it.extensions.extend([usage.clone(), usage]);
        },
        unauthorized.clone(),
    )
    .await;
    check(
        "another issuer",
        |it| it.issuer = "CN=other".parse().unwrap(),
        unauthorized.clone(),
    )
    .await;
    check(
        "another signer",
        |it| it.signer = SigningKey::generate(),
        unauthorized.clone(),
    )
    .await;
    check("no ALPN", |it| it.protocols.clear(), unauthorized).await;

    let incorrect = ProblemType::IncorrectResponse;
    let wrong =
        |it: &mut Shape| it.extensions[1] = identifier(true, &acme_identifier_value(&[7; 32]));
    check("wrong digest", wrong, incorrect.clone()).await;
    check(
        "more after the digest",
        |it| {
            let mut value = it.extensions[1].extn_value.as_bytes().to_vec();
            value.push(0);
            it.extensions[1] = identifier(true, &value);
        },
        incorrect.clone(),
    )
    .await;
    check(
        "half the digest",
        |it| {
            let mut value = it.extensions[1].extn_value.as_bytes().to_vec();
            value.truncate(18);
            value[1] = 16;
            it.extensions[1] = identifier(true, &value);
        },
        incorrect.clone(),
    )
    .await;
    check(
        "bare digest",
        |it| {
            let value = it.extensions[1].extn_value.as_bytes()[2..].to_vec();
            it.extensions[1] = identifier(true, &value);
        },
        incorrect,
    )
    .await;

    check(
        "other protocols",
        |it| it.protocols = vec![b"h2"],
        ProblemType::Tls,
    )
    .await;
    let forge = |it: &mut Shape| it.handshake_key = SigningKey::generate();
    check("handshake by another key", forge, ProblemType::Tls).await;
    check(
        "handshake by another key, TLS 1.2",
        |it| {
            it.handshake_key = SigningKey::generate();
            it.versions = vec![&TLS12];
        },
        ProblemType::Tls,
    )
    .await;
}

async fn validate_port(ca: &TestCa, port: u16) -> ProblemType {
    let mut client = Client::register(ca).await;
    ca.set_tls_alpn_01_port(port);
    let (_, order) = client.order(&["example.com"]).await;
    let authorization = &order.authorizations[0];
    let (challenge, _) = client
        .challenge(authorization, ChallengeType::TlsAlpn01)
        .await;
    client.post(&challenge.url, json!({})).await.expect(200);
    let seen: Authorization = client.fetch(authorization).await.json();
    let error = seen.challenges[0].error.clone().unwrap();
    error.into_details().kind
}

#[tokio::test]
async fn who_speaks_no_tls_proves_nothing() {
    let ca = ca_builder().start().await.unwrap();
    let web = crate::world::WebServer::start().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    assert_eq!(validate_port(&ca, port).await, ProblemType::Connection);

    let closing = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closing.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = closing.accept().await {
            drop(stream);
        }
    });
    assert_eq!(validate_port(&ca, port).await, ProblemType::Connection);

    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = plain.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    assert_eq!(validate_port(&ca, port).await, ProblemType::Tls);

    // It takes the hello for a request that never ends; the CA's patience does.
    let hurried = ca_builder()
        .validation_timeout(Duration::ZERO)
        .start()
        .await
        .unwrap();
    assert_eq!(
        validate_port(&hurried, web.port).await,
        ProblemType::Connection
    );
}
