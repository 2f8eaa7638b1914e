//! Queries of any bytes at all.

use std::net::Ipv4Addr;

use domain::rdata::{A, Cname, Txt};
use proptest::prelude::*;

use super::*;

fn name(text: &str) -> Name {
    Name::vec_from_str(text).unwrap()
}

fn zone() -> Zone {
    let mut zone = Zone::default();
    zone.add(name("x"), Cname::new(name("y")).into());
    zone.add(name("y"), Cname::new(name("x")).into());
    zone.add(name("z.x"), A::new(Ipv4Addr::LOCALHOST).into());
    zone.add(
        name("z.x"),
        Txt::build_from_slice(&[0; 2000]).unwrap().into(),
    );
    zone.begin(name("w"));
    zone
}

/// A query with EDNS, for what the zone has most of.
fn query() -> Vec<u8> {
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(4711);
    let mut builder = builder.question();
    builder.push((name("z.x"), Rtype::TXT)).unwrap();
    let mut builder = builder.additional();
    builder.opt(|_| Ok(())).unwrap();
    builder.finish()
}

/// Whatever is sent is an answer to the query, and no longer than its way allows.
fn check(query: &[u8]) {
    let zone = zone();
    for transport in [Transport::Udp, Transport::Tcp] {
        let step = match question(query) {
            Ok(asked) => answer(&zone, query, &asked, transport),
            Err(step) => step,
        };
        if let Step::Send { answer, .. } = step {
            assert_eq!(answer[..2], query[..2]);
            assert_eq!(answer[2] & 0x80, 0x80);
            let most = match transport {
                Transport::Udp => MAX_UDP.into(),
                Transport::Tcp => usize::from(u16::MAX),
            };
            assert!(answer.len() <= most, "{}", answer.len());
        }
    }
}

#[test]
fn a_right_query_is_answered() {
    let query = query();
    let asked = question(&query).unwrap();
    let Step::Send { answer, records } = answer(&zone(), &query, &asked, Transport::Tcp) else {
        panic!("there is an answer");
    };
    assert_eq!(records, 1);
    assert!(answer.len() > 2000);
    check(&query);
}

/// Each of these questions takes six bytes, and stands for a name of forty times as many.
#[test]
fn many_questions_do_not_make_a_long_answer() {
    let mut query = query();
    query[4..12].copy_from_slice(&[0x10, 0, 0, 0, 0, 0, 0, 0]);
    for _ in 1..0x1000 {
        query.extend([0xc0, 12, 0, 16, 0, 1]);
    }
    check(&query);
    let Err(Step::Send { answer, .. }) = question(&query) else {
        panic!("there is an answer");
    };
    let code = Message::from_slice(&answer).unwrap().header().rcode();
    assert_eq!(code, Rcode::FORMERR);
    assert!(answer.len() <= 512);
}

proptest! {
    #[test]
    fn any_bytes_are_answered_or_not(query in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&query);
    }

    #[test]
    fn a_right_query_with_wrong_bytes_is_answered_or_not(
        at in 0..query().len(),
        bytes in any::<[u8; 3]>(),
        cut in 0..query().len(),
    ) {
        let mut query = query();
        for (at, byte) in (at..query.len()).zip(bytes) {
            query[at] = byte;
        }
        check(&query);
        check(&query[..cut]);
    }
}
