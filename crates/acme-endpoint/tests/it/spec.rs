//! Endpoint strings: E1 to E5 of the old system, in Twisted's grammar.

use std::path::PathBuf;

use acme_endpoint::{EndpointCa, EndpointSpec, EndpointSpecError, ListenSpec};
use proptest::prelude::*;

fn parse(text: &str) -> Result<EndpointSpec, EndpointSpecError> {
    text.parse()
}

fn check(text: &str, ca: EndpointCa, directory: &str, listen: ListenSpec) {
    let spec = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(spec.ca, ca, "{text}");
    assert_eq!(spec.directory, PathBuf::from(directory), "{text}");
    assert_eq!(spec.listen, listen, "{text}");
    assert_eq!(parse(&spec.to_string()), Ok(spec), "{text}");
}

fn backlog(port: u16, number: u16) -> ListenSpec {
    let mut spec = ListenSpec::tcp(port);
    let ListenSpec::Tcp { backlog, .. } = &mut spec else {
        unreachable!("it was made as tcp");
    };
    *backlog = number;
    spec
}

#[test]
fn prefixes_name_the_ca() {
    // E1
    let tcp = ListenSpec::tcp(443);
    check(
        "le:/srv/certs:tcp:443",
        EndpointCa::LetsEncrypt,
        "/srv/certs",
        tcp,
    );
    check(
        "lets:/srv/certs:tcp:443",
        EndpointCa::LetsEncryptStaging,
        "/srv/certs",
        tcp,
    );
    check(
        "acme:/srv/certs:tcp:443",
        EndpointCa::Other,
        "/srv/certs",
        tcp,
    );
    let url = |ca: EndpointCa| ca.directory_url();
    assert_eq!(
        url(EndpointCa::LetsEncrypt),
        Some("https://acme-v02.api.letsencrypt.org/directory")
    );
    assert_eq!(
        url(EndpointCa::LetsEncryptStaging),
        Some("https://acme-staging-v02.api.letsencrypt.org/directory")
    );
    assert_eq!(url(EndpointCa::Other), None);
}

#[test]
fn everything_behind_the_directory_is_the_listener_s() {
    // E2
    let le = EndpointCa::LetsEncrypt;
    let any = ListenSpec::tcp(443);
    let local = any.interface("127.0.0.1".parse().unwrap());
    let local6 = any.interface("::1".parse().unwrap());
    for (text, directory, listen) in [
        // Escapes: any character, a backslash included.
        (r"le:/a\:b:tcp:443", "/a:b", any),
        (r"le:/a\\b:tcp:443", r"/a\b", any),
        (r"le:/a\=b:tcp:443", "/a=b", any),
        (r"le:/a\b:tcp:443", "/ab", any),
        (r"l\e:/a:t\cp:\4\43", "/a", any),
        ("le:certs:tcp:443", "certs", any),
        (
            "le:/srv/zertifikate für alle:tcp:443",
            "/srv/zertifikate für alle",
            any,
        ),
        // E4: the shell expands a tilde, nobody else.
        ("le:~/certs:tcp:0", "~/certs", ListenSpec::tcp(0)),
        // Options by place, by name, and mixed.
        ("le:/a:tcp:443:127.0.0.1", "/a", local),
        (r"le:/a:tcp:443:\:\:1", "/a", local6),
        (r"le:/a:tcp:443:interface=\:\:1", "/a", local6),
        ("le:/a:tcp:port=443", "/a", any),
        ("le:/a:tcp:port=443:interface=127.0.0.1", "/a", local),
        ("le:/a:tcp:interface=127.0.0.1:port=443", "/a", local),
        ("le:/a:tcp:443:backlog=7", "/a", backlog(443, 7)),
        ("le:/a:tcp:443::7", "/a", backlog(443, 7)),
        ("le:/a:tcp:443:interface=", "/a", any),
        // Names do not use up places, wherever they stand.
        ("le:/a:tcp:interface=127.0.0.1:443", "/a", local),
        ("le:/a:backlog=7:tcp:443", "/a", backlog(443, 7)),
        ("le:port=443:/a:tcp", "/a", any),
    ] {
        check(text, le, directory, listen);
    }
}

#[test]
fn only_the_first_equals_sign_ends_a_name() {
    // E2: what stands behind it belongs to the value.
    let error = parse("le:/a:tcp:port=4=3").unwrap_err();
    assert!(error.to_string().contains("\"4=3\""), "{error}");
}

#[test]
fn errors_name_the_offending_part() {
    // E3
    for (text, part) in [
        ("", "\"\" is no endpoint prefix"),
        ("certs:tcp:443", "\"certs\" is no endpoint prefix"),
        ("LE:/a:tcp:443", "\"LE\" is no endpoint prefix"),
        ("port=443", "endpoint prefix"),
        ("le", "the certificate directory is missing"),
        ("le:", "the certificate directory is missing"),
        ("le::tcp:443", "the certificate directory is missing"),
        ("le:port=443", "the certificate directory is missing"),
        ("le:/a=b:tcp:443", "\"/a\" is no option"),
        ("le:/a=b:tcp:443", r"\="),
        ("le:/a", "where to listen is missing"),
        ("le:/a:", "where to listen is missing"),
        ("le:/a:udp:443", "\"udp\" is no way to listen"),
        ("le:/a:tcp", "the port is missing"),
        ("le:/a:tcp:", "\"\" is no port"),
        ("le:/a:tcp:https", "\"https\" is no port"),
        ("le:/a:tcp:65536", "\"65536\" is no port"),
        ("le:/a:tcp:-1", "\"-1\" is no port"),
        ("le:/a:tcp:443:everywhere", "\"everywhere\" is no interface"),
        ("le:/a:tcp:443::many", "\"many\" is no backlog"),
        ("le:/a:tcp:443::7:8", "\"8\" is no option"),
        ("le:/a:tcp:443:speed=1", "\"speed\" is no option"),
        ("le:/a:tcp:443:port=444", "port is given twice"),
        (
            "le:/a:tcp:443:backlog=1:backlog=2",
            "backlog is given twice",
        ),
        (r"le:/a:tcp:443\", "backslash"),
    ] {
        let message = parse(text).expect_err(text).to_string();
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn reading_a_string_touches_nothing() {
    // E3, E5: a plain thread without a runtime; nothing is made.
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("certs");
    let text = format!("le:{}:tcp:0", missing.display());
    let spec = parse(&text.replace('\\', r"\\")).unwrap();
    assert_eq!(spec.directory, missing);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        prefix in prop::sample::select(vec!["le", "lets", "acme"]),
        directory in r"[ -~äß€]{1,24}",
        port: u16,
        interface: Option<std::net::IpAddr>,
        number in prop::option::of(any::<u16>()),
    ) {
        let mut escaped = String::new();
        for character in directory.chars() {
            if matches!(character, ':' | '=' | '\\') {
                escaped.push('\\');
            }
            escaped.push(character);
        }
        let mut text = format!("{prefix}:{escaped}:tcp:{port}");
        if let Some(address) = interface {
            text += &format!(":interface={}", address.to_string().replace(':', r"\:"));
        }
        if let Some(number) = number {
            text += &format!(":backlog={number}");
        }
        let spec = parse(&text).unwrap();
        prop_assert_eq!(spec.ca.prefix(), prefix);
        prop_assert_eq!(spec.directory.to_str(), Some(&*directory));
        prop_assert_eq!(parse(&spec.to_string()), Ok(spec));
    }

    #[test]
    fn no_string_is_too_strange(text: String, tail in r"[:=\\letcp0-9/ ]{0,40}") {
        for text in [text.clone(), tail.clone(), format!("le:{tail}"), format!("le:{text}:tcp:1")] {
            if let Ok(spec) = parse(&text) {
                prop_assert_eq!(parse(&spec.to_string()), Ok(spec));
            }
        }
    }
}
