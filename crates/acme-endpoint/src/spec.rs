//! Endpoint strings: `le:/srv/www/certs:tcp:443`, in Twisted's grammar.

mod tokens;

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use acme_messages::directory_urls;

use tokens::{Argument, escape, split};

/// What an endpoint string says; reading it opens nothing and starts nothing.
///
/// The parts stand between colons: a prefix that names the CA, the certificate
/// directory, and where to listen. A backslash takes the next character as it
/// is: `\:` is a colon inside a part, `\=` an equals sign, `\\` a backslash.
/// A part with a bare `=` is an option by name, wherever it stands; it is not
/// counted among the parts that have their meaning by place.
///
/// | prefix | CA |
/// |---|---|
/// | `le:` | Let's Encrypt |
/// | `lets:` | Let's Encrypt's staging environment |
/// | `acme:` | the one whose directory URL is given beside the string |
///
/// | where | options, in this order or as `name=value` |
/// |---|---|
/// | `tcp:` | `port`, `interface` (an address; all by default), `backlog` (1024 by default) |
///
/// ```
/// use acme_endpoint::{EndpointCa, EndpointSpec, ListenSpec};
///
/// let spec: EndpointSpec = r"lets:/srv/www/certs:tcp:443:interface=\:\:1".parse()?;
/// assert_eq!(spec.ca, EndpointCa::LetsEncryptStaging);
/// assert_eq!(spec.directory.to_str(), Some("/srv/www/certs"));
/// assert_eq!(spec.listen, ListenSpec::tcp(443).interface("::1".parse()?));
/// assert_eq!(spec.to_string().parse(), Ok(spec));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "AutoTLSEndpoint")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointSpec {
    /// The CA to get certificates from.
    pub ca: EndpointCa,
    /// The directory of certificates; it must exist. A `~` is not expanded.
    pub directory: PathBuf,
    /// Where to listen.
    pub listen: ListenSpec,
}

/// The CA that an endpoint string names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointCa {
    /// `le:`
    LetsEncrypt,
    /// `lets:`
    LetsEncryptStaging,
    /// `acme:`, with a directory URL given beside the string.
    Other,
}

impl EndpointCa {
    const ALL: [Self; 3] = [Self::LetsEncrypt, Self::LetsEncryptStaging, Self::Other];

    /// The prefix in an endpoint string, without its colon.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::LetsEncrypt => "le",
            Self::LetsEncryptStaging => "lets",
            Self::Other => "acme",
        }
    }

    /// The directory URL, where the prefix says it.
    #[must_use]
    pub const fn directory_url(self) -> Option<&'static str> {
        match self {
            Self::LetsEncrypt => Some(directory_urls::LETS_ENCRYPT),
            Self::LetsEncryptStaging => Some(directory_urls::LETS_ENCRYPT_STAGING),
            Self::Other => None,
        }
    }
}

/// Where an endpoint listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenSpec {
    /// `tcp:`
    Tcp {
        /// The port; 0 lets the system choose.
        port: u16,
        /// The address to listen on; all of them, IPv4 and IPv6, by default.
        interface: Option<IpAddr>,
        /// How many connections may wait to be accepted.
        backlog: u16,
    },
}

impl ListenSpec {
    /// How many connections may wait to be accepted, where the string names no number.
    pub const DEFAULT_BACKLOG: u16 = 1024;

    /// All addresses, this port.
    #[must_use]
    pub const fn tcp(port: u16) -> Self {
        Self::Tcp {
            port,
            interface: None,
            backlog: Self::DEFAULT_BACKLOG,
        }
    }

    /// This address only.
    #[must_use]
    pub const fn interface(self, address: IpAddr) -> Self {
        match self {
            Self::Tcp { port, backlog, .. } => Self::Tcp {
                port,
                interface: Some(address),
                backlog,
            },
        }
    }
}

impl FromStr for EndpointSpec {
    type Err = EndpointSpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut places, mut options) = (Vec::new(), Vec::new());
        for argument in split(text)? {
            match argument {
                Argument::Positional(value) => places.push(value),
                Argument::Keyword(name, value) => options.push((name, value)),
            }
        }
        let mut places = places.into_iter();
        let prefix = places.next().unwrap_or_else(|| text.to_owned());
        let ca = EndpointCa::ALL
            .into_iter()
            .find(|it| it.prefix() == prefix)
            .ok_or(EndpointSpecError::UnknownPrefix(prefix))?;
        // Said first: a path with a bare `=` looks like an option, and what
        // follows it would be taken for the directory.
        if let Some((name, _)) = options.iter().find(|(name, _)| option(name).is_none()) {
            return Err(EndpointSpecError::UnknownOption(name.clone()));
        }
        let directory = places
            .next()
            .filter(|it| !it.is_empty())
            .ok_or(EndpointSpecError::DirectoryMissing)?;
        let listen = match places.next().as_deref() {
            Some("tcp") => parse_tcp(places, options)?,
            None | Some("") => return Err(EndpointSpecError::ListenerMissing),
            Some(kind) => return Err(EndpointSpecError::UnknownListener(kind.to_owned())),
        };
        Ok(Self {
            ca,
            directory: directory.into(),
            listen,
        })
    }
}

/// The options of `tcp:`, in the order in which they may stand without their names.
const TCP_OPTIONS: [&str; 3] = ["port", "interface", "backlog"];

/// Where an option stands among those of `tcp:`.
fn option(name: &str) -> Option<usize> {
    TCP_OPTIONS.iter().position(|known| *known == name)
}

fn parse_tcp(
    places: impl Iterator<Item = String>,
    options: Vec<(String, String)>,
) -> Result<ListenSpec, EndpointSpecError> {
    let mut values: [Option<String>; TCP_OPTIONS.len()] = Default::default();
    for (place, value) in places.enumerate() {
        match values.get_mut(place) {
            Some(slot) => *slot = Some(value),
            None => return Err(EndpointSpecError::UnknownOption(value)),
        }
    }
    for (name, value) in options {
        let place = option(&name).ok_or(EndpointSpecError::UnknownOption(name))?;
        if values[place].replace(value).is_some() {
            return Err(EndpointSpecError::Repeated(TCP_OPTIONS[place]));
        }
    }
    let [port, interface, backlog] = values;
    let bad = |option| move |value: String| EndpointSpecError::BadValue { option, value };
    let number = |option, text: String| text.parse::<u16>().map_err(|_| bad(option)(text));
    Ok(ListenSpec::Tcp {
        port: match port {
            Some(text) => number("port", text)?,
            None => return Err(EndpointSpecError::PortMissing),
        },
        interface: match interface.filter(|it| !it.is_empty()) {
            Some(text) => Some(text.parse().map_err(|_| bad("interface")(text))?),
            None => None,
        },
        backlog: match backlog {
            Some(text) => number("backlog", text)?,
            None => ListenSpec::DEFAULT_BACKLOG,
        },
    })
}

impl fmt::Display for EndpointSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.directory.to_string_lossy();
        write!(
            f,
            "{}:{}:{}",
            self.ca.prefix(),
            escape(&directory),
            self.listen
        )
    }
}

impl fmt::Display for ListenSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Tcp {
            port,
            interface,
            backlog,
        } = self;
        write!(f, "tcp:{port}")?;
        if let Some(address) = interface {
            write!(f, ":interface={}", escape(&address.to_string()))?;
        }
        if *backlog != Self::DEFAULT_BACKLOG {
            write!(f, ":backlog={backlog}")?;
        }
        Ok(())
    }
}

/// An endpoint string says something that cannot be; the message names the part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointSpecError {
    /// An option's value cannot be read.
    #[error(
        "{value:?} is no {option} (a port or a backlog is a number up to 65535, an interface an address)"
    )]
    BadValue {
        /// The option's name.
        option: &'static str,
        /// What stands there.
        value: String,
    },
    /// The certificate directory is missing.
    #[error("the certificate directory is missing after the prefix (for example le:/srv/certs)")]
    DirectoryMissing,
    /// The string says not where to listen.
    #[error("where to listen is missing after the directory (for example :tcp:443)")]
    ListenerMissing,
    /// `tcp:` names no port.
    #[error("the port is missing after tcp (for example tcp:443)")]
    PortMissing,
    /// An option stands twice.
    #[error("{0} is given twice")]
    Repeated(&'static str),
    /// The string ends with a backslash.
    #[error("the string ends with a backslash that escapes nothing")]
    TrailingBackslash,
    /// The kind of listener is unknown.
    #[error("{0:?} is no way to listen (tcp is)")]
    UnknownListener(String),
    /// An option is unknown.
    #[error(
        "{0:?} is no option of tcp (port, interface and backlog are; write \\= for = in a path)"
    )]
    UnknownOption(String),
    /// The prefix is unknown.
    #[error("{0:?} is no endpoint prefix (le, lets and acme are)")]
    UnknownPrefix(String),
}
