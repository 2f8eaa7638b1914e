//! What a CSR may be (RFC 8555, section 7.4; RFC 8738, section 3).

use acme_testing::{
    Style,
    messages::{
        Order, OrderStatus, ProblemType, ServerName,
        jose::{PrivateKey, base64url},
    },
};
use der::{
    Encode,
    asn1::{BitString, Ia5String, SetOfVec},
};
use p256::{
    ecdsa::{DerSignature, SigningKey, signature::Signer},
    elliptic_curve::Generate,
    pkcs8::EncodePublicKey,
};
use serde_json::json;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::{
    attr::Attributes,
    ext::{
        Extension, ToExtension,
        pkix::{BasicConstraints, SubjectAltName, name::GeneralName},
    },
    name::Name,
    request::{CertReq, CertReqInfo, ExtensionReq, Version},
};

use crate::{
    client::Answer,
    world::{World, builder},
};

/// A request for `example.com`, signed by an RSA key of 1024 bits; made with openssl.
const WEAK_RSA: &str = "MIIBaDCB0gIBADAAMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCY7T2DM_Hou6_STdmY_hbhOWuss3wkUS_5rzct9VM9NzdNgP6W5_EKuB0Oeg1zhEPV5Ss10UeYuxk1Cy_G9ERYhm237QhXQhiZOz1cSX_1Sb5us42magj1uXdzQ1RlT0bSUtIGY73TjtRjxWZKGnhM1js0B77T8Pto1Jcel-hXoQIDAQABoCkwJwYJKoZIhvcNAQkOMRowGDAWBgNVHREEDzANggtleGFtcGxlLmNvbTANBgkqhkiG9w0BAQsFAAOBgQB692rpkzbzFwP29hr_cfTsrtUU0NTfR_V03Avi2hun_mgeKh--4ZgxQZUV0ZYrASm9I1UtgtJUOm2HLPNrDgHdmuArK_Ii-Qs0YgZzPgiIktb3GrV37BMqhiSRsL_Hi2Y1G50k-6BvPJN_oGP3S7Q8SmUZHHiGD7ICyOnOM4zIZg";

fn names(names: &[&str]) -> Extension {
    let names = names.iter().map(|it| match it.parse() {
        Ok(ServerName::Ip(address)) => GeneralName::from(address),
        _ => GeneralName::DnsName(Ia5String::new(it).unwrap()),
    });
    other_names(names.collect())
}

fn other_names(names: Vec<GeneralName>) -> Extension {
    SubjectAltName(names)
        .to_extension(&Name::default(), &[])
        .unwrap()
}

/// A CSR with this common name and these extensions, signed by a key of its own.
fn request(common_name: Option<&str>, extensions: &[Extension]) -> String {
    let key = SigningKey::generate();
    let spki = key.verifying_key().to_public_key_der().unwrap();
    let mut attributes: Attributes = SetOfVec::new();
    if !extensions.is_empty() {
        let asked = ExtensionReq(extensions.to_vec());
        attributes.insert(asked.try_into().unwrap()).unwrap();
    }
    let subject = common_name.map_or_else(Name::default, |it| format!("CN={it}").parse().unwrap());
    let info = CertReqInfo {
        version: Version::V1,
        subject,
        public_key: SubjectPublicKeyInfoOwned::try_from(spki.as_bytes()).unwrap(),
        attributes,
    };
    let signature: DerSignature = key.sign(&info.to_der().unwrap());
    let request = CertReq {
        info,
        algorithm: AlgorithmIdentifierOwned {
            oid: const_oid::db::rfc5912::ECDSA_WITH_SHA_256,
            parameters: None,
        },
        signature: BitString::from_bytes(signature.as_bytes()).unwrap(),
    };
    base64url::encode(request.to_der().unwrap())
}

/// What comes of a CSR for a ready order.
async fn finalize(world: &mut World, ordered: &[&str], csr: &str) -> Answer {
    let (_, order) = world.ready_order(ordered).await;
    let payload = json!({ "csr": csr });
    world.client.post(&order.finalize, payload).await
}

#[tokio::test]
async fn names_may_stand_in_either_place() {
    let mut world = World::new().await;
    let both = ["a.example", "b.example"];
    for csr in [
        request(None, &[names(&both)]),
        request(None, &[names(&["b.example", "a.example", "B.example"])]),
        request(Some("a.example"), &[names(&both)]),
        request(Some("a.example"), &[names(&["b.example"])]),
        request(Some("A.EXAMPLE"), &[names(&both)]),
    ] {
        let answer = finalize(&mut world, &both, &csr).await;
        let order: Order = answer.expect(200).json();
        assert_eq!(order.status, OrderStatus::Valid);
    }
    let csr = request(Some("a.example"), &[]);
    finalize(&mut world, &["a.example"], &csr).await.expect(200);
    // The certificate's names are the order's, wherever the CSR had them.
    for issued in world.ca.issued() {
        let leaf = issued.chain.leaf();
        assert!(leaf.names.contains(&"a.example".parse().unwrap()));
    }
}

#[tokio::test]
async fn exactly_the_orders_names_are_due() {
    let mut world = World::new().await;
    let both = ["a.example", "127.0.0.1"];
    let (url, order) = world.ready_order(&both).await;
    for csr in [
        request(None, &[]),
        request(Some("a.example"), &[]),
        request(None, &[names(&["a.example"])]),
        request(None, &[names(&["127.0.0.1"])]),
        request(None, &[names(&["a.example", "127.0.0.2"])]),
        request(None, &[names(&["a.example", "127.0.0.1", "b.example"])]),
        request(Some("b.example"), &[names(&both)]),
        request(Some("127.0.0.1"), &[names(&["a.example"])]),
        request(Some("A Company"), &[names(&both)]),
        request(None, &[names(&["*.example", "127.0.0.1"])]),
        // An address as a name, a second list of names, a name of another kind.
        request(
            None,
            &[other_names(vec![
                GeneralName::DnsName(Ia5String::new("a.example").unwrap()),
                GeneralName::DnsName(Ia5String::new("127.0.0.1").unwrap()),
            ])],
        ),
        request(None, &[names(&both), names(&both)]),
        request(
            None,
            &[other_names(vec![GeneralName::Rfc822Name(
                Ia5String::new("a@a.example").unwrap(),
            )])],
        ),
        WEAK_RSA.to_owned(),
    ] {
        let payload = json!({ "csr": csr });
        let answer = world.client.post(&order.finalize, payload).await;
        answer.expect_problem(400, ProblemType::BadCsr);
    }
    assert!(world.ca.issued().is_empty());
    let order: Order = world.client.fetch(&url).await.json();
    assert_eq!(order.status, OrderStatus::Ready);
}

#[tokio::test]
async fn a_weak_key_is_refused_for_its_own_names_too() {
    let mut world = World::new().await;
    let answer = finalize(&mut world, &["example.com"], WEAK_RSA).await;
    answer.expect_problem(400, ProblemType::BadCsr);
}

#[tokio::test]
async fn no_accounts_key_is_certified() {
    let mut world = World::new().await;
    let other = crate::client::Client::register(&world.ca).await;
    let keys: [&PrivateKey; 2] = [&world.client.key.clone(), &other.key];
    for key in keys {
        let csr = crate::world::csr(&["example.com"], key);
        let answer = finalize(&mut world, &["example.com"], &csr).await;
        answer.expect_problem(400, ProblemType::BadCsr);
    }
}

/// What a leaf is stays the CA's to say: what else a CSR wishes for is passed over.
#[tokio::test]
async fn a_csr_makes_no_ca() {
    let mut world = World::new().await;
    let ca = BasicConstraints {
        ca: true,
        path_len_constraint: None,
    };
    let ca = ca.to_extension(&Name::default(), &[]).unwrap();
    let csr = request(None, &[names(&["example.com"]), ca]);
    finalize(&mut world, &["example.com"], &csr)
        .await
        .expect(200);
    let leaf = world.ca.issued()[0].chain.as_der()[0].clone();
    let root = world.ca.pki().root().clone();
    // `CA:TRUE` as DER; where it is false it is not written.
    let is_ca = [0x30, 0x03, 0x01, 0x01, 0xff];
    let has = |der: &[u8]| der.windows(is_ca.len()).any(|it| it == is_ca);
    assert!(has(&root) && !has(&leaf));
}

/// The row of `Style`'s table on common names.
#[tokio::test]
async fn boulder_wants_the_common_name_among_the_names() {
    for (style, statuses) in [
        (Style::Rfc8555, [200, 200, 200]),
        (Style::Boulder, [200, 400, 400]),
        (Style::Pebble, [200, 200, 200]),
    ] {
        let mut world = World::with(builder().configure(|it| it.style = style)).await;
        let dns = ["a.example", "b.example"];
        let ip = ["127.0.0.1"];
        let cases = [
            (&dns[..], request(Some("a.example"), &[names(&dns)])),
            (&dns[..], request(Some("a.example"), &[names(&dns[1..])])),
            // No RFC gives an address a place there; some clients repeat it.
            (&ip[..], request(Some("127.0.0.1"), &[names(&ip)])),
        ];
        for ((ordered, csr), status) in cases.into_iter().zip(statuses) {
            let answer = finalize(&mut world, ordered, &csr).await;
            answer.expect(status);
            if status == 400 {
                answer.expect_problem(400, ProblemType::BadCsr);
            }
        }
    }
}
