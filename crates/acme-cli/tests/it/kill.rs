//! kill -9 at each step of an issuance, then a start: a valid certificate, no damage.

use acme_tests::Error;

use crate::site::{LIMIT, Site};

/// More requests than one issuance takes, account included.
const LAST_STEP: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_request_it_ends_with_a_valid_certificate() -> Result<(), Error> {
    let name = "www.example.com";
    let site = Site::new(&[name]).await;
    for step in 1..=LAST_STEP {
        std::fs::write(site.file(name), "").unwrap();
        site.ca.clear_requests();
        let mut acme = site.serve()?;
        let reached = async {
            while site.ca.requests().len() < step && acme.ended().unwrap().is_none() {
                // The last steps may never come: then it is killed when it has issued.
                if !std::fs::read(site.file(name)).unwrap().is_empty() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, reached).await.unwrap();
        acme.kill().await?;
        site.check_files(&[name]);
    }
    let mut acme = site.serve()?;
    acme.line("Names:", LIMIT).await?;
    while site.visit(name).await.is_err() {
        acme.line(&format!("{name}: certificate"), LIMIT).await?;
    }
    site.check_files(&[name]);
    assert_eq!(site.files(), ["client.key", &format!("{name}.pem")]);
    acme.stop().await.map(drop)
}
