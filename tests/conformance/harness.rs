//! Pebble itself: it starts, answers, and leaves nothing behind.

use std::time::Duration;

use acme_tests::{Client, Error, Pebble, Programs, is_free, skipped};

#[tokio::test]
async fn it_starts_strict_and_gives_its_directory_and_root() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("Pebble starts")? else {
        return Ok(());
    };
    let pebble = Pebble::builder(programs).start().await?;

    if pebble.offers_profiles().await? {
        assert!(pebble.log().contains("Running in strict mode"));
    } else {
        skipped("Pebble is strict", "this old release does not say so");
    }
    assert!(pebble.log().contains("GET /dir"));

    let directory = pebble.directory().await?;
    assert!(
        directory["newOrder"]
            .as_str()
            .unwrap()
            .starts_with("https://")
    );

    let root = pebble.issuing_root_pem().await?;
    assert!(root.starts_with("-----BEGIN CERTIFICATE-----"), "{root}");
    assert_ne!(root, pebble.https_root_pem());
    Client::trusting(&root)?;
    assert_eq!(
        std::fs::read_to_string(pebble.https_root_file()).unwrap(),
        pebble.https_root_pem()
    );
    pebble.stop().await
}

#[tokio::test]
async fn its_https_is_trusted_through_our_root_alone() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("Pebble's HTTPS")? else {
        return Ok(());
    };
    let pebble = Pebble::builder(programs).start().await?;
    let stranger = Client::trusting(&pebble.issuing_root_pem().await?)?;
    assert!(stranger.get(pebble.directory_url()).await.is_err());
    let by_name = pebble.directory_url().replace("127.0.0.1", "localhost");
    assert_eq!(pebble.client().get(&by_name).await?.status, 200);
    pebble.stop().await
}

#[tokio::test]
async fn its_ports_are_free_again_after_the_end() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("Pebble ends")? else {
        return Ok(());
    };
    let pebble = Pebble::builder(programs.clone()).start().await?;
    let ports = pebble.listening_ports();
    assert!(ports.iter().all(|port| !is_free(*port)));
    pebble.stop().await?;
    assert!(ports.iter().all(|port| is_free(*port)), "{ports:?}");

    // The same without asking it to, as when a test fails.
    let pebble = Pebble::builder(programs).start().await?;
    let ports = pebble.listening_ports();
    let folder = pebble.folder().to_path_buf();
    drop(pebble);
    assert!(ports.iter().all(|port| is_free(*port)), "{ports:?}");
    assert!(!folder.exists());
    Ok(())
}

#[tokio::test]
async fn settings_reach_it() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("Pebble's settings")? else {
        return Ok(());
    };
    let pebble = Pebble::builder(programs)
        .nonce_reject(0)
        .authz_reuse(100)
        .alternate_roots(2)
        .external_account(
            "kid-1",
            "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W",
        )
        .profile("short", Duration::from_secs(600))
        .start()
        .await?;
    let log = pebble.log();
    assert!(log.contains("reject 0% of good nonces"));
    assert!(log.contains("100% of the time"));
    assert_ne!(
        pebble.issuing_root_pem().await?,
        pebble.alternate_root_pem(2).await?
    );
    assert!(pebble.alternate_root_pem(3).await.is_err());
    let meta = &pebble.directory().await?["meta"];
    assert_eq!(meta["externalAccountRequired"], true);
    if pebble.offers_profiles().await? {
        assert!(meta["profiles"]["short"].is_string(), "{meta}");
        assert!(meta["profiles"]["default"].is_null(), "{meta}");
    }

    let dns = pebble.dns();
    dns.add_txt("_acme-challenge.a.test", "value").await?;
    dns.clear_txt("_acme-challenge.a.test").await?;
    dns.set_servfail("b.test").await?;
    dns.clear_servfail("b.test").await?;
    assert!(
        dns.set("/no-such-setting", &serde_json::Value::Null)
            .await
            .is_err()
    );
    pebble.stop().await
}

#[tokio::test]
async fn two_can_run_at_once() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("two Pebbles at once")? else {
        return Ok(());
    };
    let (one, other) = tokio::try_join!(
        Pebble::builder(programs.clone()).start(),
        Pebble::builder(programs).start()
    )?;
    assert_ne!(one.directory_url(), other.directory_url());
    assert!(one.client().get(other.directory_url()).await.is_err());
    one.stop().await?;
    other.directory().await?;
    other.stop().await
}
