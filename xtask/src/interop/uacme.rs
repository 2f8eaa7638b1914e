//! uacme: a hook lays down the answers, a web server of ours and its own `ualpn` serve them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::client::{Attempt, Beside, Client};
use super::operation::{Certificate, Challenge, Key, Operation};
use super::process::Background;
use super::site::Site;
use super::web::WebServer;
use crate::command::run_within;

/// Where Debian's build finds the roots it trusts; nothing on its command line changes that.
const TRUSTED: &str = "/etc/ssl/certs";

/// How long finding out what is allowed here may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Puts our folder over that place, for this one program alone, and runs the program.
const WITH_OUR_ROOT: &str = "mount --bind \"$0\" /etc/ssl/certs && exec \"$@\"";

#[derive(Debug)]
pub(super) struct Uacme;

impl Client for Uacme {
    fn name(&self) -> &'static str {
        "uacme"
    }

    fn prepare(&self, site: &Site) -> Result<Beside, String> {
        let answers = site.path("answers");
        fs::create_dir_all(&answers).map_err(|error| error.to_string())?;
        let mut ualpn = site.command("ualpn");
        ualpn
            .args(["--sock", "ualpn.sock", "--pidfile", "ualpn.pid"])
            .args(["--logfile", "ualpn.log", "--num-workers", "1", "-vv"])
            .args(["--bind", &format!("127.0.0.1@{}", site.tls_port)])
            // It must have one, though nobody is to be sent there.
            .args(["--connect", &format!("127.0.0.1@{}", site.http_port)])
            .stdin(Stdio::null());
        Ok(Beside::Servers {
            _web: WebServer::start(site.http_port, answers)?,
            _process: Background::start(&mut ualpn)?,
        })
    }

    fn attempt(&self, operation: Operation, site: &Site) -> Attempt {
        if !may_set_trust(site) {
            return Attempt::Cannot(
                "it trusts what lies in /etc/ssl/certs alone, and `unshare` may not change that here",
            );
        }
        let mut command = site.command("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c", WITH_OUR_ROOT])
            .arg(site.path("trusted"))
            .args(["uacme", "--verbose", "--yes", "--confdir", "uacme"])
            .args(["--acme-url", &site.authority.directory]);
        match operation {
            Operation::Register | Operation::RegisterUnbound => {
                command.args(["new", "one@example.test"]);
            }
            Operation::RegisterBound => {
                if let Some((id, key)) = &site.authority.external_account {
                    command.args(["--eab", &format!("{id}:{key}")]);
                }
                command.args(["new", "one@example.test"]);
            }
            Operation::Update => {
                command.args(["update", "two@example.test"]);
            }
            Operation::ChangeKey => {
                command.arg("newkey");
            }
            Operation::Issue(certificate) => issue(&mut command, certificate, site),
            Operation::IssueOtherChain(certificate) => {
                command.args(["--alternate", "1"]);
                issue(&mut command, certificate, site);
            }
            Operation::Renew(certificate) => {
                command.arg("--force");
                issue(&mut command, certificate, site);
            }
            Operation::Revoke(certificate) => {
                command.args(["--reason", "4", "revoke"]);
                command.arg(self.chain(certificate, site));
            }
            Operation::RevokeAgain(certificate) => {
                command.arg("revoke").arg(revoked(certificate, site));
            }
            Operation::RevokeByItsKey(certificate) => {
                let key = site.path("uacme/private").join(certificate.names[0]);
                command.arg("revoke").arg(self.chain(certificate, site));
                command.arg(key.join("key.pem"));
            }
            Operation::Deactivate => {
                command.arg("deactivate");
            }
        }
        Attempt::Run(command)
    }

    fn chain(&self, certificate: Certificate, site: &Site) -> PathBuf {
        let folder = site.path("uacme").join(certificate.names[0]);
        folder.join("cert.pem")
    }

    fn known_defect(&self, _: Operation, output: &str) -> Option<&'static str> {
        output.contains("uacme: failed to parse challenge").then_some(
            "uacme 1.7 stops at a challenge without a token, though of a type that it does not know (RFC 8555, section 8: the members depend on the type)",
        )
    }
}

fn issue(command: &mut Command, certificate: Certificate, site: &Site) {
    let hook = match certificate.challenge {
        Challenge::Dns01 => by_dns(site),
        // `$4` is the token and `$5` the answer.
        Challenge::Http01 => format!(
            "#!/bin/sh\n[ \"$2\" = http-01 ] || exit 1\ncase $1 in\n\
             begin) printf %s \"$5\" > '{answers}/'\"$4\" ;;\n\
             *) rm -f '{answers}/'\"$4\" ;;\nesac\n",
            answers = site.path("answers").display()
        ),
        Challenge::TlsAlpn01 => format!(
            "#!/bin/sh\n[ \"$2\" = tls-alpn-01 ] || exit 1\ncase $1 in\n\
             begin) said=\"auth $3 $5\" ;;\n*) said=\"unauth $3\" ;;\nesac\n\
             [ \"$(echo \"$said\" | ualpn --sock '{socket}')\" = OK ]\n",
            socket = site.path("ualpn.sock").display()
        ),
    };
    let name = format!("hook-{}", certificate.challenge.as_str());
    command.args([
        "--type",
        match certificate.key {
            Key::P256 => "EC",
            Key::Rsa => "RSA",
        },
    ]);
    command.arg("--hook").arg(site.script(&name, &hook));
    command.arg("issue").args(certificate.names);
}

/// A hook for dns-01: `$3` is the name and `$5` the value.
fn by_dns(site: &Site) -> String {
    let Some(dns) = &site.dns else {
        return String::new();
    };
    let name = "_acme-challenge.$3.";
    format!(
        "#!/bin/sh\n[ \"$2\" = dns-01 ] || exit 1\ncase $1 in\nbegin) {} ;;\n*) {} ;;\nesac\n",
        dns.set(name, "$5"),
        dns.clear(name)
    )
}

/// Where it puts a certificate that it has revoked.
fn revoked(certificate: Certificate, site: &Site) -> PathBuf {
    let folder = site.path("uacme").join(certificate.names[0]);
    let files = fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut files = files.map(|it| it.path());
    let found = files.find(|it| {
        it.file_name()
            .is_some_and(|it| it.to_string_lossy().starts_with("revoked-"))
    });
    found.unwrap_or_else(|| folder.join("revoked.pem"))
}

fn may_set_trust(site: &Site) -> bool {
    let mut command = site.command("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c", WITH_OUR_ROOT])
        .arg(site.path("trusted"))
        .args(["test", "-d", TRUSTED]);
    run_within(ANSWERS_WITHIN, &mut command).succeeded()
}
