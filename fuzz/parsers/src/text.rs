//! Header values.

use acme_messages::{Timestamp, link as links, retry_after as wait};

/// Where the `Link` headers come from.
const BASE: &str = "https://ca.example/acme/cert/1?a=b";

/// Reads `Link` headers, one a line; what is told of a link is whole.
pub fn link(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = links::resolve(text, BASE);
    let _ = links::resolve(BASE, text);
    let found = links::parse(text.split('\n'), BASE);
    assert!(found.len() <= links::MAX_LINKS, "no more than the limit");
    for link in &found {
        assert!(!link.relations.is_empty(), "a relation at least");
        assert!(link.relations.iter().all(|it| link.has_relation(it)));
        assert_eq!(
            links::resolve(BASE, &link.url).as_deref(),
            Some(link.url.as_str()),
            "a URL that was found is absolute and stays as it is"
        );
        for (name, _) in &link.parameters {
            assert!(link.parameter(name).is_some());
        }
    }
    let _ = links::urls(&found, "alternate").count();
}

/// Reads a `Retry-After` value: the later it is, the shorter the wait that is left.
pub fn retry_after(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let waits =
        [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX].map(|now| wait::parse(text, now));
    let [early, middle, late] = waits;
    assert_eq!(early.is_some(), late.is_some(), "the value decides");
    assert!(early >= middle && middle >= late, "{waits:?}");
}
