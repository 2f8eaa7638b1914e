//! TxSNI: looks for a file by the name that the visitor sends, at each handshake.

use std::{net::Ipv4Addr, path::Path};

use acme_messages::jose::KeyType;

use crate::{
    directory::{NAMES, Shared},
    handshake::{Sni, comes_to_show, refuses, shake, shows, shows_all},
    python::serve,
    table::{Checked, Table},
};

const READER: &str = "TxSNI";

pub(crate) async fn check(python: &Path, table: &mut Table) {
    let result = all(python, table).await;
    table.note(READER, "starts, and ends when told to", result);
}

async fn all(python: &Path, table: &mut Table) -> Checked {
    let shared = Shared::new().await?;
    // What operators leave: the default host, and a host of a wildcard (D8, D11).
    shared.link("DEFAULT", "p256.example.com")?;
    shared.link("host.wild.example.com", "*.wild.example.com")?;
    shared.ask("blank.example.com")?;
    let endpoint = format!(
        "txsni:{}:tcp:0:interface=127.0.0.1",
        shared.path().display()
    );
    let (child, address) = serve(python, &endpoint, Ipv4Addr::LOCALHOST.into()).await?;
    for (name, key_type) in NAMES {
        let shown = shows_all(&shared, address, &[name]).await;
        table.note(
            READER,
            format!("serves {key_type}, key and whole chain"),
            shown,
        );
    }
    let old = shared.bundle("p256.example.com").await?;
    let by_default = shake(&shared, address, "p256.example.com", Sni::Kept).await;
    let by_default = by_default.and_then(|shown| {
        let same = shown == old.chain().as_der();
        same.then_some(()).ok_or_else(|| "another chain".into())
    });
    table.note(
        READER,
        "serves DEFAULT.pem, a link, without SNI",
        by_default,
    );
    let host = shared.bundle("*.wild.example.com").await?;
    let host = shows(&shared, address, "host.wild.example.com", host.chain()).await;
    table.note(READER, "serves a wildcard's host by a link", host);
    let blank = refuses(&shared, address, "blank.example.com").await;
    table.note(READER, "a blank file harms its own name only", blank);
    for (name, key_type) in NAMES {
        let renewed = async {
            let chain = shared.renew(name, key_type).await?;
            shows(&shared, address, name, &chain).await
        };
        let check = format!("sees {key_type} renewed at the next handshake");
        table.note(READER, check, renewed.await);
    }
    let first = async {
        let chain = shared
            .renew("blank.example.com", KeyType::EcdsaP256)
            .await?;
        comes_to_show(&shared, address, "blank.example.com", &chain).await
    };
    table.note(READER, "sees a blank file issued", first.await);
    child.stop().await?;
    Ok(())
}
