//! CAA records (RFC 8659, RFC 8657), looked at once a challenge is met.

use std::time::Duration;

use acme_testing::{
    DnsRecord, DnsTrouble,
    messages::{ChallengeType, Problem, ProblemType},
};

use crate::dns_world::{DnsWorld, alias, expect};

async fn world() -> DnsWorld {
    DnsWorld::with(|it| it.validation.caa = true).await
}

fn set(world: &DnsWorld, name: &str, flags: u8, tag: &str, value: &str) {
    let record = DnsRecord::Caa {
        flags,
        tag: tag.to_owned(),
        value: value.replace("ACCOUNT", &world.client.kid),
    };
    world.dns.add(name, record).unwrap();
}

/// Meets dns-01, so that CAA alone decides.
async fn validate(world: &mut DnsWorld, name: &str) -> Option<Problem> {
    let problem = world.dns_01(name, |dns, owner, value| {
        dns.add_txt(owner, value).unwrap();
    });
    problem.await
}

/// With one `issue` property at `example.com`.
async fn with_issue(world: &mut DnsWorld, value: &str) -> Option<Problem> {
    set(world, "example.com", 0, "issue", value);
    let problem = validate(world, "example.com").await;
    world.dns.clear("example.com");
    problem
}

#[tokio::test]
async fn without_records_anyone_may_issue() {
    let mut world = world().await;
    assert_eq!(validate(&mut world, "www.example.com").await, None);
    let asked = world.dns.queries();
    let asked: Vec<_> = asked
        .iter()
        .filter(|it| it.record_type == "CAA")
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(asked, ["www.example.com", "example.com", "com"]);
}

#[tokio::test]
async fn nothing_is_asked_unless_wanted() {
    let mut world = DnsWorld::new().await;
    set(&world, "example.com", 0, "issue", ";");
    assert_eq!(validate(&mut world, "example.com").await, None);
    assert_eq!(world.dns.queries().len(), 1);
}

#[tokio::test]
async fn only_the_issuers_that_are_named_may_issue() {
    let mut world = world().await;
    for (value, met) in [
        ("ca.example", true),
        (" ca.example\t", true),
        ("ca.example;", true),
        ("ca.example; ", true),
        ("ca.example; policy=any", true),
        ("ca.example; a-b=; c=d=e", true),
        ("other.example", false),
        ("sub.ca.example", false),
        ("", false),
        (";", false),
        ("; accounturi=ACCOUNT", false),
        // Malformed: met by no one.
        ("ca.example policy=any", false),
        ("ca.example; policy", false),
        ("ca.example; =any", false),
        ("ca.example; a_b=c", false),
        ("ca.example; -a=c", false),
        ("ca.example; a=b c", false),
        ("ca.example; a=\u{e9}", false),
        ("ca.example; a=b;", false),
        ("ca.example;; a=b", false),
    ] {
        let problem = with_issue(&mut world, value).await;
        assert_eq!(problem.is_none(), met, "{value}: {problem:?}");
        if !met {
            expect(problem, ProblemType::Caa, "CAA records of example.com");
        }
    }
    // One of several is enough.
    set(&world, "example.com", 0, "issue", "other.example");
    set(&world, "example.com", 0, "Issue", "ca.example");
    assert_eq!(validate(&mut world, "example.com").await, None);
    world
        .ca
        .configure(|it| it.answers.caa_identities = vec!["other.example".to_owned()]);
    assert_eq!(validate(&mut world, "example.com").await, None);
    world.ca.configure(|it| it.answers.caa_identities.clear());
    let problem = validate(&mut world, "example.com").await;
    expect(problem, ProblemType::Caa, "");
}

/// RFC 8659, section 3.
#[tokio::test]
async fn the_nearest_records_count_alone() {
    let mut world = world().await;
    set(&world, "example.com", 0, "issue", "other.example");
    let problem = validate(&mut world, "a.b.example.com").await;
    expect(problem, ProblemType::Caa, "of example.com");
    set(&world, "b.example.com", 0, "issue", "ca.example");
    assert_eq!(validate(&mut world, "a.b.example.com").await, None);
    assert_eq!(validate(&mut world, "b.example.com").await, None);
    // Even those that say nothing of issuing.
    set(&world, "c.example.com", 0, "iodef", "mailto:a@example.com");
    assert_eq!(validate(&mut world, "c.example.com").await, None);
    // An alias' records are its own; it is climbed from the alias, not from what it leads to.
    alias(&world.dns, "d.example.com", "there.example");
    let problem = validate(&mut world, "d.example.com").await;
    expect(problem, ProblemType::Caa, "of example.com");
    set(&world, "there.example", 0, "issue", "ca.example");
    assert_eq!(validate(&mut world, "d.example.com").await, None);
}

/// RFC 8659, section 4.3.
#[tokio::test]
async fn wildcards_have_a_property_of_their_own() {
    let mut world = world().await;
    set(&world, "example.com", 0, "issuewild", "other.example");
    assert_eq!(validate(&mut world, "example.com").await, None);
    let problem = validate(&mut world, "*.example.com").await;
    expect(problem, ProblemType::Caa, "");
    set(&world, "example.com", 0, "IssueWild", "ca.example");
    set(&world, "example.com", 0, "issue", "other.example");
    assert_eq!(validate(&mut world, "*.example.com").await, None);
    let problem = validate(&mut world, "example.com").await;
    expect(problem, ProblemType::Caa, "");
    // Without one, that of all names is for wildcards too.
    set(&world, "example.org", 0, "issue", "other.example");
    let problem = validate(&mut world, "*.example.org").await;
    expect(problem, ProblemType::Caa, "");
}

/// RFC 8659, section 4.1; the second bit is taken for the first, as at Boulder.
#[tokio::test]
async fn critical_properties_must_be_known() {
    let mut world = world().await;
    for (flags, tag, met) in [
        (0, "new", true),
        (64, "new", true),
        (128, "new", false),
        (1, "new", false),
        (255, "new", false),
        (128, "issue", true),
        (128, "issuewild", true),
        (128, "iodef", true),
        (128, "ISSUEMAIL", true),
        (128, "issuevmc", true),
    ] {
        set(&world, "example.com", flags, tag, "ca.example");
        let problem = validate(&mut world, "example.com").await;
        assert_eq!(problem.is_none(), met, "{flags} {tag}");
        if !met {
            expect(problem, ProblemType::Caa, "critical property \"new\"");
        }
        world.dns.clear("example.com");
    }
}

/// RFC 8657, section 3.
#[tokio::test]
async fn an_account_may_be_demanded() {
    let mut world = world().await;
    for (value, met) in [
        ("ca.example; accounturi=ACCOUNT", true),
        ("ca.example; accounturi = ACCOUNT ", true),
        ("ca.example; accounturi=ACCOUNT/", false),
        ("ca.example; accounturi=https://ca.example/acct/1", false),
        ("ca.example; AccountURI=https://ca.example/acct/1", false),
        ("ca.example; accounturi=", false),
        ("ca.example; accounturi=ACCOUNT; accounturi=ACCOUNT", false),
        ("ca.example; accounturi=ACCOUNT; accounturi=other", false),
    ] {
        let problem = with_issue(&mut world, value).await;
        assert_eq!(problem.is_none(), met, "{value}");
    }
}

/// RFC 8657, section 4.
#[tokio::test]
async fn a_method_may_be_demanded() {
    let mut world = world().await;
    for (value, met) in [
        ("ca.example; validationmethods=dns-01", true),
        ("ca.example; validationmethods=http-01,dns-01", true),
        ("ca.example; validationmethods=ca-own,dns-01", true),
        ("ca.example; validationmethods=http-01", false),
        ("ca.example; validationmethods=dns-01x", false),
        ("ca.example; validationmethods=DNS-01", false),
        ("ca.example; validationmethods=", false),
        ("ca.example; validationmethods=dns-01,", false),
        ("ca.example; validationmethods=dns-01,a_b", false),
        (
            "ca.example; validationmethods=dns-01; validationmethods=dns-01",
            false,
        ),
        (
            "ca.example; accounturi=ACCOUNT; validationmethods=dns-01",
            true,
        ),
        (
            "ca.example; accounturi=other; validationmethods=dns-01",
            false,
        ),
    ] {
        let problem = with_issue(&mut world, value).await;
        assert_eq!(problem.is_none(), met, "{value}");
    }
    // It is the method that was used.
    let value = "ca.example; validationmethods=dns-persist-01";
    set(&world, "example.com", 0, "issue", value);
    let (authorization, challenge, _) = world
        .begin("example.com", ChallengeType::DnsPersist01)
        .await;
    let text = format!("ca.example; accounturi={}", world.client.kid);
    let owner = "_validation-persist.example.com";
    world.dns.add_txt(owner, &text).unwrap();
    assert_eq!(world.respond(&authorization, &challenge).await, None);
}

#[tokio::test]
async fn what_dns_cannot_tell_lets_no_one_issue() {
    let mut world = world().await;
    for (trouble, timeout, words) in [
        (DnsTrouble::ServFail, 3000, "SERVFAIL"),
        (DnsTrouble::Refused, 3000, "REFUSED"),
        (DnsTrouble::Garbage(vec![0x80; 30]), 3000, "cannot be read"),
        (DnsTrouble::Drop, 5, "timed out"),
    ] {
        let timeout = Duration::from_millis(timeout);
        world.ca.configure(|it| it.validation.dns_timeout = timeout);
        world.dns.set_trouble("example.com", trouble).unwrap();
        let problem = validate(&mut world, "www.example.com").await;
        let detail = problem.as_ref().and_then(|it| it.detail.clone());
        assert!(detail.unwrap().contains("CAA at example.com"));
        expect(problem, ProblemType::Dns, words);
    }
    world.dns.clear("example.com");
    world.ca.configure(|it| it.validation.dns_server = None);
    world.ca.set_http_01_port(1);
    let problem = validate(&mut world, "www.example.com").await;
    expect(problem, ProblemType::Dns, "was given no DNS server");
}

/// A challenge that is not met is told first, and addresses have no CAA.
#[tokio::test]
async fn the_challenge_is_looked_at_before() {
    let mut world = world().await;
    set(&world, "example.com", 0, "issue", ";");
    let problem = world.dns_01("example.com", |_, _, _| {}).await;
    expect(problem, ProblemType::Dns, "TXT at");

    let web = crate::world::WebServer::start().await;
    world.ca.set_http_01_port(web.port);
    let found = world.begin("127.0.0.1", ChallengeType::Http01).await;
    let (authorization, challenge, answer) = found;
    let path = crate::world::challenge_path(challenge.token.as_deref());
    web.serve(&path, answer.as_str());
    world.dns.clear_queries();
    assert_eq!(world.respond(&authorization, &challenge).await, None);
    assert_eq!(world.dns.queries(), []);
}
