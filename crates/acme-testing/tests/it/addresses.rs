//! Where names point to by DNS, and which address is knocked at (RFC 8555, section 10.2, and
//! Boulder's ways).

use std::{net::IpAddr, time::Duration};

use acme_testing::{
    DnsRecord, DnsTrouble, Resolver,
    messages::{ChallengeType, Problem, ProblemType},
};
use tokio::net::TcpListener;

use crate::{
    dns_world::{DnsWorld, alias, expect},
    world::{WebServer, challenge_path},
};

async fn world() -> (DnsWorld, WebServer) {
    let web = WebServer::start().await;
    let port = web.port;
    let world = DnsWorld::with(|it| {
        it.validation.http_01_port = port;
        it.validation.resolver = Resolver::dns();
    });
    (world.await, web)
}

fn address(world: &DnsWorld, name: &str, address: &str) {
    let address: IpAddr = address.parse().unwrap();
    world.dns.add(name, address.into()).unwrap();
}

async fn validate(world: &mut DnsWorld, web: &WebServer, name: &str) -> Option<Problem> {
    let (authorization, challenge, answer) = world.begin(name, ChallengeType::Http01).await;
    let path = challenge_path(challenge.token.as_deref());
    web.serve(&path, answer.as_str());
    world.respond(&authorization, &challenge).await
}

#[tokio::test]
async fn names_are_looked_up_and_addresses_are_not() {
    let (mut world, web) = world().await;
    address(&world, "four.example", "127.0.0.1");
    alias(&world.dns, "alias.example", "four.example");
    assert_eq!(validate(&mut world, &web, "four.example").await, None);
    let asked = world.dns.queries();
    let mut kinds: Vec<_> = asked.iter().map(|it| it.record_type.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["A", "AAAA"]);
    assert!(asked.iter().all(|it| it.name == "four.example"));
    assert_eq!(validate(&mut world, &web, "alias.example").await, None);
    world.dns.clear_queries();
    assert_eq!(validate(&mut world, &web, "127.0.0.1").await, None);
    assert_eq!(world.dns.queries(), []);
}

#[tokio::test]
async fn what_dns_cannot_tell_is_a_dns_problem() {
    let (mut world, web) = world().await;
    let problem = validate(&mut world, &web, "nowhere.example").await;
    expect(problem, ProblemType::Dns, "NXDOMAIN");
    world.dns.add_txt("bare.example", "no address").unwrap();
    let problem = validate(&mut world, &web, "bare.example").await;
    expect(problem, ProblemType::Dns, "no address for bare.example");
    for (trouble, timeout, words) in [
        (DnsTrouble::ServFail, 3000, "SERVFAIL"),
        (DnsTrouble::Drop, 1, "timed out"),
    ] {
        let timeout = Duration::from_millis(timeout);
        world.ca.configure(|it| it.validation.dns_timeout = timeout);
        world.dns.set_trouble("bare.example", trouble).unwrap();
        let problem = validate(&mut world, &web, "bare.example").await;
        expect(problem, ProblemType::Dns, words);
    }
    world.ca.configure(|it| it.validation.dns_server = None);
    let problem = validate(&mut world, &web, "bare.example").await;
    expect(problem, ProblemType::Dns, "was given no DNS server");
}

/// IPv6 first; where there is no connection, IPv4; where there is one, never.
#[tokio::test]
async fn ipv6_is_knocked_at_before_ipv4() {
    let (mut world, web) = world().await;
    // What the web server listens at on IPv4 is closed on IPv6.
    address(&world, "both.example", "127.0.0.1");
    address(&world, "both.example", "::1");
    assert_eq!(validate(&mut world, &web, "both.example").await, None);

    address(&world, "six.example", "::1");
    let problem = validate(&mut world, &web, "six.example").await;
    expect(problem, ProblemType::Connection, "[::1]:");

    // Who answers, and wrongly, is not passed over for another.
    let Ok(six) = TcpListener::bind(("::1", web.port)).await else {
        return;
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = six.accept().await {
            drop(stream);
        }
    });
    let before = web.requests().len();
    let problem = validate(&mut world, &web, "both.example").await;
    expect(problem, ProblemType::Connection, "not HTTP");
    assert_eq!(web.requests().len(), before);
}

/// Only the first address of each family is tried.
///
/// Only Linux has all of 127.0.0.0/8 at hand.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_second_address_of_the_family_is_not_tried() {
    let (mut world, web) = world().await;
    address(&world, "two.example", "127.0.0.9");
    address(&world, "two.example", "127.0.0.1");
    let problem = validate(&mut world, &web, "two.example").await;
    expect(problem, ProblemType::Connection, "127.0.0.9:");
}

/// As at Boulder: a redirect's host is given one address, and what fails there begins again.
#[tokio::test]
async fn a_redirect_that_finds_no_one_begins_again_at_the_next_address() {
    let (mut world, web) = world().await;
    address(&world, "here.example", "127.0.0.1");
    address(&world, "there.example", "::1");
    address(&world, "there.example", "127.0.0.1");
    let (authorization, challenge, answer) =
        world.begin("here.example", ChallengeType::Http01).await;
    let path = challenge_path(challenge.token.as_deref());
    let moved = "HTTP/1.1 302 Found\r\nlocation: http://there.example/x\r\n\r\n";
    web.answer(&path, moved);
    web.serve("/x", answer.as_str());
    let problem = world.respond(&authorization, &challenge).await;
    expect(problem, ProblemType::Connection, "[::1]:");
    assert_eq!(web.requests().len(), 1);
}

/// tls-alpn-01 looks names up in the same way.
#[tokio::test]
async fn tls_alpn_01_goes_on_to_ipv4_too() {
    let (mut world, _) = world().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    world
        .ca
        .set_tls_alpn_01_port(silent.local_addr().unwrap().port());
    address(&world, "both.example", "::1");
    address(&world, "both.example", "127.0.0.1");
    let visited = tokio::spawn(async move { silent.accept().await.map(drop) });
    let found = world.begin("both.example", ChallengeType::TlsAlpn01).await;
    let problem = world.respond(&found.0, &found.1).await;
    expect(problem, ProblemType::Connection, "127.0.0.1:");
    visited.await.unwrap().unwrap();

    world.dns.add("dead.example", DnsRecord::txt("")).unwrap();
    let found = world.begin("dead.example", ChallengeType::TlsAlpn01).await;
    let problem = world.respond(&found.0, &found.1).await;
    expect(problem, ProblemType::Dns, "no address");
}
