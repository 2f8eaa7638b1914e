//! Each fault of a CA, and what becomes of an order.

use std::time::Duration;

use acme_client::ErrorKind;
use acme_testing::{ChainFault, Fault, FaultRule, Operation as Asked, Style};

use crate::world::{World, builder};

async fn obtain(rules: Vec<FaultRule>) -> Result<(), acme_client::Error> {
    let builder = rules
        .into_iter()
        .fold(builder().processing_polls(1), |it, rule| it.inject(rule));
    let world = World::with(builder).await;
    let result = world.obtain(&["a.example", "b.example"]).await;
    assert_eq!(world.responder.under_way(), 0);
    assert!(world.ca.orders().len() <= 1, "never twice");
    result.map(drop)
}

// What a client has to live with.
#[tokio::test]
async fn unusual_is_not_wrong() {
    let soon = Duration::from_secs(2);
    let rules: Vec<FaultRule> = vec![
        Fault::BadNonce.rate(0.3),
        Fault::Charset.into(),
        Fault::ErrorWhileProcessing.on(Asked::Challenge),
        Fault::MangledNonce.on(Asked::NewOrder),
        Fault::NoLinks.into(),
        Fault::NoLocation.on(Asked::Finalize),
        Fault::NoNonce.on(Asked::Authorization),
        Fault::NoRetryAfter.into(),
        Fault::RetryAfterDate(soon).into(),
        Fault::RetryAfterText("soon".to_owned()).into(),
        Fault::RetryAfterText("-1".to_owned()).into(),
        Fault::RetryAfterText("99999999999999999999".to_owned()).into(),
        Fault::Shuffle.into(),
        Fault::StaysPending.on(Asked::Order).times(2),
        Fault::StaysProcessing.on(Asked::Order).times(2),
        Fault::UnknownChallenges.into(),
        Fault::UnknownMembers.into(),
        Fault::UsedNonce.on(Asked::NewOrder),
        Fault::WildcardFalse.into(),
        Fault::DropAnswer.on(Asked::NewOrder).times(1),
        Fault::DropAnswer.on(Asked::Authorization).times(1),
        Fault::DropAnswer.on(Asked::Challenge).times(1),
        Fault::DropAnswer.on(Asked::Finalize).times(1),
        Fault::DropAnswer.on(Asked::Order).times(1),
        Fault::DropAnswer.on(Asked::Certificate).times(1),
        Fault::CutBody.on(Asked::Order).times(1),
        Fault::Html(502).on(Asked::Order).times(2),
        Fault::Html(503).on(Asked::Certificate).times(2),
        Fault::RateLimited(Some(soon)).on(Asked::Order).times(1),
        Fault::SlowBody(Duration::ZERO).on(Asked::Certificate),
        Fault::Chain(ChainFault::BlankLines).into(),
        Fault::Chain(ChainFault::Crlf).into(),
        Fault::Chain(ChainFault::NoFinalNewline).into(),
        Fault::Chain(ChainFault::TrailingText).into(),
        Fault::Chain(ChainFault::WithRoot).into(),
    ];
    for rule in rules {
        let text = format!("{rule:?}");
        if let Err(error) = obtain(vec![rule]).await {
            panic!("{text}: {error}");
        }
    }
}

// What a client has to refuse, and how it says so.
#[tokio::test]
async fn wrong_is_refused() {
    use ErrorKind::{BadResponse, InvalidChain, OrderFailed, Problem};
    let chain = |it| FaultRule::from(Fault::Chain(it));
    let rules: Vec<(FaultRule, ErrorKind)> = vec![
        (chain(ChainFault::Empty), InvalidChain),
        (chain(ChainFault::Expired), InvalidChain),
        (chain(ChainFault::ForeignBlock), InvalidChain),
        (chain(ChainFault::ForeignKey), InvalidChain),
        (chain(ChainFault::NotYetValid), InvalidChain),
        (chain(ChainFault::OtherIssuer), InvalidChain),
        (chain(ChainFault::TooLong), InvalidChain),
        (chain(ChainFault::WrongNames), InvalidChain),
        (chain(ChainFault::WrongOrder), InvalidChain),
        (Fault::EmptyBody.on(Asked::NewOrder), BadResponse),
        (Fault::EndlessBody.on(Asked::Certificate), BadResponse),
        (Fault::HtmlBody.on(Asked::Authorization), BadResponse),
        (Fault::Html(403).on(Asked::NewOrder), BadResponse),
        (Fault::NoLocation.on(Asked::NewOrder), BadResponse),
        (Fault::OtherAuthorizations.on(Asked::Order), BadResponse),
        (Fault::UnknownStatus.on(Asked::Order), OrderFailed),
        (Fault::RateLimited(None).on(Asked::NewOrder), Problem),
    ];
    for (rule, kind) in rules {
        let text = format!("{rule:?}");
        let error = obtain(vec![rule]).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error}");
    }
}

// Everything at once, as each of the two servers does it.
#[tokio::test]
async fn the_ways_of_boulder_and_pebble_are_taken() {
    for style in [Style::Rfc8555, Style::Boulder, Style::Pebble] {
        let world = World::with(
            builder()
                .processing_polls(1)
                .retry_after(Duration::from_secs(3))
                .nonce_reject_rate(0.1)
                .inject(Fault::Shuffle)
                .inject(Fault::UnknownMembers)
                .configure(|it| it.style = style),
        )
        .await;
        world.obtain(&["a.example", "b.example"]).await.unwrap();
    }
}

// A server that says nothing any more: each request has its end, and the order too.
#[tokio::test]
async fn silence_ends() {
    use acme_client::{Client, RetryPolicy};
    let world = World::new().await;
    let account = world.account().await;
    let client = Client::builder(world.ca.directory_url(), world.transport.clone())
        .request_timeout(Duration::from_millis(50))
        .retries(RetryPolicy::never())
        .build()
        .unwrap();
    let account = client.account(world.account_key.clone(), account.url());
    for fault in [Fault::Silence, Fault::StalledBody] {
        world.ca.inject(fault.on(Asked::Account).times(1));
        let error = account.fetch().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.is_transient());
    }
    account.fetch().await.unwrap();
}
