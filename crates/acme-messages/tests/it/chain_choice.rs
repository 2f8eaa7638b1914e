//! Which of several chains is taken (RFC 8555, section 7.4.2).

use acme_messages::{CertificateChain, ChainPreference};
use proptest::prelude::*;

const LEAF: &str = include_str!("pki/leaf.pem");
const ISSUER: &str = include_str!("pki/issuer.pem");
const ROOT: &str = include_str!("pki/root.pem");
const OTHER: &str = include_str!("pki/rsa-root.pem");

fn chain(parts: &[&str]) -> CertificateChain {
    CertificateChain::from_pem(parts.concat().as_bytes()).unwrap()
}

fn issued_by(name: &str) -> ChainPreference {
    ChainPreference::IssuerCommonName(name.to_owned())
}

#[test]
fn picks() {
    let chains = [
        chain(&[LEAF]),
        chain(&[LEAF, ISSUER]),
        chain(&[LEAF, ISSUER, OTHER]),
        chain(&[LEAF, ISSUER, ROOT]),
    ];
    let check = |preference: ChainPreference, expected: Option<usize>| {
        assert_eq!(preference.pick(&chains), expected, "{preference:?}");
        assert_eq!(preference.pick(&[]), None);
    };
    check(ChainPreference::default(), Some(0));
    check(ChainPreference::Default, Some(0));
    // The last certificate's issuer goes first; of several chains the first.
    check(issued_by("Issuer"), Some(0));
    check(issued_by("Root"), Some(1));
    check(issued_by("RSA root"), Some(2));
    // The whole name, as it is written.
    for odd in ["root", "Roo", "CN=Root", ""] {
        check(issued_by(odd), None);
    }
    let fingerprint = |text| chain(&[text]).fingerprints().next().unwrap();
    check(ChainPreference::Fingerprint(fingerprint(LEAF)), Some(0));
    check(ChainPreference::Fingerprint(fingerprint(ISSUER)), Some(1));
    check(ChainPreference::Fingerprint(fingerprint(ROOT)), Some(3));
    check(ChainPreference::Fingerprint([0; 32]), None);

    // A chain that only passes by the issuer is better than none.
    let passing = [chain(&[LEAF]), chain(&[LEAF, ISSUER, OTHER])];
    assert_eq!(issued_by("Root").pick(&passing), Some(1));
}

#[test]
fn issuers_and_fingerprints() {
    let chain = chain(&[LEAF, ISSUER, ROOT]);
    let names: Vec<_> = chain.issuer_common_names().map(Option::unwrap).collect();
    assert_eq!(names, ["Issuer", "Root", "Root"]);
    // As `openssl x509 -fingerprint -sha256` has them.
    let hex = |it: [u8; 32]| it.map(|it| format!("{it:02X}")).join(":");
    let fingerprints: Vec<_> = chain.fingerprints().map(hex).collect();
    assert_eq!(
        fingerprints,
        [
            "0B:9E:1E:00:DC:65:FA:2D:3D:EC:A8:D9:35:69:8C:32:82:3F:A5:C3:6B:48:06:7E:C6:B4:DB:7E:BD:FB:FA:F4",
            "D5:57:E6:99:2B:57:FE:22:8C:B0:C6:D7:9E:41:D9:6B:91:C9:89:91:C1:37:B3:C1:FC:D9:98:B0:9D:83:F9:E0",
            "8A:AF:DC:C8:15:C0:4F:E3:4F:FB:2C:9D:B3:00:A5:3E:C3:AC:C4:3D:A4:08:CC:4A:D9:4D:0C:37:DA:28:78:E4",
        ]
    );
    let bare = CertificateChain::from_pem(include_bytes!("pki/rfc9773.pem")).unwrap();
    assert_eq!(
        bare.leaf().issuer_common_name().as_deref(),
        Some("Example CA")
    );
}

proptest! {
    #[test]
    fn a_pick_is_one_of_the_chains(name: String, fingerprint: [u8; 32], count in 0usize..4) {
        let chains = vec![chain(&[LEAF, ISSUER]); count];
        for preference in [
            ChainPreference::Default,
            ChainPreference::IssuerCommonName(name),
            ChainPreference::Fingerprint(fingerprint),
        ] {
            prop_assert!(preference.pick(&chains).is_none_or(|it| it < count));
        }
    }
}
