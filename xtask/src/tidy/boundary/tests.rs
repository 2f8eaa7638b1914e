//! Trees that break the rules, and one that does not.

use super::*;

/// What is found when `extra` lines stand in the tree of a crate, by every rule about it.
fn found(krate: &str, selection: Selection, extra: &str) -> Vec<String> {
    let tree = format!("{krate} v0.1.0 (/somewhere/{krate})|default\nserde v1.0.0|std\n{extra}\n");
    BOUNDARIES
        .iter()
        .filter(|boundary| boundary.krate == krate && boundary.features.contains(&selection))
        .flat_map(|boundary| boundary.check(selection, &tree))
        .map(|finding| finding.what)
        .collect()
}

#[test]
fn each_invariant_is_seen_to_break() {
    use Selection::{Default, Every, None};
    for (krate, selection, line) in [
        ("acme-jose", Default, "tokio v1.0.0|rt"),
        ("acme-jose", Every, "ring v0.17.14|"),
        ("acme-jose", Default, "acme-messages v0.1.0 (/x)|"),
        ("acme-messages", Default, "hyper v1.12.0|client (*)"),
        ("acme-messages", Every, "rustls v0.23.46|std"),
        ("acme-messages", Every, "aws-lc-rs v1.19.0|"),
        ("acme-messages", Every, "aws-lc-sys v0.47.0|"),
        ("acme-messages", Default, "acme-client v0.1.0 (/x)|"),
        ("acme-store", Default, "http v1.5.0|std"),
        ("acme-store", Every, "reqwest v0.13.0|"),
        ("acme-store", Every, "h2 v0.4.0|"),
        ("acme-store", Default, "acme-service v0.1.0 (/x)|"),
        ("acme-client", Default, "hickory-resolver v0.26.0|"),
        ("acme-client", Every, "trust-dns-proto v0.23.0|"),
        ("acme-client", Every, "domain v0.11.0|"),
        ("acme-client", Default, "axum v0.8.0|"),
        ("acme-client", Default, "hyper v1.12.0|client,http1,server"),
        ("acme-client", Default, "hyper-util v0.1.0|server-auto (*)"),
        ("acme-client", Default, "acme-store v0.1.0 (/x)|"),
        ("acme-responders", None, "tokio v1.0.0|net"),
        ("acme-responders", None, "hyper v1.12.0|"),
        ("acme-responders", Default, "rustls v0.23.46|"),
        ("acme-responders", Every, "acme-store v0.1.0 (/x)|"),
        ("acme-service", Default, "hyper v1.12.0|"),
        ("acme-service", Every, "rustls v0.23.46|"),
        ("acme-service", Every, "acme-endpoint v0.1.0 (/x)|"),
        ("acme-endpoint", Every, "acme-testing v0.1.0 (/x)|"),
        ("acme-testing", Every, "acme-service v0.1.0 (/x)|"),
        ("acme-testing", None, "hyper-util v0.1.0|"),
        ("acme-testing", None, "rustls v0.23.46|"),
    ] {
        let findings = found(krate, selection, line);
        assert_eq!(
            findings.len(),
            1,
            "{krate} {selection}: {line}: {findings:?}"
        );
        assert!(findings[0].contains(line.split(' ').next().unwrap()));
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    use Selection::{Default, Every};
    for (krate, selection, line) in [
        ("acme-jose", Default, "rustls-pki-types v1.16.0|std"),
        ("acme-messages", Default, "acme-jose v0.1.0 (/x)|"),
        ("acme-messages", Every, "httpdate v1.0.3|"),
        ("acme-client", Default, "hyper v1.12.0|client,http1,http2"),
        ("acme-client", Default, "rustls v0.23.46|std"),
        ("acme-store", Default, "tokio v1.0.0|fs,rt"),
        ("acme-responders", Every, "hyper v1.12.0|server"),
        ("acme-service", Default, "tokio v1.0.0|rt"),
        ("acme-testing", Every, "acme-store v0.1.0 (/x)|"),
        ("acme-testing", Default, "hyper v1.12.0|server"),
    ] {
        let findings = found(krate, selection, line);
        assert_eq!(findings, Vec::<String>::new(), "{krate}: {line}");
    }
}

#[test]
fn a_repeated_line_is_one_finding() {
    let line = "hyper v1.12.0|client\nhyper v1.12.0|client (*)";
    assert_eq!(found("acme-messages", Selection::Default, line).len(), 1);
}

#[test]
fn an_empty_tree_is_not_taken_for_a_clean_one() {
    for boundary in BOUNDARIES {
        assert_eq!(boundary.check(Selection::Default, "").len(), 1);
    }
}

#[test]
fn only_a_rule_about_direct_dependencies_limits_the_depth() {
    for boundary in BOUNDARIES {
        let arguments = boundary.tree_arguments(Selection::Every);
        let direct = boundary.reach == Reach::DirectDependencies;
        assert_eq!(arguments.contains(&"--depth"), direct, "{}", boundary.rule);
        assert!(arguments.contains(&"--all-features"));
        assert!(arguments.contains(&"--locked"));
    }
}
