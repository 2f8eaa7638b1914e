//! With a CA: from a blank entry to a certificate, and from that to the next.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use acme_endpoint::{AutoTlsEndpoint, EndpointHandle, service::ServiceEvent};
use acme_messages::{ChallengeType, Clock, Timestamp};
use acme_store::MemoryStore;
use acme_testing::{ManualClock, Operation, TestCa};
use rustls::{
    pki_types::UnixTime,
    time_provider::TimeProvider,
    version::{TLS12, TLS13},
};

use crate::world::{Visitor, authority, echo, leaf, loopback, name, ping, provider, soon};

const NAME: &str = "www.example.com";

const GRACE: Duration = Duration::from_secs(5);

/// A CA, an endpoint that gets certificates from it, and one time for both.
struct World {
    ca: TestCa,
    clock: ManualClock,
    store: MemoryStore,
    handle: EndpointHandle,
    seen: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct OnTheClock(ManualClock);

impl TimeProvider for OnTheClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl World {
    async fn start() -> Self {
        Self::with(None).await
    }

    async fn with(http_01: Option<tokio::net::TcpListener>) -> Self {
        let clock = ManualClock::new(Timestamp::now());
        let listener = loopback().await;
        let ca = TestCa::builder()
            .crypto_provider(provider())
            .clock(Arc::new(clock.clone()))
            .tls_alpn_01_port(listener.local_addr().unwrap().port())
            .start()
            .await
            .unwrap();
        let store = MemoryStore::new();
        store.request(name(NAME));
        let mut endpoint =
            AutoTlsEndpoint::builder(Arc::new(store.clone()), authority(&ca, &clock))
                .crypto_provider(provider())
                .protocols(["h2", "http/1.1"])
                .clock(Arc::new(clock.clone()));
        if let Some(http_01) = http_01 {
            ca.set_http_01_port(http_01.local_addr().unwrap().port());
            ca.configure(|it| it.orders.challenges = vec![ChallengeType::Http01]);
            endpoint = endpoint.http_01(http_01);
        }
        let (listener, handle) = soon(endpoint.start(listener)).await.unwrap();
        let seen = echo(listener);
        Self {
            ca,
            clock,
            store,
            handle,
            seen,
        }
    }

    fn address(&self) -> SocketAddr {
        self.handle.local_addr()
    }

    fn visitor(&self) -> Visitor {
        let time = Arc::new(OnTheClock(self.clock.clone()));
        Visitor::at(self.ca.root_pem(), time, &[&TLS13, &TLS12])
    }

    fn orders(&self) -> usize {
        let requests = self.ca.requests();
        let orders = requests
            .iter()
            .filter(|it| it.operation == Operation::NewOrder);
        orders.count()
    }
}

#[tokio::test]
async fn a_blank_entry_becomes_a_certificate() {
    let world = World::start().await;
    let check = soon(world.handle.service().initial_check()).await.unwrap();
    assert!(check.is_ok(), "{check:?}");
    assert_eq!(check.attempted.len(), 1);
    // E18: the CA was here, and the application has not seen it.
    assert_eq!(world.seen.load(Ordering::SeqCst), 0);
    // Whoever hears of it is served it.
    for protocol in ["h2", "http/1.1"] {
        let visitor = world.visitor().offering(&[protocol]);
        let stream = visitor.visit(world.address(), NAME).await.unwrap();
        assert_eq!(
            stream.get_ref().1.alpn_protocol(),
            Some(protocol.as_bytes())
        );
    }
    assert_eq!(world.seen.load(Ordering::SeqCst), 2);
    world.handle.shutdown(GRACE).await;
    world.ca.shutdown().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_served_while_old_connections_live_on() {
    // E12
    let world = World::start().await;
    soon(world.handle.service().initial_check()).await.unwrap();
    let mut old = world.visitor().visit(world.address(), NAME).await.unwrap();
    let mut events = world.handle.service().subscribe().unwrap();
    // Two thirds of its life, and a little.
    world.clock.wait_for_sleepers(1).await;
    world.clock.advance(Duration::from_secs(61 * 24 * 60 * 60));
    let issued = soon(async {
        loop {
            match events.recv().await.unwrap() {
                ServiceEvent::Issued { bundle, .. } => return bundle,
                ServiceEvent::Failed { error, .. } => panic!("{error:?}"),
                _ => {}
            }
        }
    })
    .await;
    let new = world.visitor().visit(world.address(), NAME).await.unwrap();
    assert_eq!(leaf(&new), issued.chain().as_der()[0]);
    assert_ne!(leaf(&new), leaf(&old));
    ping(&mut old).await.unwrap();
    assert_eq!(world.ca.issued().len(), 2);
}

#[tokio::test]
async fn visitors_get_the_real_certificate_while_another_is_issued() {
    // R9, T8: many renewals, and visitors all the time.
    let world = World::start().await;
    soon(world.handle.service().initial_check()).await.unwrap();
    let service = world.handle.service().clone();
    let renewals = tokio::spawn(async move {
        for _ in 0..5 {
            service.issue(&name(NAME)).await.unwrap();
        }
    });
    let mut visits = 0;
    // `visit` verifies the certificate: one for a challenge has no issuer.
    while !renewals.is_finished() {
        let visitor = world.visitor().offering(&["acme-tls/1", "h2"]);
        let stream = visitor.visit(world.address(), NAME).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        visits += 1;
    }
    renewals.await.unwrap();
    assert!(visits > 0);
    assert_eq!(world.seen.load(Ordering::SeqCst), visits);
    assert_eq!(world.ca.issued().len(), 6);
}

#[tokio::test]
async fn http_01_answers_on_a_port_of_its_own() {
    let world = World::with(Some(loopback().await)).await;
    let check = soon(world.handle.service().initial_check()).await.unwrap();
    assert!(check.is_ok(), "{check:?}");
    world.visitor().visit(world.address(), NAME).await.unwrap();
}

#[tokio::test]
async fn a_new_name_is_issued_while_others_are_served() {
    let world = World::start().await;
    soon(world.handle.service().initial_check()).await.unwrap();
    let mut events = world.handle.service().subscribe().unwrap();
    world.store.request(name("new.example.com"));
    soon(async {
        loop {
            if let ServiceEvent::Issued { name: it, .. } = events.recv().await.unwrap() {
                assert_eq!(it, name("new.example.com"));
                return;
            }
        }
    })
    .await;
    for asked in [NAME, "new.example.com"] {
        world.visitor().visit(world.address(), asked).await.unwrap();
    }
}

#[tokio::test]
async fn a_restart_serves_what_is_stored_and_orders_nothing() {
    let world = World::start().await;
    soon(world.handle.service().initial_check()).await.unwrap();
    world.handle.shutdown(GRACE).await;
    assert_eq!(world.orders(), 1);
    let (listener, handle) = AutoTlsEndpoint::builder(
        Arc::new(world.store.clone()),
        authority(&world.ca, &world.clock),
    )
    .crypto_provider(provider())
    .clock(Arc::new(world.clock.clone()))
    .start(loopback().await)
    .await
    .unwrap();
    echo(listener);
    world
        .visitor()
        .visit(handle.local_addr(), NAME)
        .await
        .unwrap();
    assert!(
        soon(handle.service().initial_check())
            .await
            .unwrap()
            .is_ok()
    );
    assert_eq!(world.orders(), 1);
    handle.shutdown(GRACE).await;
}

#[tokio::test]
async fn a_ca_that_goes_changes_nothing_for_visitors() {
    let world = World::start().await;
    soon(world.handle.service().initial_check()).await.unwrap();
    let visitor = world.visitor();
    let address = world.address();
    let service = world.handle.service().clone();
    world.ca.shutdown().await;
    visitor.visit(address, NAME).await.unwrap();
    // Permanent or not, an error takes nothing away.
    let renewal = tokio::spawn(async move { service.issue(&name(NAME)).await });
    visitor.visit(address, NAME).await.unwrap();
    renewal.abort();
    world.handle.shutdown(Duration::ZERO).await;
}
