//! A DNS server on loopback, whose records a test sets.

mod answer;
mod handle;
mod query;
mod record;
mod responder;
mod server;
mod trouble;
mod zone;

pub use handle::TestDns;
pub use query::DnsQuery;
pub use record::{DnsRecord, InvalidDnsRecord};
pub use responder::DnsResponder;
pub use trouble::DnsTrouble;

/// A name of any labels, as DNS has them; compared without regard to case.
type Name = domain::base::Name<Vec<u8>>;

/// What a record holds.
type Data = domain::rdata::ZoneRecordData<Vec<u8>, Name>;
