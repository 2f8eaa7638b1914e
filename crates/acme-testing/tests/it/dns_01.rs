//! Validation by dns-01 (RFC 8555, section 8.4) and dns-account-01
//! (draft-ietf-acme-dns-account-label), over real DNS.

use std::time::Duration;

use acme_testing::{
    DnsRecord, DnsTrouble, Style, TestDns,
    messages::{Authorization, Challenge, ChallengeType, OrderStatus, ProblemType, dns_account},
};
use domain::{
    base::{Message, MessageBuilder, Name, Rtype, Ttl, iana::Class, iana::Rcode},
    rdata::Txt,
};
use serde_json::json;
use tokio::net::UdpSocket;

use crate::dns_world::{DnsWorld, alias, expect, order_status};

#[tokio::test]
async fn a_record_proves_a_name_and_a_wildcard() {
    let mut world = DnsWorld::new().await;
    for name in ["www.example.com", "*.example.com"] {
        let problem = world.dns_01(name, |dns, owner, value| {
            dns.add_txt(owner, value).unwrap();
        });
        assert_eq!(problem.await, None, "{name}");
    }
    let asked = world.dns.queries();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].name, "_acme-challenge.www.example.com");
    assert_eq!(asked[1].name, "_acme-challenge.example.com");
    assert!(asked.iter().all(|it| it.record_type == "TXT" && !it.tcp));
}

/// One order for a name and its wildcard has two authorizations at one record's name.
#[tokio::test]
async fn a_name_and_its_wildcard_are_proved_side_by_side() {
    let mut world = DnsWorld::new().await;
    let (url, order) = world.client.order(&["example.com", "*.example.com"]).await;
    assert_eq!(order.authorizations.len(), 2);
    for authorization in &order.authorizations {
        let found = world.client.challenge(authorization, ChallengeType::Dns01);
        let (challenge, answer) = found.await;
        let owner = "_acme-challenge.example.com";
        world.dns.add_txt(owner, &answer.dns_txt_value()).unwrap();
        assert_eq!(world.respond(authorization, &challenge).await, None);
    }
    assert_eq!(
        order_status(&mut world.client, &url).await,
        OrderStatus::Ready
    );
    assert_eq!(world.dns.txt("_acme-challenge.example.com").len(), 2);
}

#[tokio::test]
async fn one_of_several_records_is_enough_and_strings_are_joined() {
    let mut world = DnsWorld::new().await;
    let problem = world.dns_01("example.com", |dns, owner, value| {
        dns.add_txt(owner, "something else").unwrap();
        dns.add_txt(owner, "").unwrap();
        dns.add_txt(owner, value).unwrap();
        dns.add_txt(owner, "and more").unwrap();
    });
    assert_eq!(problem.await, None);
    let problem = world.dns_01("example.com", |dns, owner, value| {
        let (one, two) = value.as_bytes().split_at(20);
        let strings = vec![one.to_vec(), Vec::new(), two.to_vec()];
        dns.add(owner, DnsRecord::Txt(strings)).unwrap();
    });
    assert_eq!(problem.await, None);
}

#[tokio::test]
async fn a_wrong_value_is_refused() {
    let mut world = DnsWorld::new().await;
    type Set = fn(&TestDns, &str, &str);
    let wrong: [Set; 5] = [
        |dns, owner, _| dns.add_txt(owner, "something").unwrap(),
        |dns, owner, value| dns.add_txt(owner, &format!("{value} ")).unwrap(),
        |dns, owner, value| dns.add_txt(owner, &format!("\"{value}\"")).unwrap(),
        |dns, owner, value| dns.add_txt(owner, &value.to_lowercase()).unwrap(),
        |dns, owner, value| {
            // The value in two records is in none.
            let (one, two) = value.split_at(20);
            dns.add_txt(owner, one).unwrap();
            dns.add_txt(owner, two).unwrap();
        },
    ];
    for (style, kind) in [
        (Style::Rfc8555, ProblemType::IncorrectResponse),
        (Style::Boulder, ProblemType::Unauthorized),
    ] {
        world.ca.configure(|it| it.style = style);
        for set in wrong {
            let problem = world.dns_01("example.com", set).await;
            expect(problem, kind.clone(), "_acme-challenge.example.com");
        }
    }
    // What is told of the value is cut short, and what is no text does no harm.
    let problem = world.dns_01("example.com", |dns, owner, _| {
        dns.add(owner, DnsRecord::Txt(vec![vec![0xff; 255]; 4]))
            .unwrap();
        dns.add_txt(owner, "second").unwrap();
    });
    let problem = problem.await.unwrap();
    let detail = problem.detail.as_deref().unwrap();
    assert!(detail.ends_with(" and 1 more"), "{detail}");
    assert!(detail.chars().count() < 300, "{detail}");
}

#[tokio::test]
async fn each_way_of_finding_nothing_is_told_apart() {
    let mut world = DnsWorld::new().await;
    let problem = world.dns_01("example.com", |dns, owner, _| {
        let address = DnsRecord::Address([127, 0, 0, 1].into());
        dns.add(owner, address).unwrap();
    });
    expect(
        problem.await,
        ProblemType::Unauthorized,
        "no TXT record at _acme",
    );
    for (trouble, words) in [
        (None, "NXDOMAIN"),
        (Some(DnsTrouble::ServFail), "SERVFAIL"),
        (Some(DnsTrouble::Refused), "REFUSED"),
        (Some(DnsTrouble::Drop), "timed out"),
        (Some(DnsTrouble::Garbage(vec![0x80; 40])), "cannot be read"),
    ] {
        // Real time, since the socket is real; what says nothing is not waited for.
        let silent = trouble == Some(DnsTrouble::Drop);
        let timeout = Duration::from_millis(if silent { 1 } else { 3000 });
        world.ca.configure(|it| it.validation.dns_timeout = timeout);
        let problem = world.dns_01("example.com", |dns, owner, _| {
            dns.set_trouble(owner, trouble).unwrap();
        });
        let problem = problem.await;
        let detail = problem.as_ref().and_then(|it| it.detail.clone());
        assert!(
            detail
                .unwrap()
                .contains("TXT at _acme-challenge.example.com")
        );
        expect(problem, ProblemType::Dns, words);
    }
    // The name leaves no room for the label before it.
    let label = "x".repeat(60);
    let long = format!("{label}.{label}.{label}.{label}");
    let problem = world.dns_01(&long, |_, _, _| {});
    expect(problem.await, ProblemType::Dns, "too long");
}

#[tokio::test]
async fn without_a_server_the_ca_says_so() {
    let mut world = DnsWorld::with(|it| it.validation.dns_server = None).await;
    let problem = world.dns_01("example.com", |dns, owner, value| {
        dns.add_txt(owner, value).unwrap();
    });
    expect(problem.await, ProblemType::Dns, "was given no DNS server");
    assert_eq!(world.dns.queries(), []);
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_dns_problem() {
    let mut world = DnsWorld::new().await;
    let gone = TestDns::start().await.unwrap();
    let address = gone.address();
    gone.shutdown().await;
    world.ca.configure(|it| {
        it.validation.dns_server = Some(address);
        it.validation.dns_timeout = Duration::from_millis(1);
    });
    let problem = world.dns_01("example.com", |_, _, _| {}).await;
    assert_eq!(problem.unwrap().kind, ProblemType::Dns);
}

/// RFC 8555, section 8.4: the CA follows aliases, in one answer or from one to the next.
#[tokio::test]
async fn aliases_are_followed() {
    let mut world = DnsWorld::new().await;
    let problem = world.dns_01("example.com", |dns, owner, value| {
        alias(dns, owner, "one.example.net");
        alias(dns, "one.example.net", "TWO.example.net");
        dns.add_txt("two.Example.net", value).unwrap();
    });
    assert_eq!(problem.await, None);
    assert_eq!(world.dns.queries().len(), 1);

    world.dns.clear_queries();
    world.dns.add_zone("example.org").unwrap();
    world.dns.add_zone("example.edu").unwrap();
    let problem = world.dns_01("example.com", |dns, owner, value| {
        alias(dns, owner, "here.example.org");
        alias(dns, "here.example.org", "there.example.edu");
        dns.add_txt("there.example.edu", value).unwrap();
    });
    assert_eq!(problem.await, None);
    let asked: Vec<_> = world.dns.queries().into_iter().map(|it| it.name).collect();
    let expected = [
        "_acme-challenge.example.com",
        "here.example.org",
        "there.example.edu",
    ];
    assert_eq!(asked, expected);

    // An alias to where nothing is, and one to where nothing is of this type.
    let problem = world.dns_01("example.com", |dns, owner, _| {
        alias(dns, owner, "nowhere.example.org");
    });
    expect(problem.await, ProblemType::Dns, "NXDOMAIN");
    let problem = world.dns_01("example.com", |dns, owner, _| {
        alias(dns, owner, "example.org");
    });
    expect(problem.await, ProblemType::Unauthorized, "no TXT record");
}

#[tokio::test]
async fn aliases_that_do_not_end_are_given_up() {
    let mut world = DnsWorld::new().await;
    let problem = world.dns_01("example.com", |dns, owner, _| {
        alias(dns, owner, "x.example");
        alias(dns, "x.example", "y.example");
        alias(dns, "y.example", "X.example");
    });
    expect(problem.await, ProblemType::Dns, "aliases do not end");
    let problem = world.dns_01("example.com", |dns, owner, _| alias(dns, owner, owner));
    expect(problem.await, ProblemType::Dns, "aliases do not end");

    // Each in a zone of its own, so that each is asked for; seventeen are one too many.
    for (last, met) in [(16, true), (17, false)] {
        world.dns.clear_queries();
        let problem = world.dns_01("example.com", |dns, owner, value| {
            let mut from = owner.to_owned();
            for number in 1..=last {
                let to = format!("a{number}.zone{number}-{last}.example");
                dns.add_zone(to.split_once('.').unwrap().1).unwrap();
                alias(dns, &from, &to);
                from = to;
            }
            dns.add_txt(&from, value).unwrap();
        });
        let problem = problem.await;
        assert_eq!(problem.is_none(), met, "{problem:?}");
        assert_eq!(world.dns.queries().len(), 17);
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_asked_for_over_tcp() {
    let mut world = DnsWorld::new().await;
    let problem = world.dns_01("example.com", |dns, owner, value| {
        for number in 0..100 {
            dns.add_txt(owner, &format!("{number:0>100}")).unwrap();
        }
        dns.add_txt(owner, value).unwrap();
    });
    assert_eq!(problem.await, None);
    let tcp: Vec<bool> = world.dns.queries().iter().map(|it| it.tcp).collect();
    assert_eq!(tcp, [false, true]);

    let problem = world.dns_01("example.com", |dns, owner, value| {
        dns.set_trouble(owner, DnsTrouble::Truncate).unwrap();
        dns.add_txt(owner, value).unwrap();
    });
    assert_eq!(problem.await, None);

    // What is cut off over TCP too cannot be had.
    let problem = world.dns_01("example.com", |dns, owner, value| {
        dns.add_txt(owner, value).unwrap();
        for number in 0..300 {
            dns.add_txt(owner, &format!("{number:0>255}")).unwrap();
        }
    });
    expect(problem.await, ProblemType::Dns, "cannot be read");
}

#[tokio::test]
async fn a_question_is_put_again() {
    let mut world = DnsWorld::with(|it| {
        it.answers.polls_wait = false;
        it.validation.dns_timeout = Duration::from_millis(100);
    })
    .await;
    let (_, challenge, answer) = world.begin("example.com", ChallengeType::Dns01).await;
    let owner = "_acme-challenge.example.com";
    world.dns.add_txt(owner, &answer.dns_txt_value()).unwrap();
    world.dns.set_trouble(owner, DnsTrouble::Drop).unwrap();
    world
        .client
        .post(&challenge.url, json!({}))
        .await
        .expect(200);
    while world.dns.queries().is_empty() {
        tokio::task::yield_now().await;
    }
    world.dns.set_trouble(owner, None).unwrap();
    world.ca.configure(|it| it.answers.polls_wait = true);
    let seen: Challenge = world.client.fetch(&challenge.url).await.json();
    assert_eq!(seen.error, None);
    assert_eq!(world.dns.queries().len(), 2);
}

/// Answers each question with several datagrams, made by hand.
async fn forger(answers: fn(&[u8]) -> Vec<Vec<u8>>) -> std::net::SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut query = [0; 1500];
        while let Ok((length, sender)) = socket.recv_from(&mut query).await {
            for answer in answers(&query[..length]) {
                socket.send_to(&answer, sender).await.unwrap();
            }
        }
    });
    address
}

/// An answer to the question, with a TXT record of this text.
fn answer(query: &[u8], text: &str) -> Vec<u8> {
    let query = Message::from_slice(query).unwrap();
    let mut builder = MessageBuilder::new_vec()
        .start_answer(query, Rcode::NOERROR)
        .unwrap();
    let name = query.sole_question().unwrap().into_qname();
    let txt = Txt::<Vec<u8>>::build_from_slice(text.as_bytes()).unwrap();
    builder.push((name, Class::IN, Ttl::ZERO, txt)).unwrap();
    builder.finish()
}

fn with_id(mut answer: Vec<u8>, change: u8) -> Vec<u8> {
    answer[0] ^= change;
    answer
}

#[tokio::test]
async fn only_an_answer_to_the_very_question_counts() {
    let mut world = DnsWorld::new().await;
    // Another id, another name, a datagram of nothing: all passed over.
    let address = forger(|query| {
        let mut other = MessageBuilder::new_vec().question();
        other
            .header_mut()
            .set_id(u16::from_be_bytes([query[0], query[1]]));
        other.header_mut().set_qr(true);
        let name = Name::vec_from_str("other.example").unwrap();
        other.push((name, Rtype::TXT)).unwrap();
        vec![
            with_id(answer(query, "forged"), 1),
            answer(&other.finish(), "forged"),
            Vec::new(),
            answer(query, "right"),
        ]
    })
    .await;
    world
        .ca
        .configure(|it| it.validation.dns_server = Some(address));
    let problem = world.dns_01("example.com", |_, _, _| {}).await;
    expect(problem, ProblemType::IncorrectResponse, "\"right\"");

    // Not without end.
    let address = forger(|query| vec![with_id(answer(query, "forged"), 1); 40]).await;
    world
        .ca
        .configure(|it| it.validation.dns_server = Some(address));
    let problem = world.dns_01("example.com", |_, _, _| {}).await;
    expect(problem, ProblemType::Dns, "cannot be read");

    // Our own question is no answer.
    let address = forger(|query| vec![query.to_vec()]).await;
    world
        .ca
        .configure(|it| it.validation.dns_server = Some(address));
    let problem = world.dns_01("example.com", |_, _, _| {}).await;
    expect(problem, ProblemType::Dns, "cannot be read");
}

#[tokio::test]
async fn the_validation_as_a_whole_is_bounded() {
    let mut world = DnsWorld::with(|it| it.validation.timeout = Duration::ZERO).await;
    let problem = world.dns_01("example.com", |dns, owner, _| {
        dns.set_trouble(owner, DnsTrouble::Hold).unwrap();
    });
    assert_eq!(problem.await.unwrap().kind, ProblemType::Dns);
}

/// RFC 8738, section 7.
#[tokio::test]
async fn addresses_are_not_proved_by_dns() {
    let mut world = DnsWorld::new().await;
    let (_, order) = world.client.order(&["192.0.2.1"]).await;
    let authorization = world.client.fetch(&order.authorizations[0]).await;
    let authorization: Authorization = authorization.json();
    let kinds: Vec<_> = authorization
        .challenges
        .into_iter()
        .map(|it| it.kind)
        .collect();
    assert_eq!(kinds, [ChallengeType::Http01, ChallengeType::TlsAlpn01]);
}

#[tokio::test]
async fn an_account_has_a_label_of_its_own() {
    let mut world = DnsWorld::new().await;
    for name in ["www.example.org", "*.example.org"] {
        let found = world.begin(name, ChallengeType::DnsAccount01).await;
        let (authorization, challenge, answer) = found;
        let owner = dns_account::record_name(&world.client.kid, &name.parse().unwrap());
        world.dns.add_txt(&owner, &answer.dns_txt_value()).unwrap();
        assert_eq!(world.respond(&authorization, &challenge).await, None);
        assert_eq!(world.dns.queries().last().unwrap().name, owner);
    }

    // The record of dns-01, and that of another account, are none of this challenge's.
    let found = world
        .begin("example.org", ChallengeType::DnsAccount01)
        .await;
    let (authorization, challenge, answer) = found;
    let other = format!("{}x", world.client.kid);
    for owner in [
        "_acme-challenge.example.org".to_owned(),
        dns_account::record_name(&other, &"example.org".parse().unwrap()),
    ] {
        world.dns.add_txt(&owner, &answer.dns_txt_value()).unwrap();
    }
    world.dns.clear(&dns_account::record_name(
        &world.client.kid,
        &"example.org".parse().unwrap(),
    ));
    let problem = world.respond(&authorization, &challenge).await;
    expect(problem, ProblemType::Dns, "NXDOMAIN");
}
