//! The server's handle: where it is, what it answers, what it was asked.

use std::{
    collections::{HashMap, VecDeque},
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::base::Rtype;
use tokio::{sync::watch, task::JoinHandle};

use super::{
    Data, DnsQuery, DnsRecord, DnsResponder, DnsTrouble, InvalidDnsRecord, Name,
    answer::{Question, Transport},
    record,
    server::Sockets,
    zone::Zone,
};

/// How many queries are kept; the oldest go first.
const MAX_QUERIES: usize = 100_000;

/// A DNS server over UDP and TCP on loopback, in this process ([RFC 1035]).
///
/// It answers for every name there is, from records that are set and taken away while it runs:
/// NXDOMAIN where there is no such name, nothing but an SOA record where the name has none of the
/// type, aliases with what they lead to.
/// Nothing of it may be cached: each time to live is zero.
/// `*` is a label like any other: nothing is made up for names below it.
///
/// Dropping the handle stops the server and every task it started.
///
/// ```
/// use acme_testing::{DnsRecord, TestDns};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dns = TestDns::start().await?;
/// dns.add("www.example.com", DnsRecord::Address([127, 0, 0, 1].into()))?;
/// dns.add_txt("_acme-challenge.example.com", "one")?;
/// dns.add_txt("_acme-challenge.example.com", "two")?;
/// dns.remove_txt("_acme-challenge.example.com", "one");
/// assert_eq!(dns.txt("_acme-challenge.example.com"), ["two"]);
///
/// // Ask it at `dns.address()`; a test then looks at what it was asked.
/// assert!(dns.address().ip().is_loopback());
/// assert!(dns.queries().is_empty());
/// dns.shutdown().await;
/// # Ok(())
/// # }
/// ```
///
/// [RFC 1035]: https://www.rfc-editor.org/rfc/rfc1035
pub struct TestDns {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl TestDns {
    /// Starts on a free port of 127.0.0.1, on the running tokio runtime.
    ///
    /// # Errors
    /// - What the system says when there is no port for both UDP and TCP.
    pub async fn start() -> io::Result<Self> {
        Self::listen((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Starts on an address; port 0 is a free one.
    ///
    /// # Errors
    /// - What the system says when the address cannot be listened on over UDP and TCP.
    pub async fn listen(address: SocketAddr) -> io::Result<Self> {
        let sockets = Sockets::bind(address).await?;
        let address = sockets.address()?;
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(sockets.serve(Arc::clone(&shared), stopped));
        Ok(Self {
            address,
            shared,
            stop,
            task,
        })
    }

    /// Where it listens, over UDP and over TCP.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds a record beside those that the name has; adding it again changes nothing.
    ///
    /// # Errors
    /// - [`InvalidDnsRecord::Name`] when the name, or one in the record, is none.
    /// - [`InvalidDnsRecord::Empty`], [`InvalidDnsRecord::Tag`] and [`InvalidDnsRecord::TooLong`]
    ///   when the record cannot be sent.
    pub fn add(&self, name: &str, record: DnsRecord) -> Result<(), InvalidDnsRecord> {
        let (name, data) = (record::name(name)?, record.to_data()?);
        self.shared.change(|zone| zone.add(name, data));
        Ok(())
    }

    /// Adds a TXT record, cut into strings of 255 bytes.
    ///
    /// # Errors
    /// - As [`add`](Self::add).
    pub fn add_txt(&self, name: &str, value: &str) -> Result<(), InvalidDnsRecord> {
        self.add(name, DnsRecord::txt(value))
    }

    /// Lets a zone begin at a name, with an SOA and an NS record.
    ///
    /// Aliases into another zone are not followed by the server, as by any that is
    /// responsible for the one and not for the other.
    ///
    /// # Errors
    /// - [`InvalidDnsRecord::Name`] when the name is none.
    pub fn add_zone(&self, name: &str) -> Result<(), InvalidDnsRecord> {
        let name = record::name(name)?;
        self.shared.change(|zone| zone.begin(name));
        Ok(())
    }

    /// Takes a record away; whether it was there.
    pub fn remove(&self, name: &str, record: &DnsRecord) -> bool {
        let (Ok(name), Ok(data)) = (record::name(name), record.to_data()) else {
            return false;
        };
        self.shared.change(|zone| zone.remove(&name, &data))
    }

    /// Takes the TXT record with this value away; whether it was there.
    pub fn remove_txt(&self, name: &str, value: &str) -> bool {
        self.remove(name, &DnsRecord::txt(value))
    }

    /// Takes all records and the trouble of a name away.
    pub fn clear(&self, name: &str) {
        if let Ok(name) = record::name(name) {
            self.shared.change(|zone| zone.clear(&name));
        }
    }

    /// The TXT records of a name, each in one piece, in the order they were added.
    #[must_use]
    pub fn txt(&self, name: &str) -> Vec<String> {
        let Ok(name) = record::name(name) else {
            return Vec::new();
        };
        let zone = self.shared.zone();
        let text = |data: &Data| match data {
            Data::Txt(txt) => {
                let text = txt.text::<Vec<u8>>();
                Some(String::from_utf8_lossy(&text).into_owned())
            }
            _ => None,
        };
        zone.records(&name).iter().filter_map(text).collect()
    }

    /// Lets something go wrong with each query for a name, or nothing any more.
    ///
    /// # Errors
    /// - [`InvalidDnsRecord::Name`] when the name is none.
    pub fn set_trouble(
        &self,
        name: &str,
        trouble: impl Into<Option<DnsTrouble>>,
    ) -> Result<(), InvalidDnsRecord> {
        let (name, trouble) = (record::name(name)?, trouble.into());
        self.shared.change(|zone| zone.set_trouble(name, trouble));
        Ok(())
    }

    /// The questions so far, in the order they came.
    ///
    /// What could not be read as a question is not among them; of 100,000 and more the
    /// oldest are forgotten.
    #[must_use]
    pub fn queries(&self) -> Vec<DnsQuery> {
        lock(&self.shared.queries).iter().cloned().collect()
    }

    /// Forgets the questions so far, to count from here.
    pub fn clear_queries(&self) {
        lock(&self.shared.queries).clear();
    }

    /// A responder for dns-01 that puts its values here.
    #[must_use]
    pub fn responder(&self) -> DnsResponder {
        DnsResponder::new(Arc::clone(&self.shared))
    }

    /// Stops the server and waits until its tasks are gone and its port is free.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(());
        // An error says that the task is gone already, which was the aim.
        let _ = (&mut self.task).await;
    }
}

impl Drop for TestDns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for TestDns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDns")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// What the handle, the tasks and the responders share.
///
/// Lock order: no lock is taken while another is held.
#[derive(Debug, Default)]
pub(super) struct Shared {
    zone: Mutex<Zone>,
    queries: Mutex<VecDeque<DnsQuery>>,
    /// How many questions for TXT records of a name were answered with some.
    answers: Mutex<HashMap<Name, u64>>,
    /// Told of each change of the zone and of each answer.
    changed: watch::Sender<()>,
}

impl Shared {
    pub(super) fn zone(&self) -> MutexGuard<'_, Zone> {
        lock(&self.zone)
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Zone) -> T) -> T {
        let outcome = change(&mut self.zone());
        self.changed.send_replace(());
        outcome
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(super) fn asked(&self, asked: &Question, sender: IpAddr, transport: Transport) {
        let mut queries = lock(&self.queries);
        if queries.len() == MAX_QUERIES {
            queries.pop_front();
        }
        let name = match asked.name.is_root() {
            true => ".".to_owned(),
            false => asked.name.to_string(),
        };
        queries.push_back(DnsQuery {
            name,
            record_type: asked.kind.to_string(),
            sender,
            tcp: transport == Transport::Tcp,
        });
    }

    pub(super) fn answered(&self, asked: &Question) {
        if asked.kind != Rtype::TXT {
            return;
        }
        let name = self.zone().canonical(&asked.name);
        *lock(&self.answers).entry(name).or_default() += 1;
        self.changed.send_replace(());
    }

    pub(super) fn answers(&self, name: &Name) -> u64 {
        lock(&self.answers).get(name).copied().unwrap_or_default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
