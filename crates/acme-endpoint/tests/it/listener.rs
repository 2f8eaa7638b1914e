//! What the listener says to whom: names, protocols, challenges, nonsense.

use std::sync::{Arc, atomic::Ordering};

use acme_endpoint::TlsListener;
use acme_messages::{ChallengeType, KeyAuthorization, Token};
use acme_responders::{ChallengeContext, Responder, TlsAlpn01Responder};
use rustls::{
    AlertDescription, RootCertStore,
    server::WebPkiClientVerifier,
    time_provider::DefaultTimeProvider,
    version::{TLS12, TLS13},
};
use tokio::io::AsyncReadExt;

use crate::{
    hello::{alert_record, hello_naming, hello_of_tls_1_1, send},
    world::{
        Site, Visitor, alert, echo, is_open, key_for, leaf, loopback, name, new_key, provider,
        server_config, soon,
    },
};

const NAME: &str = "www.example.com";

/// A challenge for a name, with a token of its own.
fn challenge(text: &str) -> ChallengeContext {
    let token = Token::parse("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA").unwrap();
    let key = new_key();
    let answer = KeyAuthorization::new(&token, &key.public_jwk().thumbprint());
    ChallengeContext::new(name(text), ChallengeType::TlsAlpn01, token, answer)
}

/// Who looks at challenges: it trusts no root, so its handshakes end with its own error.
async fn validate(site: &Site, name: &str) -> String {
    let visitor = site.visitor().offering(&["acme-tls/1"]);
    let error = visitor.connect(site.address, name).await.unwrap_err();
    error.to_string()
}

#[tokio::test]
async fn unknown_name_gets_no_foreign_certificate() {
    // E14; RFC 6066, section 3.
    let (site, listener) = Site::start(&[NAME, "*.example.org"], &["h2"]).await;
    let seen = echo(listener);
    let visitor = site.visitor();
    for versions in [&[&TLS12][..], &[&TLS13]] {
        let root = site.pki.root_pem();
        let visitor = Visitor::at(root, Arc::new(DefaultTimeProvider), versions);
        for unknown in ["example.com", "other.example.com", "a.b.example.org"] {
            let result = visitor.connect(site.address, unknown).await;
            assert_eq!(
                alert(result),
                AlertDescription::UnrecognisedName,
                "{unknown}"
            );
        }
    }
    // E13: who names no server, or an address, gets no certificate either.
    let silent = visitor.clone().without_sni();
    let result = silent.connect(site.address, NAME).await;
    assert_eq!(alert(result), AlertDescription::UnrecognisedName);
    let result = visitor.connect(site.address, "127.0.0.1").await;
    assert_eq!(alert(result), AlertDescription::UnrecognisedName);
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_default_serves_who_names_no_server() {
    // E13
    let (site, listener) = Site::start(&[NAME], &[]).await;
    echo(listener);
    let fallback = key_for(&site.pki, &["fallback.example"]);
    site.resolver.set_default(Some(fallback.clone()));
    let silent = site.visitor().without_sni();
    let stream = silent
        .visit(site.address, "fallback.example")
        .await
        .unwrap();
    assert_eq!(leaf(&stream), fallback.cert[0]);
}

// RFC 6066, section 3: who was given an address names no server.
#[tokio::test]
async fn an_address_has_its_own_certificate() {
    let (site, listener) = Site::start(&[NAME, "127.0.0.1"], &[]).await;
    echo(listener);
    let stream = site.visitor().visit(site.address, "127.0.0.1").await;
    let addresses = leaf(&stream.unwrap());
    let stream = site.visitor().visit(site.address, NAME).await;
    assert_ne!(leaf(&stream.unwrap()), addresses);
    site.resolver.update([(name("127.0.0.1"), None)]);
    let result = site.visitor().connect(site.address, "127.0.0.1").await;
    assert_eq!(alert(result), AlertDescription::UnrecognisedName);
}

#[tokio::test]
async fn names_that_are_none_get_an_alert() {
    let (site, listener) = Site::start(&[NAME, "xxx.xxx.test"], &[]).await;
    echo(listener);
    let literal = send(site.address, &hello_naming(&site.visitor(), b"192.0.2.123")).await;
    assert_eq!(literal, alert_record(112));
    let dotted = send(
        site.address,
        &hello_naming(&site.visitor(), b"nobody.here."),
    )
    .await;
    assert_eq!(dotted[0], 0x15);
    // A final dot is no other name: rustls answers with its handshake.
    let dotted = hello_naming(&site.visitor(), b"www.example.com.");
    let mut stream = tokio::net::TcpStream::connect(site.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, &dotted)
        .await
        .unwrap();
    let mut kind = [0];
    soon(stream.read_exact(&mut kind)).await.unwrap();
    assert_eq!(kind, [0x16]);
}

#[tokio::test]
async fn visitors_never_negotiate_acme_tls() {
    // poem advertises it to everyone; R9, T8, E17.
    let h2 = Some("h2");
    let http = Some("http/1.1");
    let mismatch = AlertDescription::NoApplicationProtocol;
    for (spoken, offered, expected) in [
        (&["h2", "http/1.1"][..], &["h2", "http/1.1"][..], Ok(h2)),
        (&["h2", "http/1.1"], &["http/1.1", "h2"], Ok(h2)),
        (&["h2", "http/1.1"], &["http/1.1"], Ok(http)),
        (&["h2", "http/1.1"], &[], Ok(None)),
        (&["h2", "http/1.1"], &["acme-tls/1", "h2"], Ok(h2)),
        (&["h2", "http/1.1"], &["http/1.1", "acme-tls/1"], Ok(http)),
        (&["h2", "http/1.1"], &["smtp"], Err(mismatch)),
        (&["h2", "http/1.1"], &["acme-tls/1", "smtp"], Err(mismatch)),
        (&[], &["acme-tls/1", "h2"], Ok(None)),
        // An application that was told to advertise it, as other crates ask for.
        (&["acme-tls/1", "h2"], &["acme-tls/1", "h2"], Ok(h2)),
        (
            &["acme-tls/1", "h2"],
            &["acme-tls/1", "smtp"],
            Err(mismatch),
        ),
        (&["acme-tls/1"], &["acme-tls/1", "smtp"], Ok(None)),
    ] {
        let (site, listener) = Site::start(&[NAME], spoken).await;
        echo(listener);
        site.responder.start(&challenge(NAME)).await.unwrap();
        let visitor = site.visitor().offering(offered);
        let case = format!("{spoken:?} {offered:?}");
        let result = visitor.visit(site.address, NAME).await;
        match expected {
            Ok(protocol) => {
                let stream = result.expect(&case);
                let chosen = stream.get_ref().1.alpn_protocol();
                assert_eq!(chosen, protocol.map(str::as_bytes), "{case}");
            }
            Err(expected) => assert_eq!(alert(result), expected, "{case}"),
        }
    }
}

#[tokio::test]
async fn challenges_are_answered_and_never_reach_the_application() {
    // E18; RFC 8737, section 3.
    let (site, listener) = Site::start(&[NAME], &["h2"]).await;
    let seen = echo(listener);
    // Nothing to show: an alert, and no certificate.
    let visitor = site.visitor().offering(&["acme-tls/1"]);
    for asked in [NAME, "unknown.example"] {
        alert(visitor.connect(site.address, asked).await);
    }
    let context = challenge("new.example.com");
    site.responder.start(&context).await.unwrap();
    let error = validate(&site, "new.example.com").await;
    assert!(error.contains("invalid peer certificate"), "{error}");
    // It was the challenge's certificate, and everyone else is still unknown there.
    let result = site
        .visitor()
        .connect(site.address, "new.example.com")
        .await;
    assert_eq!(alert(result), AlertDescription::UnrecognisedName);
    site.responder.stop(&context).await.unwrap();
    alert(visitor.connect(site.address, "new.example.com").await);
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_challenge_hides_no_certificate() {
    // R9, T8: the challenge is for the very name that visitors ask for.
    let (site, listener) = Site::start(&[NAME], &["h2"]).await;
    let seen = echo(listener);
    let visitor = site.visitor();
    let before = leaf(&visitor.visit(site.address, NAME).await.unwrap());
    site.responder.start(&challenge(NAME)).await.unwrap();
    let error = validate(&site, NAME).await;
    assert!(error.contains("invalid peer certificate"), "{error}");
    for offered in [&[][..], &["h2"], &["acme-tls/1", "h2"]] {
        let visitor = visitor.clone().offering(offered);
        let stream = visitor.visit(site.address, NAME).await.unwrap();
        assert_eq!(leaf(&stream), before);
    }
    assert_eq!(seen.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn mtls_endpoint_still_validates() {
    // rustls-acme: a CA has no client certificate to show.
    let (site, listener) = Site::start(&[NAME], &[]).await;
    drop(listener);
    let mut roots = RootCertStore::empty();
    roots.add(site.pki.root().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_cert_resolver(Arc::new(site.resolver.clone()));
    let listener = TlsListener::new(
        loopback().await,
        Arc::new(config),
        site.resolver.clone(),
        site.responder.clone(),
    )
    .unwrap();
    let site = Site {
        address: listener.local_addr(),
        ..site
    };
    let seen = echo(listener);
    let result = site.visitor().visit(site.address, NAME).await;
    assert_eq!(alert(result), AlertDescription::CertificateRequired);
    site.responder.start(&challenge(NAME)).await.unwrap();
    let error = validate(&site, NAME).await;
    assert!(error.contains("invalid peer certificate"), "{error}");
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn nonsense_is_closed_and_harms_nobody() {
    let (site, listener) = Site::start(&[NAME], &["h2"]).await;
    let seen = echo(listener);
    let root = site.pki.root_pem();
    let old = Visitor::at(root, Arc::new(DefaultTimeProvider), &[&TLS12]);
    let old = send(site.address, &hello_of_tls_1_1(&old, NAME)).await;
    assert_eq!(old, alert_record(70), "protocol_version");
    for nonsense in [
        &b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.9\r\n",
        &[0; 4096],
        &[0xff; 70_000],
        &[0x16, 3, 1, 0xff, 0xff, 1, 0, 0xff, 0xff],
    ] {
        let mut nonsense = nonsense.to_vec();
        if nonsense.len() == 9 {
            nonsense.resize(70_000, 0x16);
        }
        let answer = send(site.address, &nonsense).await;
        // An alert at most, and never a handshake.
        assert!(
            answer.first().is_none_or(|kind| *kind == 0x15),
            "{answer:?}"
        );
    }
    site.visitor().visit(site.address, NAME).await.unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_was_accepted_outlives_the_port() {
    let (site, mut listener) = Site::start(&[NAME], &[]).await;
    let visitor = site.visitor();
    let closer = listener.closer();
    let waiting = visitor.connect(site.address, NAME).await.unwrap();
    let (first, peer) = soon(listener.accept()).await.unwrap();
    assert_eq!(peer, waiting.get_ref().0.local_addr().unwrap());
    closer.close();
    soon(closer.closed()).await;
    assert!(!is_open(site.address));
    assert!(soon(listener.accept()).await.is_none());
    assert_eq!(first.get_ref().1.server_name(), Some(NAME));
}

#[tokio::test]
async fn dropping_the_listener_closes_the_port() {
    let (site, listener) = Site::start(&[NAME], &[]).await;
    let closer = listener.closer();
    drop(listener);
    soon(closer.closed()).await;
    assert!(!is_open(site.address));
}

#[tokio::test]
async fn an_application_that_accepts_nothing_stops_no_challenge() {
    let resolver = acme_endpoint::CertificateResolver::new();
    let responder = TlsAlpn01Responder::new(provider()).unwrap();
    let config = Arc::new(server_config(&resolver));
    let listener = TlsListener::new(
        loopback().await,
        config,
        resolver.clone(),
        responder.clone(),
    )
    .unwrap();
    let site = Site {
        pki: acme_testing::TestPki::new().unwrap(),
        resolver,
        responder,
        address: listener.local_addr(),
    };
    let key = key_for(&site.pki, &[NAME]);
    site.resolver.update([(name(NAME), Some(key))]);
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(site.visitor().connect(site.address, NAME).await.unwrap());
    }
    site.responder.start(&challenge(NAME)).await.unwrap();
    let error = validate(&site, NAME).await;
    assert!(error.contains("invalid peer certificate"), "{error}");
    drop(listener);
}
