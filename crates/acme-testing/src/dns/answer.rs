//! From a query's bytes to an answer's ([RFC 1035, section 4.1]).
//!
//! [RFC 1035, section 4.1]: https://www.rfc-editor.org/rfc/rfc1035#section-4.1

use domain::base::{
    Message, MessageBuilder, Rtype, Ttl,
    iana::{Class, Opcode, OptRcode, Rcode},
    message_builder::{AnswerBuilder, PushError, TreeCompressor},
    name::ToName,
};

use super::{DnsTrouble, Name, zone::Found, zone::Zone};

/// The most bytes of an answer over UDP to who says nothing of it ([RFC 1035, section 4.2.1]).
///
/// [RFC 1035, section 4.2.1]: https://www.rfc-editor.org/rfc/rfc1035#section-4.2.1
const PLAIN_UDP: u16 = 512;

/// The most bytes of an answer over UDP: what fits into one frame nearly everywhere
/// ([RFC 9715](https://www.rfc-editor.org/rfc/rfc9715)).
const MAX_UDP: u16 = 1232;

/// How a query came in, and how it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Tcp,
    Udp,
}

/// A question that was asked as it ought to be.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) name: Name,
    pub(super) kind: Rtype,
}

/// What is to be done about a query.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing is sent.
    Ignore,
    /// It is looked at again once something has changed.
    Hold,
    /// These bytes are sent; the records among them were found for the question.
    Send { answer: Vec<u8>, records: usize },
}

impl Step {
    fn without_records(answer: Vec<u8>) -> Self {
        Self::Send { answer, records: 0 }
    }
}

/// Reads the question of a query; where there is none to be answered, says what to do instead.
pub(super) fn question(query: &[u8]) -> Result<Question, Step> {
    let message = Message::from_slice(query).map_err(|_| Step::Ignore)?;
    let header = message.header();
    // What is itself an answer is none of the server's: two servers would never end.
    if header.qr() {
        return Err(Step::Ignore);
    }
    let refuse = |code| Err(Step::without_records(error(message, code)));
    if header.opcode() != Opcode::QUERY {
        return refuse(Rcode::NOTIMP);
    }
    let Ok(question) = message.sole_question() else {
        return refuse(Rcode::FORMERR);
    };
    let transfer = matches!(question.qtype(), Rtype::AXFR | Rtype::IXFR);
    if transfer || !matches!(question.qclass(), Class::IN | Class::ANY) {
        return refuse(Rcode::REFUSED);
    }
    if message.opt().is_some_and(|it| it.version() != 0) {
        return Err(Step::without_records(bad_version(message)));
    }
    Ok(Question {
        name: question.qname().to_vec(),
        kind: question.qtype(),
    })
}

/// Answers a question that [`question`] read out of this query.
pub(super) fn answer(zone: &Zone, query: &[u8], asked: &Question, transport: Transport) -> Step {
    let Ok(message) = Message::from_slice(query) else {
        return Step::Ignore;
    };
    let mut cut_off = false;
    match zone.trouble(&asked.name) {
        Some(DnsTrouble::Drop) => return Step::Ignore,
        Some(DnsTrouble::Hold) => return Step::Hold,
        Some(DnsTrouble::Refused) => return Step::without_records(error(message, Rcode::REFUSED)),
        Some(DnsTrouble::ServFail) => {
            return Step::without_records(error(message, Rcode::SERVFAIL));
        }
        Some(DnsTrouble::Garbage(bytes)) => {
            let id = message.header().id().to_be_bytes();
            return Step::without_records([&id, bytes.as_slice()].concat());
        }
        Some(DnsTrouble::Truncate) => cut_off = transport == Transport::Udp,
        None => {}
    }
    let found = zone.find(&asked.name, asked.kind);
    let whole = if cut_off {
        None
    } else {
        whole(message, &found, transport).ok()
    };
    match whole {
        Some(answer) => Step::Send {
            answer,
            records: found.records.len(),
        },
        None => Step::without_records(truncated(message, found.code)),
    }
}

type Builder = AnswerBuilder<TreeCompressor<Vec<u8>>>;

/// Begins an answer with the question, or with as many as fit where there are more.
fn start(message: &Message<[u8]>, code: Rcode) -> Builder {
    let builder = MessageBuilder::from_target(TreeCompressor::new(Vec::new()));
    // Memory is taken for granted, and nothing else can fail.
    let mut builder = builder.unwrap_or_else(|never| match never {});
    builder.set_push_limit(PLAIN_UDP.into());
    let mut builder = builder.start_error(message, code);
    let header = builder.header_mut();
    header.set_rcode(code);
    header.set_aa(true);
    header.set_ra(true);
    builder
}

/// The whole answer, if it fits.
fn whole(
    message: &Message<[u8]>,
    found: &Found,
    transport: Transport,
) -> Result<Vec<u8>, PushError> {
    let mut builder = start(message, found.code);
    builder.set_push_limit(match (transport, message.opt()) {
        (Transport::Tcp, _) => usize::from(u16::MAX),
        (Transport::Udp, None) => PLAIN_UDP.into(),
        (Transport::Udp, Some(opt)) => opt.udp_payload_size().clamp(PLAIN_UDP, MAX_UDP).into(),
    });
    for (name, data) in &found.records {
        builder.push((name, Class::IN, Ttl::ZERO, data))?;
    }
    let mut builder = builder.authority();
    if let Some((name, data)) = &found.denied_by {
        builder.push((name, Class::IN, Ttl::ZERO, data))?;
    }
    finish(message, builder.additional())
}

/// An answer that says that it is cut off ([RFC 2181, section 9]).
///
/// [RFC 2181, section 9]: https://www.rfc-editor.org/rfc/rfc2181#section-9
fn truncated(message: &Message<[u8]>, code: Rcode) -> Vec<u8> {
    let mut builder = start(message, code);
    builder.header_mut().set_tc(true);
    finish(message, builder.additional()).unwrap_or_default()
}

fn error(message: &Message<[u8]>, code: Rcode) -> Vec<u8> {
    finish(message, start(message, code).additional()).unwrap_or_default()
}

type Additional = domain::base::message_builder::AdditionalBuilder<TreeCompressor<Vec<u8>>>;

/// Whoever speaks EDNS is answered in EDNS ([RFC 6891, section 6.1.1]).
///
/// [RFC 6891, section 6.1.1]: https://www.rfc-editor.org/rfc/rfc6891#section-6.1.1
fn finish(message: &Message<[u8]>, mut builder: Additional) -> Result<Vec<u8>, PushError> {
    if message.opt().is_some() {
        builder.opt(|opt| {
            opt.set_udp_payload_size(MAX_UDP);
            Ok(())
        })?;
    }
    Ok(builder.finish().into_target())
}

/// The answer to a version of EDNS that there is not yet ([RFC 6891, section 6.1.3]).
///
/// [RFC 6891, section 6.1.3]: https://www.rfc-editor.org/rfc/rfc6891#section-6.1.3
fn bad_version(message: &Message<[u8]>) -> Vec<u8> {
    let mut builder = start(message, Rcode::NOERROR).additional();
    let pushed = builder.opt(|opt| {
        opt.set_rcode(OptRcode::BADVERS);
        opt.set_udp_payload_size(MAX_UDP);
        Ok(())
    });
    match pushed {
        Ok(()) => builder.finish().into_target(),
        Err(_) => error(message, Rcode::SERVFAIL),
    }
}

#[cfg(test)]
mod tests;
