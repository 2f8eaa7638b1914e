//! Where a client works: its folder, the CA it speaks with, and where the CA knocks.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use super::Programs;
use super::authority::Authority;
use super::dns::DnsServer;

/// Variables that would send a client elsewhere.
const PROXIES: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

/// One client with one CA, in a folder that began empty.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) folder: PathBuf,
    pub(super) authority: Authority,
    pub(super) http_port: u16,
    pub(super) tls_port: u16,
    /// Where dns-01 is looked up, in a scenario about that.
    pub(super) dns: Option<DnsServer>,
}

impl Site {
    /// Empties the folder and starts a CA that knocks on ports which are free now.
    pub(super) fn new(
        programs: &Programs,
        folder: &Path,
        arguments: &[&str],
        with_dns: bool,
    ) -> Result<Self, String> {
        let io = |error: io::Error| format!("{}: {error}", folder.display());
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => fs::create_dir_all(folder).map_err(io)?,
        }
        let [http_port, tls_port, dns_ports @ ..] = free_ports().map_err(io)?;
        let mut arguments = arguments.to_vec();
        let dns = match with_dns {
            true => Some(DnsServer::start(&programs.challtestsrv, folder, dns_ports)?),
            false => None,
        };
        if let Some(dns) = &dns {
            arguments.extend(["--resolver", &dns.address]);
        }
        let authority = Authority::start(&programs.acme, folder, http_port, tls_port, &arguments)?;
        Ok(Self {
            folder: folder.to_owned(),
            authority,
            http_port,
            tls_port,
            dns,
        })
    }

    /// A path in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A program that is to run here, as if nothing was set on this machine.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env("HOME", &self.folder);
        for name in PROXIES {
            command.env_remove(name);
        }
        command
    }

    /// Writes a script that a client is to call.
    pub(super) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        // A script that is not there fails the operation, and the log says why.
        let _ = fs::write(&path, text);
        make_executable(&path);
        path
    }
}

#[cfg(unix)]
fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o755));
}

#[cfg(not(unix))]
fn make_executable(_: &Path) {}

/// Ports below those that the system gives to outgoing connections, so that none of these takes
/// one before the client does.
fn free_ports() -> io::Result<[u16; 4]> {
    let start = 12_000 + u16::try_from(process::id() % 9_000).unwrap_or(0);
    let mut free =
        (start..32_000).filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    let ports: Vec<_> = free.by_ref().take(4).collect();
    ports
        .try_into()
        .map_err(|_| io::Error::other("no port of 127.0.0.1 is free"))
}
