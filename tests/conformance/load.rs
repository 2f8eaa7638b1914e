//! Many orders at once, at Pebble and at our own CA.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use acme_client::{Account, Client, Pacing, RetryPolicy};
use acme_responders::{Http01Responder, Responder};
use acme_testing::TestCa;
use acme_tests::{Case, Error, Pebble, skipped};
use rustls::crypto::ring;
use tokio::task::JoinSet;

use crate::world::{account_of, agreed, builder, http_01, new_key, request, transport, within};

/// How many orders there are in all.
const ORDERS: usize = 200;

/// How many of them are under way at Pebble.
const WIDTH: usize = 16;

/// How many at our own CA.
const OWN_WIDTH: usize = 64;

/// How often Pebble may lock up before it is a failure of the run.
const RESTARTS: usize = 5;

/// How long Pebble may be silent before it is asked whether it still answers anybody.
const SILENCE: Duration = Duration::from_secs(20);

/// The orders that nobody has finished.
type Todo = Arc<Mutex<VecDeque<usize>>>;

fn next(todo: &Todo) -> Option<usize> {
    todo.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .pop_front()
}

/// Works the orders off, so many at once; an order that fails goes back, and ends the work.
async fn work(
    account: &Account,
    responder: &Arc<Http01Responder>,
    todo: &Todo,
    width: usize,
) -> Result<(), acme_client::Error> {
    let mut workers = JoinSet::new();
    for _ in 0..width {
        let (account, todo) = (account.clone(), todo.clone());
        let responder: Arc<dyn Responder> = responder.clone();
        workers.spawn(async move {
            while let Some(number) = next(&todo) {
                let name = format!("order{number}.example.com");
                if let Err(error) = account.obtain(&request(&[&name], responder.clone())).await {
                    todo.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push_back(number);
                    return Err(error);
                }
            }
            Ok(())
        });
    }
    let mut first = Ok(());
    while let Some(worker) = workers.join_next().await {
        let result = worker.unwrap();
        if first.is_ok() {
            first = result;
        }
    }
    first
}

/// Whether Pebble still serves somebody who has nothing to do with the run.
async fn answers_anybody(pebble: &Pebble) -> bool {
    let stranger = builder(pebble)
        .request_timeout(SILENCE / 2)
        .retries(RetryPolicy::never())
        .build()
        .unwrap();
    let Ok(made) = stranger.new_account(new_key(), &agreed()).await else {
        return false;
    };
    let new = acme_client::messages::NewOrder::new(crate::world::names(&["stranger.example.com"]));
    let Ok(order) = made.account.new_order(&new).await else {
        return false;
    };
    order.authorizations().await.is_ok()
}

#[tokio::test]
async fn many_orders_at_pebble() -> Result<(), Error> {
    let Some(case) = Case::begin("load: 200 orders, 16 at once")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let todo: Todo = Arc::new(Mutex::new((0..ORDERS).collect()));
    let mut restarts = 0;
    loop {
        let pebble = case.pebble().http_port(port).start().await?;
        let run = builder(&pebble)
            .request_timeout(SILENCE)
            .retries(RetryPolicy::never())
            .pacing(Pacing::default().deadline(2 * SILENCE))
            .build()
            .unwrap();
        let account = account_of(&run).await;
        let result = work(&account, &responder, &todo, WIDTH).await;
        match result {
            Ok(()) => {
                pebble.stop().await?;
                break;
            }
            // Its locks are taken in two orders: then it answers nobody at all, and that is its own.
            Err(error) if !answers_anybody(&pebble).await => {
                restarts += 1;
                skipped(
                    "part of the load",
                    &format!("Pebble locked up ({error}); restarted"),
                );
                assert!(restarts <= RESTARTS, "Pebble locks up again and again");
                drop(pebble);
            }
            Err(error) => panic!("Pebble answers others, so this is ours: {error}"),
        }
    }
    match restarts {
        0 => case.passed(),
        _ => case.passed_with(&format!(
            "Pebble locked up {restarts} times and was restarted"
        )),
    }
    Ok(())
}

#[tokio::test]
async fn many_orders_at_our_own_ca() -> Result<(), Error> {
    let Some(case) = Case::begin("load: 200 orders, 64 at once, at our own CA")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let ca = TestCa::builder()
        .crypto_provider(Arc::new(ring::default_provider()))
        .http_01_port(port)
        .nonce_reject_rate(0.05)
        .start()
        .await
        .unwrap();
    let client = Client::builder(ca.directory_url(), transport(&ca.https_root_pem()));
    let account = account_of(&client.build().unwrap()).await;
    let todo: Todo = Arc::new(Mutex::new((0..ORDERS).collect()));
    within(work(&account, &responder, &todo, OWN_WIDTH))
        .await
        .unwrap();
    assert_eq!(ca.issued().len(), ORDERS);
    assert_eq!(ca.orders().len(), ORDERS);
    case.passed();
    Ok(())
}
