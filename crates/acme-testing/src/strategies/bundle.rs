//! Keys and their certificates, and PEM that is neither.

use std::{sync::LazyLock, time::Duration};

use acme_messages::{CertificateChain, ServerName, Timestamp, jose::PrivateKey};
use der::pem::{LineEnding, encode_string};
use proptest::{collection::vec, prelude::*};

use super::server_name;
use crate::{CertificateValidity, TestPki};

const DAY: u64 = 24 * 60 * 60;

/// One root for all: making one for each case would take its time.
static PKI: LazyLock<TestPki> =
    LazyLock::new(|| TestPki::new().expect("the system has randomness to give"));

/// A leaf for 1 to 3 [names](server_name) with its issuer, and its key.
///
/// Its names and dates are what is drawn, from the years 2000 to 2090 and of a
/// second to 400 days; its key and its serial number are fresh each time.
pub fn certificate() -> impl Strategy<Value = (CertificateChain, PrivateKey)> {
    let names = vec(server_name(), 1..=3);
    let begin = 946_684_800_i64..3_786_912_000;
    (names, begin, 0..400 * DAY).prop_map(|(names, begin, length)| issue(&names, begin, length))
}

fn issue(names: &[ServerName], begin: i64, length: u64) -> (CertificateChain, PrivateKey) {
    let begin = Timestamp::from_second(begin).expect("these years can be told");
    let validity = CertificateValidity::between(begin, begin + Duration::from_secs(length));
    let issued = PKI.issue_server(names, validity);
    issued.expect("names and dates are ones that can be issued")
}

/// What a file with a key and its certificates may hold: a [certificate], its issuer and
/// perhaps the root, the key before or behind them, with line ends of either kind.
///
/// A store takes each, and gives the key and the chain back, the root aside.
#[doc(alias = "pem_objects")]
pub fn pem_bundle() -> impl Strategy<Value = String> {
    let shape = (any::<bool>(), any::<bool>(), any::<bool>());
    (certificate(), shape).prop_map(|((chain, key), (root, key_first, crlf))| {
        let root = if root { PKI.root_pem() } else { String::new() };
        let certificates = chain.to_pem() + &root;
        let key = pem(&key);
        let text = match key_first {
            true => key + &certificates,
            false => certificates + &key,
        };
        match crlf {
            true => text.replace('\n', "\r\n"),
            false => text,
        }
    })
}

fn pem(key: &PrivateKey) -> String {
    let text = key.to_pkcs8_pem().expect("a fresh key can be written");
    text.to_string()
}

/// Well-formed PEM around what makes no sense: blocks of random bytes, one that says it is a
/// key and 1 to 4 that say they are certificates. For readers, which must not panic.
pub fn pem_noise() -> impl Strategy<Value = String> {
    let bytes = || vec(any::<u8>(), 1..200);
    (bytes(), vec(bytes(), 1..=4)).prop_map(|(key, certificates)| {
        let certificates = certificates.iter().map(|it| ("CERTIFICATE", it));
        let blocks = std::iter::once(("PRIVATE KEY", &key)).chain(certificates);
        blocks.map(|(label, bytes)| block(label, bytes)).collect()
    })
}

fn block(label: &str, bytes: &[u8]) -> String {
    encode_string(label, LineEnding::LF, bytes).expect("any bytes can be PEM")
}
