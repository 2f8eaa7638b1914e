//! Validations from several places at once, and none at all.

use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use acme_testing::{
    DnsTrouble,
    messages::{ChallengeType, Problem, ProblemType},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::dns_world::{DnsWorld, expect};

/// A web server with one answer, that hides it from some visitors.
#[derive(Debug, Default)]
struct Visits {
    answer: String,
    hidden_from: Vec<IpAddr>,
    from: Vec<SocketAddr>,
}

async fn serve() -> (u16, Arc<Mutex<Visits>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let visits = Arc::new(Mutex::new(Visits::default()));
    let shared = Arc::clone(&visits);
    tokio::spawn(async move {
        while let Ok((mut stream, visitor)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = {
                let mut visits = shared.lock().unwrap();
                visits.from.push(visitor);
                match visits.hidden_from.contains(&visitor.ip()) {
                    true => "HTTP/1.1 404 Not Found\r\n\r\n".to_owned(),
                    false => format!("HTTP/1.1 200 OK\r\n\r\n{}", visits.answer),
                }
            };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, visits)
}

async fn validate(world: &mut DnsWorld, visits: &Mutex<Visits>) -> Option<Problem> {
    let (authorization, challenge, answer) =
        world.begin("example.com", ChallengeType::Http01).await;
    {
        let mut visits = visits.lock().unwrap();
        visits.answer = answer.as_str().to_owned();
        visits.from.clear();
    }
    world.respond(&authorization, &challenge).await
}

#[tokio::test]
async fn each_place_knocks_for_itself() {
    let mut world = DnsWorld::with(|it| it.validation.perspectives = 5).await;
    let (port, visits) = serve().await;
    world.ca.set_http_01_port(port);
    assert_eq!(validate(&mut world, &visits).await, None);
    let from: HashSet<_> = visits.lock().unwrap().from.iter().copied().collect();
    assert_eq!(from.len(), 5);

    let problem = world.dns_01("example.com", |dns, owner, value| {
        dns.add_txt(owner, value).unwrap();
    });
    assert_eq!(problem.await, None);
    assert_eq!(world.dns.queries().len(), 5);

    // None is one, and no number opens connections without end.
    for (perspectives, expected) in [(0, 1), (1, 1), (u32::MAX, 100)] {
        world
            .ca
            .configure(|it| it.validation.perspectives = perspectives);
        assert_eq!(validate(&mut world, &visits).await, None);
        assert_eq!(visits.lock().unwrap().from.len(), expected);
    }
}

/// They go out at once: none waits for another's answer.
#[tokio::test]
async fn the_places_look_at_the_same_time() {
    let mut world = DnsWorld::with(|it| {
        it.answers.polls_wait = false;
        it.validation.perspectives = 3;
    })
    .await;
    let (_, challenge, answer) = world.begin("example.com", ChallengeType::Dns01).await;
    let owner = "_acme-challenge.example.com";
    world.dns.add_txt(owner, &answer.dns_txt_value()).unwrap();
    world.dns.set_trouble(owner, DnsTrouble::Hold).unwrap();
    world
        .client
        .post(&challenge.url, json!({}))
        .await
        .expect(200);
    let all = async {
        while world.dns.queries().len() < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all)
        .await
        .unwrap();
    world.dns.set_trouble(owner, None).unwrap();
}

/// Only Linux has all of 127.0.0.0/8 at hand.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn some_may_fail_but_never_the_first() {
    let sources: Vec<IpAddr> = (2..6).map(|it| IpAddr::from([127, 0, 0, it])).collect();
    let mut world = DnsWorld::with(|it| {
        it.validation.perspectives = 4;
        it.validation.sources = sources.clone();
    })
    .await;
    let (port, visits) = serve().await;
    world.ca.set_http_01_port(port);
    for (hidden_from, tolerated, met) in [
        (&sources[..0], 0, true),
        (&sources[1..2], 0, false),
        (&sources[1..2], 1, true),
        (&sources[3..], 1, true),
        (&sources[2..], 1, false),
        (&sources[1..], 2, false),
        (&sources[1..], 3, true),
        (&sources[..1], 3, false),
        (&sources[..], 9, false),
    ] {
        visits.lock().unwrap().hidden_from = hidden_from.to_vec();
        world
            .ca
            .configure(|it| it.validation.tolerated_failures = tolerated);
        let problem = validate(&mut world, &visits).await;
        assert_eq!(
            problem.is_none(),
            met,
            "{hidden_from:?} {tolerated} {problem:?}"
        );
        let from: HashSet<IpAddr> = visits
            .lock()
            .unwrap()
            .from
            .iter()
            .map(SocketAddr::ip)
            .collect();
        assert_eq!(from, sources.iter().copied().collect());
        if met {
            continue;
        }
        let words = match hidden_from.contains(&sources[0]) {
            true => "the status is 404",
            false => "of the other places",
        };
        expect(problem, ProblemType::Unauthorized, words);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn questions_come_from_the_places_too() {
    let sources = [2, 3].map(|it| IpAddr::from([127, 0, 0, it]));
    let mut world = DnsWorld::with(|it| {
        it.validation.perspectives = 3;
        it.validation.sources = sources.into();
        it.validation.sources.push("::1".parse().unwrap());
    })
    .await;
    let problem = world.dns_01("example.com", |dns, owner, value| {
        dns.set_trouble(owner, DnsTrouble::Truncate).unwrap();
        dns.add_txt(owner, value).unwrap();
    });
    assert_eq!(problem.await, None);
    for tcp in [false, true] {
        let asked = world.dns.queries();
        let from = asked.iter().filter(|it| it.tcp == tcp).map(|it| it.sender);
        let mut from: Vec<_> = from.collect();
        from.sort();
        // The third has an address of the wrong family, and does without.
        let own = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(from, [own, sources[0], sources[1]]);
    }
}

#[tokio::test]
async fn everything_is_valid_where_no_one_looks() {
    let mut world = DnsWorld::with(|it| {
        it.validation.always_valid = true;
        it.validation.dns_server = None;
        it.validation.http_01_port = 1;
        it.validation.tls_alpn_01_port = 1;
    })
    .await;
    for kind in [
        ChallengeType::Dns01,
        ChallengeType::DnsAccount01,
        ChallengeType::DnsPersist01,
        ChallengeType::Http01,
        ChallengeType::TlsAlpn01,
    ] {
        let (authorization, challenge, _) = world.begin("example.com", kind).await;
        assert_eq!(world.respond(&authorization, &challenge).await, None);
    }
    assert_eq!(world.dns.queries(), []);
}
