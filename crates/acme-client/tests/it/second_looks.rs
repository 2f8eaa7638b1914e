//! CAs that look at a challenge anew when they are told again (RFC 8555, section 8.2).

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use acme_client::{DOUBT_AFTER, ErrorKind, MAX_POLL_INTERVAL, messages::ProblemType};
use acme_testing::{Operation as Asked, Resolver, TestCaBuilder};

use crate::world::{World, builder};

/// Every name is found after so many looks at any.
fn found_after(looks: u32) -> TestCaBuilder {
    let looked = Arc::new(AtomicU32::new(0));
    let address = move |_: &_| {
        let found = looked.fetch_add(1, Ordering::Relaxed) >= looks;
        found.then_some(IpAddr::from(Ipv4Addr::LOCALHOST))
    };
    builder().configure(|config| {
        config.validation.tries_again_on_request = true;
        config.validation.resolver = Resolver::new(address);
    })
}

fn waited(world: &World) -> Duration {
    world.clock.waits().iter().sum()
}

// It waits to be told again, and a client that merely looks would wait in vain.
#[tokio::test]
async fn a_ca_that_waits_to_be_told_again_is_told_again() {
    let world = World::with(found_after(4)).await;
    world.obtain(&["a.example", "b.example"]).await.unwrap();
    // Both at first and after 10 s, when the second look failed too, and after 20 s.
    assert_eq!(world.asked_for(Asked::Challenge), 6);
    assert!(waited(&world) < 3 * DOUBT_AFTER, "{:?}", waited(&world));
}

#[tokio::test]
async fn a_name_that_is_never_found_is_given_up_early() {
    let world = World::with(found_after(u32::MAX)).await;
    let error = world.obtain(&["a.example", "b.example"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthorizationFailed, "{error}");
    let problem = error.problem().unwrap();
    assert_eq!(problem.kind, ProblemType::Compound);
    for (sub, name) in problem.subproblems.iter().zip(["a.example", "b.example"]) {
        assert_eq!(sub.kind, ProblemType::Dns);
        assert!(problem.subproblems.iter().any(|it| {
            let identifier = it.identifier.as_ref();
            identifier.is_some_and(|it| it.value == name)
        }));
        assert!(error.to_string().contains(name), "{error}");
    }
    assert_eq!(world.asked_for(Asked::Challenge), 2 * 4);
    assert!(waited(&world) <= 8 * DOUBT_AFTER + MAX_POLL_INTERVAL);
}
