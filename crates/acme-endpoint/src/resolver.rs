//! The certificates that handshakes get: an immutable snapshot, swapped whole.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use acme_messages::ServerName;
use acme_store::CertificateBundle;
use arc_swap::ArcSwap;
use rustls::{
    crypto::CryptoProvider,
    pki_types::PrivatePkcs8KeyDer,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// Picks a certificate for a handshake: by exact name, then by wildcard, then the
/// default if there is one.
///
/// A look-up takes no lock, allocates nothing and waits for nothing, whatever the
/// store is doing. Use it bare wherever rustls takes a [`ResolvesServerCert`];
/// it clones cheaply and clones share their certificates.
#[derive(Clone, Debug, Default)]
pub struct CertificateResolver(Arc<ArcSwap<Snapshot>>);

#[derive(Clone, Debug, Default)]
struct Snapshot {
    exact: HashMap<Box<str>, Arc<CertifiedKey>>,
    /// By the name without its `*.`.
    wildcard: HashMap<Box<str>, Arc<CertifiedKey>>,
    address: HashMap<IpAddr, Arc<CertifiedKey>>,
    default: Option<Arc<CertifiedKey>>,
}

impl Snapshot {
    fn get(&self, sni: Option<&str>) -> Option<&Arc<CertifiedKey>> {
        let found = sni.and_then(|sni| {
            let name = sni.strip_suffix('.').unwrap_or(sni);
            self.exact.get(name).or_else(|| {
                let (label, parent) = name.split_once('.')?;
                self.wildcard.get(parent).filter(|_| !label.is_empty())
            })
        });
        found.or(self.default.as_ref())
    }
}

impl CertificateResolver {
    /// A resolver without certificates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a client that asks for this name or address would get a certificate;
    /// `None` is a client that names no server.
    #[must_use]
    pub fn has(&self, sni: Option<&str>) -> bool {
        if let Some(address) = sni.and_then(|it| it.parse().ok())
            && self.for_address(address).is_some()
        {
            return true;
        }
        self.has_lower_case(sni.map(str::to_ascii_lowercase).as_deref())
    }

    /// The same for what rustls hands over, on the handshake's path.
    pub(crate) fn has_lower_case(&self, sni: Option<&str>) -> bool {
        self.0.load().get(sni).is_some()
    }

    /// What a client that asks for this name, in lower case, would get.
    pub(crate) fn get(&self, sni: Option<&str>) -> Option<Arc<CertifiedKey>> {
        self.0.load().get(sni).cloned()
    }

    /// What a client gets that connected to this address and named no server, as
    /// clients that were given an address do ([RFC 6066, section 3]).
    ///
    /// [RFC 6066, section 3]: https://www.rfc-editor.org/rfc/rfc6066#section-3
    pub(crate) fn for_address(&self, address: IpAddr) -> Option<Arc<CertifiedKey>> {
        let snapshot = self.0.load();
        snapshot.address.get(&address.to_canonical()).cloned()
    }

    /// How many names have a certificate.
    #[must_use]
    pub fn len(&self) -> usize {
        let snapshot = self.0.load();
        snapshot.exact.len() + snapshot.wildcard.len() + snapshot.address.len()
    }

    /// Whether no name has a certificate.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Serves these names with these certificates from the next handshake on; `None`
    /// takes a name out. Connections that exist are not touched.
    ///
    /// One call swaps the snapshot once: give it many names rather than calling often.
    pub fn update(
        &self,
        changes: impl IntoIterator<Item = (ServerName, Option<Arc<CertifiedKey>>)>,
    ) {
        let changes: Vec<_> = changes.into_iter().collect();
        self.0.rcu(|current| {
            let mut next = Snapshot::clone(current);
            for (name, key) in &changes {
                match name {
                    ServerName::Dns(name) if name.is_wildcard() => {
                        change(&mut next.wildcard, name.base().into(), key);
                    }
                    ServerName::Dns(name) => change(&mut next.exact, name.as_str().into(), key),
                    ServerName::Ip(address) => {
                        change(&mut next.address, address.to_canonical(), key);
                    }
                }
            }
            next
        });
    }

    /// Serves clients that name no server, or none that is here, with this certificate.
    pub fn set_default(&self, key: Option<Arc<CertifiedKey>>) {
        self.0.rcu(|current| Snapshot {
            default: key.clone(),
            ..Snapshot::clone(current)
        });
    }
}

fn change<K: Eq + std::hash::Hash>(
    map: &mut HashMap<K, Arc<CertifiedKey>>,
    name: K,
    key: &Option<Arc<CertifiedKey>>,
) {
    match key {
        Some(key) => map.insert(name, key.clone()),
        None => map.remove(&name),
    };
}

impl ResolvesServerCert for CertificateResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.get(hello.server_name())
    }
}

/// Parses a bundle for rustls, which is too slow for a handshake and done before.
///
/// # Errors
/// - [`rustls::Error`] when the provider cannot use the key, or the leaf holds another.
pub fn certified_key(
    bundle: &CertificateBundle,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, rustls::Error> {
    let der = bundle
        .key()
        .to_pkcs8_der()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    CertifiedKey::from_der(
        bundle.chain().as_der().to_vec(),
        PrivatePkcs8KeyDer::from(der.to_vec()).into(),
        provider,
    )
}
