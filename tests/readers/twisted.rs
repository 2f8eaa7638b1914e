//! Twisted's own `tls:`: reads the whole directory, and looks at the names in the certificates.

use std::{net::Ipv6Addr, path::Path};

use acme_messages::jose::KeyType;

use crate::{
    directory::{NAMES, Shared},
    handshake::{shows, shows_all},
    python::serve,
    table::{Checked, Table},
};

const READER: &str = "Twisted";

pub(crate) async fn check(python: &Path, table: &mut Table) {
    let result = all(python, table).await;
    table.note(READER, "starts, and ends when told to", result);
}

async fn all(python: &Path, table: &mut Table) -> Checked {
    let shared = Shared::new().await?;
    shared.ask("blank.example.com")?;
    let endpoint = format!("tls:{}:0:interface=\\:\\:1", shared.path().display());
    let (child, address) = serve(python, &endpoint, Ipv6Addr::LOCALHOST.into()).await?;
    for (name, key_type) in NAMES {
        let shown = shows_all(&shared, address, &[name]).await;
        table.note(
            READER,
            format!("serves {key_type}, key and whole chain"),
            shown,
        );
    }
    let wildcard = shared.bundle("*.wild.example.com").await?;
    let host = shows(&shared, address, "host.wild.example.com", wildcard.chain()).await;
    table.note(
        READER,
        "serves a wildcard's host, a blank file beside",
        host,
    );
    child.stop().await?;

    let restarted = async {
        let chain = shared.renew("p256.example.com", KeyType::EcdsaP256).await?;
        let (child, address) = serve(python, &endpoint, Ipv6Addr::LOCALHOST.into()).await?;
        shows(&shared, address, "p256.example.com", &chain).await?;
        child.stop().await?;
        Ok(())
    };
    table.note(READER, "sees a renewal when started again", restarted.await);
    Ok(())
}
