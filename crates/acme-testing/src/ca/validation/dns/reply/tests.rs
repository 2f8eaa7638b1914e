//! Answers read from bytes: right ones, foreign ones, and any at all.

use domain::{
    base::{Message, MessageBuilder, Ttl},
    rdata::ZoneRecordData,
};
use proptest::prelude::*;

use super::*;

const ID: u16 = 4711;

fn name(text: &str) -> Name {
    Name::vec_from_str(text).unwrap()
}

fn owner() -> Name {
    name("_acme-challenge.example.com")
}

/// An answer to the question for TXT records of [`owner`].
fn answer(records: &[(Name, ZoneRecordData<Vec<u8>, Name>)]) -> Vec<u8> {
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(ID);
    builder.header_mut().set_qr(true);
    let mut builder = builder.question();
    builder.push((owner(), Rtype::TXT)).unwrap();
    let mut builder = builder.answer();
    for (name, data) in records {
        builder.push((name, Class::IN, Ttl::ZERO, data)).unwrap();
    }
    builder.finish()
}

fn txt(strings: &[&[u8]]) -> ZoneRecordData<Vec<u8>, Name> {
    let mut data = Vec::new();
    for string in strings {
        data.push(string.len().try_into().unwrap());
        data.extend_from_slice(string);
    }
    Txt::from_octets(data).unwrap().into()
}

fn right() -> Vec<u8> {
    let alias = Cname::new(name("there.example"));
    answer(&[
        (owner(), alias.into()),
        (name("THERE.example"), txt(&[b"one", b"", b" two"])),
        (name("there.example"), txt(&[b"\xff"])),
        (name("other.example"), txt(&[b"other"])),
    ])
}

fn read(bytes: &[u8]) -> Result<Reply, Unfit> {
    Reply::read(bytes, ID, &owner(), Rtype::TXT)
}

#[test]
fn records_are_found_by_their_name_and_strings_joined() {
    let mut reply = read(&right()).unwrap();
    assert_eq!(reply.code, Rcode::NOERROR);
    assert_eq!(reply.take(&owner()), []);
    assert_eq!(reply.alias(&owner()), Some(name("there.example")));
    assert_eq!(reply.alias(&name("there.example")), None);
    let texts = [b"one two".to_vec(), b"\xff".to_vec()].map(Record::Text);
    assert_eq!(reply.take(&name("There.Example")), texts);
    assert_eq!(reply.take(&name("there.example")), []);
}

#[test]
fn what_is_no_answer_to_our_question_is_told_apart() {
    let check = |change: fn(&mut Vec<u8>), expected| {
        let mut bytes = right();
        change(&mut bytes);
        assert_eq!(read(&bytes).unwrap_err(), expected);
    };
    check(|it| it.truncate(11), Unfit::Stray);
    check(|it| it[0] ^= 1, Unfit::Stray);
    // Another name, type, class.
    check(|it| it[14] ^= 1, Unfit::Stray);
    check(|it| it[42] ^= 1, Unfit::Stray);
    check(|it| it[44] = 3, Unfit::Stray);
    // A question; none; two; one that breaks off.
    check(|it| it[2] = 0, Unfit::Malformed);
    check(|it| it[5] = 0, Unfit::Malformed);
    check(|it| it[5] = 2, Unfit::Malformed);
    check(|it| it.truncate(30), Unfit::Malformed);
    // Records that break off, or that are not there.
    check(|it| it.truncate(it.len() - 1), Unfit::Malformed);
    check(|it| it[7] = 9, Unfit::Malformed);
}

/// [RFC 1035, section 3.2.4]: another class is another tree of names.
///
/// [RFC 1035, section 3.2.4]: https://www.rfc-editor.org/rfc/rfc1035#section-3.2.4
#[test]
fn records_of_another_class_are_passed_over() {
    let mut bytes = answer(&[(owner(), txt(&[b"x"]))]);
    let class = bytes.len() - 2 - 2 - 4 - 1;
    assert_eq!(bytes[class], 1);
    bytes[class] = 3;
    assert_eq!(read(&bytes).unwrap().take(&owner()), []);
}

#[test]
fn an_error_may_come_without_the_question() {
    let mut bytes = right();
    bytes.truncate(12);
    bytes[3] |= 1;
    bytes[4..12].fill(0);
    assert_eq!(read(&bytes).unwrap().code, Rcode::FORMERR);
}

#[test]
fn what_is_cut_off_is_said_to_be() {
    let mut bytes = right();
    bytes[2] |= 2;
    let cut = bytes.len() - 1;
    let mut reply = read(&bytes[..cut]).unwrap();
    assert!(reply.truncated);
    assert_eq!(reply.take(&name("there.example")), []);
}

#[test]
fn a_txt_record_whose_string_is_longer_than_it_is_malformed() {
    let mut bytes = answer(&[(owner(), txt(&[b"abc"]))]);
    let at = bytes.len() - 4;
    assert_eq!(bytes[at], 3);
    bytes[at] = 4;
    assert_eq!(read(&bytes).unwrap_err(), Unfit::Malformed);
}

const KINDS: [Rtype; 4] = [Rtype::A, Rtype::AAAA, Rtype::CAA, Rtype::TXT];

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for kind in KINDS {
            let _ = Reply::read(&bytes, ID, &owner(), kind);
        }
    }

    #[test]
    fn any_records_after_a_right_question_are_read_without_a_panic(
        counts in any::<[u8; 6]>(),
        kind in prop::sample::select(&KINDS[..]),
        records in prop::collection::vec(
            (prop::sample::select(&[12u8, 16, 40][..]), prop::collection::vec(any::<u8>(), 0..40)),
            0..6,
        ),
    ) {
        let mut bytes = answer(&[]);
        bytes[6..12].copy_from_slice(&counts);
        let end = bytes.len();
        bytes[end - 4..end - 2].copy_from_slice(&kind.to_int().to_be_bytes());
        for (pointer, data) in &records {
            bytes.extend([0xc0, *pointer]);
            bytes.extend(kind.to_int().to_be_bytes());
            bytes.extend([0, 1, 0, 0, 0, 0, 0, data.len() as u8]);
            bytes.extend(data);
        }
        if let Ok(mut reply) = Reply::read(&bytes, ID, &owner(), kind) {
            let _ = reply.take(&owner());
            let _ = reply.alias(&owner());
        }
    }

    #[test]
    fn a_right_answer_with_a_wrong_byte_is_read_without_a_panic(
        at in 0..right().len(),
        byte in any::<u8>(),
        cut in 0..right().len(),
    ) {
        let mut bytes = right();
        bytes[at] = byte;
        let _ = read(&bytes);
        let _ = read(&bytes[..cut]);
    }
}

#[test]
fn an_answer_made_by_hand_is_one_to_others_too() {
    let bytes = right();
    let message = Message::from_slice(&bytes).unwrap();
    assert_eq!(message.canonical_name().unwrap(), name("there.example"));
}
