//! What an answer says ([RFC 1035, section 4.1]).
//!
//! [RFC 1035, section 4.1]: https://www.rfc-editor.org/rfc/rfc1035#section-4.1

use std::net::IpAddr;

use domain::{
    base::{
        Message, Rtype,
        iana::{Class, Rcode},
        message::RecordSection,
        name::ToName,
        wire::ParseError,
    },
    rdata::{A, Aaaa, Caa, Cname, Txt},
};

use super::Name;

/// A record of one of the types that the CA asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ca::validation) enum Record {
    Address(IpAddr),
    Caa(CaaProperty),
    /// The strings of a TXT record, with nothing in between.
    Text(Vec<u8>),
}

/// A CAA record ([RFC 8659, section 4.1](https://www.rfc-editor.org/rfc/rfc8659#section-4.1)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ca::validation) struct CaaProperty {
    pub(in crate::ca::validation) flags: u8,
    pub(in crate::ca::validation) tag: String,
    pub(in crate::ca::validation) value: Vec<u8>,
}

/// An answer to our question.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) code: Rcode,
    pub(super) truncated: bool,
    records: Vec<(Name, Record)>,
    aliases: Vec<(Name, Name)>,
}

/// Why bytes are no answer to our question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// They are one, but cannot be read.
    Malformed,
    /// They have nothing to do with it.
    Stray,
}

impl Reply {
    /// Reads an answer, if it is one to this question.
    pub(super) fn read(bytes: &[u8], id: u16, name: &Name, kind: Rtype) -> Result<Self, Unfit> {
        let message = Message::from_slice(bytes).map_err(|_| Unfit::Stray)?;
        let header = message.header();
        if header.id() != id {
            return Err(Unfit::Stray);
        }
        if !header.qr() {
            return Err(Unfit::Malformed);
        }
        let mut reply = Self {
            code: header.rcode(),
            truncated: header.tc(),
            records: Vec::new(),
            aliases: Vec::new(),
        };
        // Who says that he could not read the question need not repeat it.
        if message.header_counts().qdcount() == 0 && reply.code != Rcode::NOERROR {
            return Ok(reply);
        }
        let question = message.sole_question().map_err(|_| Unfit::Malformed)?;
        let same =
            question.qname() == name && question.qtype() == kind && question.qclass() == Class::IN;
        if !same {
            return Err(Unfit::Stray);
        }
        if !reply.truncated && reply.code == Rcode::NOERROR {
            let section = message.answer().map_err(|_| Unfit::Malformed)?;
            reply.fill(section, kind).map_err(|_| Unfit::Malformed)?;
        }
        Ok(reply)
    }

    fn fill(&mut self, section: RecordSection<'_, [u8]>, kind: Rtype) -> Result<(), ParseError> {
        for record in section {
            let record = record?;
            if record.class() != Class::IN {
                continue;
            }
            let owner = record.owner().to_vec();
            let found = match record.rtype() {
                Rtype::CNAME if kind != Rtype::CNAME => {
                    if let Some(alias) = record.to_record::<Cname<_>>()? {
                        self.aliases.push((owner, alias.data().cname().to_vec()));
                    }
                    continue;
                }
                other if other != kind => continue,
                Rtype::A => record
                    .to_record::<A>()?
                    .map(|it| Record::Address(it.data().addr().into())),
                Rtype::AAAA => record
                    .to_record::<Aaaa>()?
                    .map(|it| Record::Address(it.data().addr().into())),
                Rtype::CAA => record.to_record::<Caa<_>>()?.map(|it| {
                    Record::Caa(CaaProperty {
                        flags: it.data().flags().bits(),
                        tag: it.data().tag().to_string(),
                        value: it.data().value().to_vec(),
                    })
                }),
                Rtype::TXT => record
                    .to_record::<Txt<_>>()?
                    .map(|it| Record::Text(it.data().text())),
                _ => None,
            };
            self.records.extend(found.map(|it| (owner, it)));
        }
        Ok(())
    }

    /// Takes out the records of a name.
    pub(super) fn take(&mut self, name: &Name) -> Vec<Record> {
        let taken = self.records.extract_if(.., |(owner, _)| owner == name);
        taken.map(|(_, record)| record).collect()
    }

    /// What a name is an alias of.
    pub(super) fn alias(&self, name: &Name) -> Option<Name> {
        self.aliases
            .iter()
            .find(|(owner, _)| owner == name)
            .map(|(_, target)| target.clone())
    }
}

#[cfg(test)]
mod tests;
