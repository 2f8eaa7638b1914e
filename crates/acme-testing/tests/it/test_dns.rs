//! The DNS server on loopback (RFC 1035), asked by hand over real sockets.

use std::net::{IpAddr, SocketAddr};

use acme_testing::{DnsRecord, DnsTrouble, InvalidDnsRecord, TestDns};
use domain::{
    base::{
        Message, MessageBuilder, Name, Rtype,
        iana::{Class, Opcode, OptRcode, Rcode},
    },
    rdata::AllRecordData,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
};

pub(crate) type Answer = Message<Vec<u8>>;

fn query(name: &str, kind: Rtype, payload: Option<u16>) -> Vec<u8> {
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(4711);
    builder.header_mut().set_rd(true);
    let mut builder = builder.question();
    builder
        .push((Name::vec_from_str(name).unwrap(), kind))
        .unwrap();
    let mut builder = builder.additional();
    if let Some(size) = payload {
        builder
            .opt(|it| {
                it.set_udp_payload_size(size);
                Ok(())
            })
            .unwrap();
    }
    builder.finish()
}

async fn send_udp(server: SocketAddr, query: &[u8]) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server).await.unwrap();
    socket.send(query).await.unwrap();
    socket
}

async fn receive_udp(socket: &UdpSocket) -> Answer {
    let mut answer = vec![0; 65_535];
    let length = socket.recv(&mut answer).await.unwrap();
    answer.truncate(length);
    Message::from_octets(answer).unwrap()
}

async fn ask_udp(dns: &TestDns, query: &[u8]) -> Answer {
    receive_udp(&send_udp(dns.address(), query).await).await
}

pub(crate) async fn ask(dns: &TestDns, name: &str, kind: Rtype) -> Answer {
    ask_udp(dns, &query(name, kind, None)).await
}

async fn ask_on(stream: &mut TcpStream, query: &[u8]) -> Answer {
    let length = u16::try_from(query.len()).unwrap();
    stream.write_u16(length).await.unwrap();
    stream.write_all(query).await.unwrap();
    let mut answer = vec![0; stream.read_u16().await.unwrap().into()];
    stream.read_exact(&mut answer).await.unwrap();
    Message::from_octets(answer).unwrap()
}

/// The answer section, a line a record, as in a zone file.
pub(crate) fn lines(answer: &Answer) -> Vec<String> {
    section(answer.answer().unwrap())
}

fn section(records: domain::base::message::RecordSection<'_, Vec<u8>>) -> Vec<String> {
    records
        .into_records::<AllRecordData<_, _>>()
        .map(|it| {
            let it = it.unwrap();
            assert_eq!(it.ttl().as_secs(), 0);
            format!("{} {} {}", it.owner(), it.rtype(), it.data())
        })
        .collect()
}

#[tokio::test]
async fn each_type_of_record_is_answered() {
    let dns = TestDns::start().await.unwrap();
    let address = |text: &str| DnsRecord::Address(text.parse::<IpAddr>().unwrap());
    dns.add("a.example", address("192.0.2.1")).unwrap();
    dns.add("a.example.", address("192.0.2.2")).unwrap();
    dns.add("A.Example", address("2001:db8::1")).unwrap();
    dns.add("a.example", DnsRecord::caa("issue", "ca.example"))
        .unwrap();
    dns.add("a.example", DnsRecord::Ns("ns.example".to_owned()))
        .unwrap();
    dns.add_txt("a.example", "one").unwrap();
    dns.add(
        "a.example",
        DnsRecord::Txt(vec![b"t".to_vec(), b"wo".to_vec()]),
    )
    .unwrap();
    for (kind, expected) in [
        (
            Rtype::A,
            vec!["a.example A 192.0.2.1", "a.example A 192.0.2.2"],
        ),
        (Rtype::AAAA, vec!["a.example AAAA 2001:db8::1"]),
        (Rtype::CAA, vec!["a.example CAA 0 issue \"ca.example\""]),
        (Rtype::NS, vec!["a.example NS ns.example."]),
        (
            Rtype::TXT,
            vec!["a.example TXT \"one\"", "a.example TXT \"t\" \"wo\""],
        ),
    ] {
        let answer = ask(&dns, "a.example", kind).await;
        assert_eq!(lines(&answer), expected, "{kind}");
        let header = answer.header();
        assert_eq!(header.id(), 4711);
        assert!(header.qr() && header.aa() && header.ra() && header.rd());
        assert!(!header.tc());
    }
    let answer = ask(&dns, "a.example", Rtype::ANY).await;
    assert_eq!(lines(&answer).len(), 7);
}

#[tokio::test]
async fn names_are_compared_without_case_and_repeated_as_spelt() {
    let dns = TestDns::start().await.unwrap();
    dns.add_txt("www.Example.com", "here").unwrap();
    let answer = ask(&dns, "wWw.eXample.com", Rtype::TXT).await;
    assert_eq!(lines(&answer).len(), 1);
    let question = answer.sole_question().unwrap();
    assert_eq!(question.qname().to_string(), "wWw.eXample.com");
    assert_eq!(dns.queries()[0].name, "wWw.eXample.com");
}

/// RFC 2308, section 2, and RFC 8020: what has something below it is a name.
#[tokio::test]
async fn no_such_name_and_no_such_record_are_two_answers() {
    let dns = TestDns::start().await.unwrap();
    dns.add_zone("example.com").unwrap();
    dns.add_txt("_acme-challenge.www.example.com", "here")
        .unwrap();
    for (name, kind, code, zone) in [
        (
            "_acme-challenge.www.example.com",
            Rtype::A,
            Rcode::NOERROR,
            "example.com",
        ),
        ("www.example.com", Rtype::TXT, Rcode::NOERROR, "example.com"),
        ("ww.example.com", Rtype::TXT, Rcode::NXDOMAIN, "example.com"),
        (
            "x.www.example.com",
            Rtype::TXT,
            Rcode::NXDOMAIN,
            "example.com",
        ),
        ("example.org", Rtype::TXT, Rcode::NXDOMAIN, ""),
        ("com", Rtype::TXT, Rcode::NOERROR, ""),
    ] {
        let answer = ask(&dns, name, kind).await;
        assert_eq!(answer.header().rcode(), code, "{name}");
        assert!(lines(&answer).is_empty(), "{name}");
        let authority = section(answer.authority().unwrap());
        assert_eq!(authority.len(), 1, "{name}");
        assert!(
            authority[0].starts_with(&format!("{zone} SOA ns.")),
            "{authority:?}"
        );
    }
    let answer = ask(&dns, "example.com", Rtype::SOA).await;
    assert_eq!(lines(&answer).len(), 1);
    let answer = ask(&dns, "example.com", Rtype::NS).await;
    assert_eq!(lines(&answer), ["example.com NS ns.example.com."]);
}

/// RFC 1034, section 4.3.2.
#[tokio::test]
async fn aliases_are_followed_inside_their_zone() {
    let dns = TestDns::start().await.unwrap();
    let alias = |from: &str, to: &str| dns.add(from, DnsRecord::Cname(to.to_owned())).unwrap();
    alias("a.example", "b.example");
    alias("b.example", "c.example");
    alias("dead.example", "nowhere.example");
    alias("bare.example", "c.example");
    alias("out.example", "there.other");
    alias("x.example", "y.example");
    alias("y.example", "x.example");
    dns.add_txt("c.example", "found").unwrap();
    dns.add_txt("there.other", "not said").unwrap();
    dns.add_zone("other").unwrap();

    let answer = ask(&dns, "a.example", Rtype::TXT).await;
    let expected = [
        "a.example CNAME b.example.",
        "b.example CNAME c.example.",
        "c.example TXT \"found\"",
    ];
    assert_eq!(lines(&answer), expected);
    let answer = ask(&dns, "a.example", Rtype::CNAME).await;
    assert_eq!(lines(&answer), ["a.example CNAME b.example."]);

    // RFC 6604: the code is that of the last name.
    let answer = ask(&dns, "dead.example", Rtype::TXT).await;
    assert_eq!(answer.header().rcode(), Rcode::NXDOMAIN);
    assert_eq!(lines(&answer), ["dead.example CNAME nowhere.example."]);
    let answer = ask(&dns, "bare.example", Rtype::A).await;
    assert_eq!(answer.header().rcode(), Rcode::NOERROR);
    assert_eq!(lines(&answer), ["bare.example CNAME c.example."]);

    let answer = ask(&dns, "out.example", Rtype::TXT).await;
    assert_eq!(lines(&answer), ["out.example CNAME there.other."]);
    assert_eq!(section(answer.authority().unwrap()).len(), 0);

    let answer = ask(&dns, "x.example", Rtype::TXT).await;
    assert_eq!(answer.header().rcode(), Rcode::NOERROR);
    assert!(lines(&answer).len() < 20);
}

#[tokio::test]
async fn records_come_and_go_one_by_one() {
    let dns = TestDns::start().await.unwrap();
    dns.add_txt("x.example", "one").unwrap();
    dns.add_txt("x.example", "two").unwrap();
    dns.add_txt("x.example", "two").unwrap();
    assert_eq!(dns.txt("X.example."), ["one", "two"]);
    assert!(dns.remove_txt("x.example", "one"));
    assert!(!dns.remove_txt("x.example", "one"));
    assert!(!dns.remove_txt("y.example", "one"));
    assert_eq!(dns.txt("x.example"), ["two"]);
    dns.clear("x.example");
    let answer = ask(&dns, "x.example", Rtype::TXT).await;
    assert_eq!(answer.header().rcode(), Rcode::NXDOMAIN);
}

#[tokio::test]
async fn what_cannot_be_a_record_is_refused() {
    let dns = TestDns::start().await.unwrap();
    let long = "x".repeat(64);
    for name in ["a..example", &long, "a\\"] {
        let error = dns.add_txt(name, "").unwrap_err();
        assert!(matches!(error, InvalidDnsRecord::Name { .. }), "{name}");
        assert!(error.to_string().contains(&format!("{name:?}")));
        let alias = DnsRecord::Cname(name.to_owned());
        assert!(dns.add("x.example", alias).is_err());
    }
    let tag = |tag: &str| dns.add("x.example", DnsRecord::caa(tag, ""));
    for text in ["", "a-b", &"x".repeat(256)] {
        assert!(matches!(tag(text), Err(InvalidDnsRecord::Tag)), "{text}");
    }
    let txt = |strings| dns.add("x.example", DnsRecord::Txt(strings));
    assert!(matches!(txt(vec![]), Err(InvalidDnsRecord::Empty)));
    assert!(matches!(
        txt(vec![vec![0; 256]]),
        Err(InvalidDnsRecord::TooLong)
    ));
    let much = vec![vec![0; 255]; 300];
    assert!(matches!(txt(much), Err(InvalidDnsRecord::TooLong)));
    txt(vec![vec![]]).unwrap();
    let empty = ask(&dns, "x.example", Rtype::TXT).await;
    assert_eq!(lines(&empty), ["x.example TXT \"\""]);
}

/// RFC 1035, section 4.2, and RFC 6891: what is too long over UDP is had over TCP.
#[tokio::test]
async fn long_answers_are_cut_off_over_udp_and_whole_over_tcp() {
    let dns = TestDns::start().await.unwrap();
    let value = "v".repeat(900);
    dns.add_txt("long.example", &value).unwrap();
    let answer = ask(&dns, "long.example", Rtype::TXT).await;
    assert!(answer.header().tc());
    assert!(lines(&answer).is_empty());
    assert!(answer.as_slice().len() <= 512);
    assert!(answer.opt().is_none());

    let answer = ask_udp(&dns, &query("long.example", Rtype::TXT, Some(4096))).await;
    assert!(!answer.header().tc());
    assert_eq!(lines(&answer).len(), 1);
    assert_eq!(answer.opt().unwrap().udp_payload_size(), 1232);

    // What asks for less than 512 bytes gets 512 all the same (RFC 6891, section 6.2.3).
    let answer = ask_udp(&dns, &query("long.example", Rtype::TXT, Some(10))).await;
    assert!(answer.header().tc());

    let mut stream = TcpStream::connect(dns.address()).await.unwrap();
    for _ in 0..2 {
        let answer = ask_on(&mut stream, &query("long.example", Rtype::TXT, None)).await;
        assert!(!answer.header().tc());
        assert_eq!(lines(&answer).len(), 1);
    }
    let asked: Vec<bool> = dns.queries().iter().map(|it| it.tcp).collect();
    assert_eq!(asked, [false, false, false, true, true]);

    // More than any answer holds: over TCP too it is only said so.
    for number in 0..300 {
        let value = format!("{number:0>255}");
        dns.add_txt("long.example", &value).unwrap();
    }
    let answer = ask_on(&mut stream, &query("long.example", Rtype::TXT, None)).await;
    assert!(answer.header().tc());
}

#[tokio::test]
async fn trouble_is_as_it_was_ordered() {
    let dns = TestDns::start().await.unwrap();
    dns.add_txt("x.example", "here").unwrap();
    let trouble = |it: DnsTrouble| dns.set_trouble("x.example", it).unwrap();
    trouble(DnsTrouble::ServFail);
    let answer = ask(&dns, "x.example", Rtype::TXT).await;
    assert_eq!(answer.header().rcode(), Rcode::SERVFAIL);
    trouble(DnsTrouble::Refused);
    let answer = ask(&dns, "x.example", Rtype::A).await;
    assert_eq!(answer.header().rcode(), Rcode::REFUSED);
    assert!(lines(&answer).is_empty());

    trouble(DnsTrouble::Truncate);
    let answer = ask(&dns, "x.example", Rtype::TXT).await;
    assert!(answer.header().tc());
    assert!(lines(&answer).is_empty());
    let mut stream = TcpStream::connect(dns.address()).await.unwrap();
    let answer = ask_on(&mut stream, &query("x.example", Rtype::TXT, None)).await;
    assert_eq!(lines(&answer).len(), 1);

    trouble(DnsTrouble::Garbage(b"no header in sight".to_vec()));
    let answer = ask(&dns, "x.example", Rtype::TXT).await;
    assert_eq!(answer.header().id(), 4711);
    assert_eq!(&answer.as_slice()[2..], b"no header in sight");

    // Nothing comes for a query that is dropped, but for one sent after it.
    trouble(DnsTrouble::Drop);
    let socket = send_udp(dns.address(), &query("x.example", Rtype::TXT, None)).await;
    while dns.queries().len() < 6 {
        tokio::task::yield_now().await;
    }
    dns.set_trouble("x.example", None).unwrap();
    let mut other = query("x.example", Rtype::TXT, None);
    other[0] ^= 1;
    socket.send(&other).await.unwrap();
    let answer = receive_udp(&socket).await;
    assert_eq!(answer.header().id(), 4711 ^ 0x100);
}

#[tokio::test]
async fn an_answer_is_held_back_until_it_is_let_go() {
    let dns = TestDns::start().await.unwrap();
    dns.set_trouble("x.example", DnsTrouble::Hold).unwrap();
    let socket = send_udp(dns.address(), &query("x.example", Rtype::TXT, None)).await;
    // The others' answers come meanwhile.
    let answer = ask(&dns, "y.example", Rtype::TXT).await;
    assert_eq!(answer.header().rcode(), Rcode::NXDOMAIN);
    while dns.queries().len() < 2 {
        tokio::task::yield_now().await;
    }
    dns.add_txt("x.example", "late").unwrap();
    dns.set_trouble("x.example", None).unwrap();
    let answer = receive_udp(&socket).await;
    assert_eq!(lines(&answer), ["x.example TXT \"late\""]);
}

#[tokio::test]
async fn what_is_no_question_is_answered_so_or_not_at_all() {
    let dns = TestDns::start().await.unwrap();
    dns.add_txt("x.example", "here").unwrap();
    let good = query("x.example", Rtype::TXT, None);
    let code = async |change: fn(&mut Vec<u8>)| {
        let mut query = good.clone();
        change(&mut query);
        ask_udp(&dns, &query).await.header().rcode()
    };
    // No question, two of them, one that breaks off, one whose name goes in circles.
    assert_eq!(code(|it| it[5] = 0).await, Rcode::FORMERR);
    assert_eq!(code(|it| it[5] = 2).await, Rcode::FORMERR);
    assert_eq!(code(|it| it.truncate(16)).await, Rcode::FORMERR);
    assert_eq!(
        code(|it| it[12..14].copy_from_slice(&[0xc0, 12])).await,
        Rcode::FORMERR
    );
    // RFC 2136: an update; and CHAOS, a class of its own.
    assert_eq!(
        code(|it| it[2] = Opcode::UPDATE.to_int() << 3).await,
        Rcode::NOTIMP
    );
    let chaos = |it: &mut Vec<u8>| *it.last_mut().unwrap() = 3;
    assert_eq!(Class::CH.to_int(), 3);
    assert_eq!(code(chaos).await, Rcode::REFUSED);
    // RFC 5936: a transfer of all there is.
    let transfer = |it: &mut Vec<u8>| *it.iter_mut().rev().nth(2).unwrap() = 252;
    assert_eq!(Rtype::AXFR.to_int(), 252);
    assert_eq!(code(transfer).await, Rcode::REFUSED);
    assert_eq!(code(|_| {}).await, Rcode::NOERROR);

    let mut new_version = query("x.example", Rtype::TXT, Some(1232));
    let at = new_version.len() - 5;
    new_version[at] = 1;
    let answer = ask_udp(&dns, &new_version).await;
    assert_eq!(answer.opt_rcode(), OptRcode::BADVERS);

    // An answer is not answered, nor is what is shorter than a header: the next thing is.
    let mut answer = good.clone();
    answer[2] |= 0x80;
    let socket = send_udp(dns.address(), &answer).await;
    socket.send(b"short").await.unwrap();
    socket.send(b"").await.unwrap();
    socket.send(&good).await.unwrap();
    assert_eq!(lines(&receive_udp(&socket).await).len(), 1);

    let mut stream = TcpStream::connect(dns.address()).await.unwrap();
    stream.write_all(&[0, 0, 0, 3, 1, 2, 3]).await.unwrap();
    assert_eq!(lines(&ask_on(&mut stream, &good).await).len(), 1);
}

#[tokio::test]
async fn two_run_side_by_side_and_a_stopped_one_frees_its_port() {
    let (one, two) = (
        TestDns::start().await.unwrap(),
        TestDns::start().await.unwrap(),
    );
    assert_ne!(one.address(), two.address());
    one.add_txt("x.example", "one").unwrap();
    assert!(two.txt("x.example").is_empty());
    assert!(TestDns::listen(one.address()).await.is_err());

    // A client that stays connected and a held answer keep nothing going.
    let stream = TcpStream::connect(one.address()).await.unwrap();
    one.set_trouble("x.example", DnsTrouble::Hold).unwrap();
    let _waiting = send_udp(one.address(), &query("x.example", Rtype::TXT, None)).await;
    let address = one.address();
    one.shutdown().await;
    drop(stream);
    UdpSocket::bind(address).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    assert!(format!("{two:?}").contains("127.0.0.1"));
}
