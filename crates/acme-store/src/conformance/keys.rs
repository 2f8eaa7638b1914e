//! K: keys, values, prefixes and namespaces.

use super::ground::{Check, Ground, Halt, Made, check, ensure, key, list, put, value};
use crate::{Expect, Key, Life, WriteError};

pub(super) const CHECKS: &[Check] = &[
    check!("K1", "what is missing is none, and no error", missing),
    check!("K2", "values are exact, and the longest is a limit", values),
    check!("K3", "keys are any text", any_text),
    check!("K4", "prefixes are bytes, and no patterns", prefixes),
    check!("K5", "namespaces do not see each other", namespaces),
];

async fn missing(ground: Ground) -> Made {
    let store = ground.open().await?;
    ensure!(
        value(&store, "missing").await?.is_none(),
        "there is something"
    );
    ensure!(
        list(&store, "", 10).await?.is_empty(),
        "something is listed"
    );
    Ok(())
}

async fn values(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let limit = store.capabilities().max_value;
    let all_bytes: Vec<u8> = (0..=u8::MAX).collect();
    for (at, bytes) in [vec![], vec![0xa5; limit], all_bytes]
        .into_iter()
        .enumerate()
    {
        let name = key(&format!("v{at}"))?;
        let put = store.put(&name, bytes.clone().into(), Expect::Absent, Life::Durable);
        let version = put.await?;
        let record = other.get(&name).await?;
        let exact = record.is_some_and(|it| it.value == bytes && it.version == version);
        ensure!(exact, "a value of {} bytes did not come back", bytes.len());
    }
    let large = key("large")?;
    let bytes = vec![0; limit + 1].into();
    let put = store
        .put(&large, bytes, Expect::Absent, Life::Durable)
        .await;
    let is_told = matches!(put, Err(WriteError::TooLarge { limit: it }) if it == limit);
    ensure!(is_told, "a value over the limit gave {put:?}");
    ensure!(
        store.get(&large).await?.is_none(),
        "a value over the limit was kept"
    );
    Ok(())
}

/// What engines and their languages give a meaning to.
pub(super) const ODD_KEYS: [&str; 21] = [
    "*",
    ":",
    "%",
    ".",
    "..",
    " ",
    "\u{fc}",
    "a",
    "A",
    "a/b",
    "/a",
    "a//b",
    "../a",
    "a%2fb",
    "a+b",
    "_",
    "\n",
    "\u{1f512}",
    "'",
    "\\",
    "{a}",
];

async fn any_text(ground: Ground) -> Made {
    let [store, other, _] = ground.three().await?;
    let longest = "k".repeat(Key::MAX_LENGTH);
    let wide = "\u{fc}".repeat(Key::MAX_LENGTH / 2);
    let keys: Vec<_> = ODD_KEYS.into_iter().chain([&*longest, &*wide]).collect();
    for text in keys.iter().copied() {
        put(&store, text, text, Expect::Absent).await?;
    }
    for text in keys.iter().copied() {
        let found = value(&other, text).await?;
        ensure!(
            found.as_deref() == Some(text),
            "{text:?} has the value {found:?}"
        );
    }
    let mut listed: Vec<_> = list(&other, "", 5)
        .await?
        .into_iter()
        .map(|it| it.0)
        .collect();
    listed.sort();
    let expected = keys.into_iter().map(str::parse::<Key>);
    let mut expected = expected.collect::<Result<Vec<_>, _>>()?;
    expected.sort();
    ensure!(listed == expected, "listed were {listed:?}");
    Ok(())
}

async fn prefixes(ground: Ground) -> Made {
    let store = ground.open().await?;
    let keys = [
        "certs", "certs/a", "certs/b", "certsX", "certs0", "cert_/a", "z%", "zz", "CERTS/a",
    ];
    for text in keys {
        put(&store, text, "", Expect::Absent).await?;
    }
    for (below, expected) in [
        ("certs/", &["certs/a", "certs/b"][..]),
        ("cert_", &["cert_/a"]),
        ("z%", &["z%"]),
        ("certs/a", &["certs/a"]),
        ("*", &[]),
        ("", &keys),
    ] {
        let listed = list(&store, below, 2).await?;
        let names: Vec<_> = listed.iter().map(|it| it.0.as_str()).collect();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        ensure!(names == expected, "below {below:?} are {names:?}");
    }
    Ok(())
}

async fn namespaces(ground: Ground) -> Made {
    let (here, there) = (ground.open().await?, ground.other().open().await?);
    let version = put(&here, "k", "here", Expect::Absent).await?;
    ensure!(
        value(&there, "k").await?.is_none(),
        "a record shows in another namespace"
    );
    put(&there, "k", "there", Expect::Absent).await?;
    ensure!(
        list(&there, "", 10).await?.len() == 1,
        "another namespace lists more than its own"
    );
    here.delete(&key("k")?, version).await?;
    match value(&there, "k").await?.as_deref() {
        Some("there") => Ok(()),
        other => Err(Halt::Failed(format!(
            "after a delete elsewhere, k is {other:?}"
        ))),
    }
}
