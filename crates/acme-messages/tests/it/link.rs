//! The `Link` header (row M16, RFC 8288) and relative references (RFC 3986, section 5).

use acme_messages::link::{self, Link};
use proptest::prelude::*;

const BASE: &str = "https://ca.example/acme/cert/1?a=b#c";

fn shown(links: &[Link]) -> Vec<String> {
    let show = |it: &Link| format!("{} {}", it.relations.join("+"), it.url);
    links.iter().map(show).collect()
}

#[test]
fn headers() {
    let check = |headers: &[&str], expected: &[&str]| {
        let links = link::parse(headers.iter().copied(), BASE);
        assert_eq!(shown(&links), expected, "{headers:?}");
    };
    // Row M16: the example of RFC 5988, section 5.5, and RFC 8288, section 3.5.
    let example =
        r#"<http://example.com/TheBook/chapter2>; rel="previous"; title="previous chapter""#;
    check(
        &[example],
        &["previous http://example.com/TheBook/chapter2"],
    );
    let link = &link::parse([example], BASE)[0];
    assert_eq!(link.parameter("Title"), Some("previous chapter"));
    assert_eq!(link.parameter("rel"), None);

    // Row M16: one relation with several URLs; several headers and one with commas are alike.
    let both = ["alternate https://x/1", "alternate https://x/2"];
    check(
        &["<https://x/1>;rel=alternate", "<https://x/2>;rel=alternate"],
        &both,
    );
    check(
        &["<https://x/1>;rel=alternate,<https://x/2>;rel=alternate"],
        &both,
    );
    check(
        &[" ,<https://x/1>;rel=alternate , ,\t<https://x/2>;rel=alternate,"],
        &both,
    );
    // Row M16: `;` and `,` in a URL and in quotes; escapes.
    check(&["<https://x/a;b,c>;rel=up"], &["up https://x/a;b,c"]);
    check(
        &[r#"<https://x/1>;title="a;b, <https://y>;rel=no \" \\";rel=up,<https://x/2>;rel=up"#],
        &["up https://x/1", "up https://x/2"],
    );
    check(&[r#"<https://x/1>;rel="u\p""#], &["up https://x/1"]);
    // Row M16: several relations, separated by spaces.
    check(
        &[r#"<https://x/1>;rel=" up   index ""#],
        &["up+index https://x/1"],
    );
    // Row M16: names in any case.
    check(
        &["<https://x/1>;REL=Up", "<https://x/2> ; Rel = \"INDEX\""],
        &["up https://x/1", "index https://x/2"],
    );
    // Row M16: an empty header has no entry.
    check(&[""], &[]);
    check(&[], &[]);
    check(&[" \t", ",", " , ,"], &[]);
    // Row M16: relative references.
    check(
        &["</dir>;rel=index", "<2>;rel=alternate"],
        &[
            "index https://ca.example/dir",
            "alternate https://ca.example/acme/cert/2",
        ],
    );
    check(
        &["<>;rel=self"],
        &["self https://ca.example/acme/cert/1?a=b"],
    );
    // RFC 8288, section 3.3: the first relation counts; a URI is one.
    check(&["<https://x/1>;rel=up;rel=index"], &["up https://x/1"]);
    check(
        &["<https://x/1>;rel=\"http://Example.org/r up\""],
        &["http://example.org/r+up https://x/1"],
    );
    // Malformed parts are passed over, and hide no other.
    for odd in [
        "https://x/1;rel=up",
        "<https://x/1;rel=up",
        "<https://x/1>",
        "<https://x/1>;",
        "<https://x/1>;;=;rel",
        "<https://x/1>;rel=",
        "<https://x/1>;rel=\"\"",
        "<https://x/1>;rel=\"  \"",
        "<https://x/1>;title=\"a, b\"",
        "<https://x/a b>;rel=up",
        "<https://x/ä>;rel=up",
        "<https://x/\n>;rel=up",
        "x;\"<https://x/1>;rel=up, y\"",
    ] {
        check(&[odd], &[]);
        check(&[odd, "<https://x/2>;rel=up"], &["up https://x/2"]);
        if !odd.starts_with("<https://x/1;") {
            let joined = format!("{odd}, <https://x/2>;rel=up");
            check(&[&joined], &["up https://x/2"]);
        }
    }
    check(
        &["<https://x/1>;rel=up;title=\"open", "<https://x/2>;rel=up"],
        &["up https://x/2"],
    );
    check(
        &["<https://x/1>;rel=up words, <https://x/2>;rel=up"],
        &["up+words https://x/1", "up https://x/2"],
    );
    check(
        &["<https://x/1>;rel=\"up\" words, <https://x/2>;rel=up"],
        &["up https://x/1", "up https://x/2"],
    );
}

#[test]
fn by_relation() {
    let headers = [
        "<https://x/1>;rel=\"alternate help\"",
        "<https://x/2>;rel=ALTERNATE;type=a",
        "<https://x/3>;rel=alternate;anchor=\"/elsewhere\"",
        "<https://x/4>;rel=alternates",
    ];
    let links = link::parse(headers, BASE);
    let urls = |relation| link::urls(&links, relation).collect::<Vec<_>>();
    assert_eq!(urls("alternate"), ["https://x/1", "https://x/2"]);
    assert_eq!(urls("Help"), ["https://x/1"]);
    assert!(urls("up").is_empty());
}

#[test]
fn bounds() {
    let many = vec!["<https://x/1>;rel=up"; link::MAX_LINKS + 1];
    assert_eq!(
        link::parse(many.iter().copied(), BASE).len(),
        link::MAX_LINKS
    );
    assert_eq!(
        link::parse([many.join(",").as_str()], BASE).len(),
        link::MAX_LINKS
    );
    let long = |length: usize| format!("<https://x/{}>;rel=up", "a".repeat(length - 19));
    assert_eq!(long(100).len(), 100);
    assert_eq!(
        link::parse([long(link::MAX_LENGTH).as_str()], BASE).len(),
        1
    );
    let both = [&long(link::MAX_LENGTH + 1), many[0]];
    assert_eq!(shown(&link::parse(both, BASE)), ["up https://x/1"]);
}

#[test]
fn references() {
    let base = "http://a/b/c/d;p?q";
    let check = |reference: &str, expected: &str| {
        let url = link::resolve(base, reference);
        assert_eq!(url.as_deref(), Some(expected), "{reference:?}");
    };
    // RFC 3986, section 5.4.1.
    check("g:h", "g:h");
    check("g", "http://a/b/c/g");
    check("./g", "http://a/b/c/g");
    check("g/", "http://a/b/c/g/");
    check("/g", "http://a/g");
    check("//g", "http://g");
    check("?y", "http://a/b/c/d;p?y");
    check("g?y", "http://a/b/c/g?y");
    check("#s", "http://a/b/c/d;p?q#s");
    check("g#s", "http://a/b/c/g#s");
    check("g?y#s", "http://a/b/c/g?y#s");
    check(";x", "http://a/b/c/;x");
    check("g;x", "http://a/b/c/g;x");
    check("g;x?y#s", "http://a/b/c/g;x?y#s");
    check("", "http://a/b/c/d;p?q");
    check(".", "http://a/b/c/");
    check("./", "http://a/b/c/");
    check("..", "http://a/b/");
    check("../", "http://a/b/");
    check("../g", "http://a/b/g");
    check("../..", "http://a/");
    check("../../", "http://a/");
    check("../../g", "http://a/g");
    // RFC 3986, section 5.4.2.
    check("../../../g", "http://a/g");
    check("../../../../g", "http://a/g");
    check("/./g", "http://a/g");
    check("/../g", "http://a/g");
    check("g.", "http://a/b/c/g.");
    check(".g", "http://a/b/c/.g");
    check("g..", "http://a/b/c/g..");
    check("..g", "http://a/b/c/..g");
    check("./../g", "http://a/b/g");
    check("./g/.", "http://a/b/c/g/");
    check("g/./h", "http://a/b/c/g/h");
    check("g/../h", "http://a/b/c/h");
    check("g;x=1/./y", "http://a/b/c/g;x=1/y");
    check("g;x=1/../y", "http://a/b/c/y");
    check("g?y/./x", "http://a/b/c/g?y/./x");
    check("g?y/../x", "http://a/b/c/g?y/../x");
    check("g#s/./x", "http://a/b/c/g#s/./x");
    check("g#s/../x", "http://a/b/c/g#s/../x");
    check("http:g", "http:g");
    // Signed as received: no part of an absolute URL changes.
    check(
        "HTTPS://CA.example:443/a/../%7e",
        "HTTPS://CA.example:443/a/../%7e",
    );
    check("//h/a/../b?c", "http://h/b?c");
    check("1:2", "http://a/b/c/1:2");

    let check = |base: &str, reference: &str, expected: Option<&str>| {
        let url = link::resolve(base, reference);
        assert_eq!(url.as_deref(), expected, "{base:?} {reference:?}");
    };
    check("https://a", "g", Some("https://a/g"));
    check("https://a?q", "g", Some("https://a/g"));
    check("https://a:8/", "?x", Some("https://a:8/?x"));
    check("a:/x", "/.//b", Some("a:/.//b"));
    check("urn:x", "g", Some("urn:g"));
    check("", "/g", None);
    check("/a", "g", None);
    check("", "https://x/1", Some("https://x/1"));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        links in prop::collection::vec(
            ("[a-z0-9;,?=\"]{0,12}", "[a-zA-Z-]{1,8}", "[ -~]{0,12}"), 0..8),
        joined: bool,
    ) {
        let values: Vec<String> = links
            .iter()
            .map(|(path, relation, title)| {
                let title = title.replace('\\', "\\\\").replace('"', "\\\"");
                format!("<https://x/{path}>; title=\"{title}\"; rel=\"{relation}\"")
            })
            .collect();
        let values = if joined { vec![values.join(", ")] } else { values };
        let read = link::parse(values.iter().map(String::as_str), BASE);
        prop_assert_eq!(read.len(), links.len());
        for (read, (path, relation, title)) in read.iter().zip(&links) {
            prop_assert_eq!(&read.url, &format!("https://x/{path}"));
            prop_assert!(read.has_relation(relation));
            prop_assert_eq!(read.parameter("title"), Some(title.as_str()));
        }
    }

    #[test]
    fn nothing_panics(header in "\\PC*|[<>;,=\"\\\\ a/.:?#-]{0,60}", base in "\\PC*|[a:/.?#]{0,20}") {
        for link in link::parse([header.as_str()], &base) {
            prop_assert!(!link.relations.is_empty());
        }
        let _ = link::resolve(&base, &header);
    }

    #[test]
    fn a_resolved_url_stays_as_it_is(reference in "[a-z/.?#:]{0,20}") {
        if let Some(url) = link::resolve("https://ca.example/a/b?c", &reference) {
            prop_assert_eq!(link::resolve("x:y", &url), Some(url.clone()));
        }
    }
}
