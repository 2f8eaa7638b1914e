//! The records, and what the server finds for a question among them.

use std::collections::{BTreeMap, HashMap};

use domain::{
    base::{RecordData, Rtype, Serial, Ttl, iana::Rcode, name::ToName},
    rdata::{Ns, Soa},
};

use super::{Data, DnsTrouble, Name};

/// The most aliases followed for one question.
const MAX_ALIASES: usize = 16;

/// All records, by name.
#[derive(Debug, Default)]
pub(super) struct Zone {
    records: BTreeMap<Name, Vec<Data>>,
    troubles: HashMap<Name, DnsTrouble>,
}

/// What there is for a question.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) code: Rcode,
    pub(super) records: Vec<(Name, Data)>,
    /// The zone that says that there is nothing, with its SOA record.
    pub(super) denied_by: Option<(Name, Data)>,
}

impl Zone {
    /// Adds a record that is not there yet.
    pub(super) fn add(&mut self, name: Name, data: Data) {
        let records = self.records.entry(name).or_default();
        if !records.contains(&data) {
            records.push(data);
        }
    }

    /// Lets a zone begin at a name, with an SOA and an NS record.
    pub(super) fn begin(&mut self, apex: Name) {
        self.add(apex.clone(), soa(&apex));
        self.add(apex.clone(), Ns::new(server_of(&apex)).into());
    }

    /// Takes a record away and says whether it was there.
    pub(super) fn remove(&mut self, name: &Name, data: &Data) -> bool {
        let Some(records) = self.records.get_mut(name) else {
            return false;
        };
        let before = records.len();
        records.retain(|it| it != data);
        let removed = records.len() < before;
        if records.is_empty() {
            self.records.remove(name);
        }
        removed
    }

    pub(super) fn clear(&mut self, name: &Name) {
        self.records.remove(name);
        self.troubles.remove(name);
    }

    pub(super) fn records(&self, name: &Name) -> &[Data] {
        self.records.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn set_trouble(&mut self, name: Name, trouble: Option<DnsTrouble>) {
        match trouble {
            Some(trouble) => self.troubles.insert(name, trouble),
            None => self.troubles.remove(&name),
        };
    }

    pub(super) fn trouble(&self, name: &Name) -> Option<&DnsTrouble> {
        self.troubles.get(name)
    }

    /// The name that a chain of aliases ends at; where it does not end, a name on its way.
    pub(super) fn canonical(&self, name: &Name) -> Name {
        let mut name = name.clone();
        for _ in 0..MAX_ALIASES {
            match self.alias(&name) {
                Some(target) => name = target.clone(),
                None => break,
            }
        }
        name
    }

    /// Looks a question up as an authoritative server does ([RFC 1034, section 4.3.2]):
    /// aliases are followed inside the zone.
    ///
    /// [RFC 1034, section 4.3.2]: https://www.rfc-editor.org/rfc/rfc1034#section-4.3.2
    pub(super) fn find(&self, name: &Name, kind: Rtype) -> Found {
        let mut found = Found {
            code: Rcode::NOERROR,
            records: Vec::new(),
            denied_by: None,
        };
        let apex = self.apex(name);
        let mut name = name.clone();
        for _ in 0..=MAX_ALIASES {
            let records = self.records(&name);
            let before = found.records.len();
            let fitting = records
                .iter()
                .filter(|it| kind == Rtype::ANY || it.rtype() == kind)
                .map(|it| (name.clone(), it.clone()));
            found.records.extend(fitting);
            if found.records.len() > before {
                return found;
            }
            let Some(target) = self.alias(&name) else {
                if !self.exists(&name) {
                    found.code = Rcode::NXDOMAIN;
                }
                found.denied_by = Some(self.denial(apex));
                return found;
            };
            let target = target.clone();
            let alias = records.iter().find(|it| it.rtype() == Rtype::CNAME);
            found.records.extend(alias.map(|it| (name, it.clone())));
            if self.apex(&target) != apex {
                return found;
            }
            name = target;
        }
        found
    }

    fn alias(&self, name: &Name) -> Option<&Name> {
        self.records(name).iter().find_map(|it| match it {
            Data::Cname(alias) => Some(alias.cname()),
            _ => None,
        })
    }

    /// Whether there is such a name, if only for the sake of one below it
    /// ([RFC 8020](https://www.rfc-editor.org/rfc/rfc8020)).
    fn exists(&self, name: &Name) -> bool {
        // In DNS' order a name comes right before those below it.
        let mut rest = self.records.range::<Name, _>(name..);
        rest.next().is_some_and(|(it, _)| it.ends_with(name))
    }

    /// Where the zone of a name begins; the root where none was said to.
    fn apex(&self, name: &Name) -> Name {
        name.iter_suffixes()
            .map(|it| it.to_vec())
            .find(|it| self.records(it).iter().any(|it| it.rtype() == Rtype::SOA))
            .unwrap_or_else(Name::root_vec)
    }

    fn denial(&self, apex: Name) -> (Name, Data) {
        let soa = self
            .records(&apex)
            .iter()
            .find(|it| it.rtype() == Rtype::SOA)
            .cloned()
            .unwrap_or_else(|| soa(&apex));
        (apex, soa)
    }
}

/// An SOA record by which nothing is remembered for any time.
fn soa(apex: &Name) -> Data {
    Soa::new(
        server_of(apex),
        below("hostmaster", apex),
        Serial(1),
        Ttl::ZERO,
        Ttl::ZERO,
        Ttl::ZERO,
        Ttl::ZERO,
    )
    .into()
}

fn server_of(apex: &Name) -> Name {
    below("ns", apex)
}

/// A name one label below; the name itself where that would be too long.
fn below(label: &str, apex: &Name) -> Name {
    let text = match apex.is_root() {
        true => label.to_owned(),
        false => format!("{label}.{apex}"),
    };
    Name::vec_from_str(&text).unwrap_or_else(|_| apex.clone())
}
