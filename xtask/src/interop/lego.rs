//! lego: its own servers on the ports where http-01 and tls-alpn-01 knock.

use std::path::PathBuf;
use std::process::Command;

use super::client::{Attempt, Beside, Client};
use super::operation::{Certificate, Challenge, Key, Operation};
use super::site::Site;

/// Sooner than any certificate ends.
const ALWAYS: &str = "36500";

/// What is asked for where nothing is to come of it.
const NEVER: Certificate = Certificate::new(&["never.example.test"], Challenge::Http01, Key::P256);

/// Its provider that calls a program: with `present` or `cleanup`, the name and the value.
fn by_dns(command: &mut Command, site: &Site) {
    let Some(dns) = &site.dns else { return };
    let script = format!(
        "#!/bin/sh\ncase $1 in\npresent) {} ;;\ncleanup) {} ;;\nesac\n",
        dns.set("$2", "$3"),
        dns.clear("$2")
    );
    command
        .env("EXEC_PATH", site.script("provider", &script))
        .env("EXEC_PROPAGATION_TIMEOUT", "10")
        .env("EXEC_POLLING_INTERVAL", "1")
        .env("EXEC_SEQUENCE_INTERVAL", "1")
        .args(["--dns", "exec", "--dns.disable-cp"])
        .args(["--dns.resolvers", &dns.address]);
}

#[derive(Debug)]
pub(super) struct Lego;

impl Client for Lego {
    fn name(&self) -> &'static str {
        "lego"
    }

    fn prepare(&self, _: &Site) -> Result<Beside, String> {
        Ok(Beside::Nothing)
    }

    fn attempt(&self, operation: Operation, site: &Site) -> Attempt {
        let mut command = site.command("lego");
        command
            .env("LEGO_CA_CERTIFICATES", &site.authority.https_root)
            .args(["--server", &site.authority.directory, "--path", "lego"])
            .args(["--accept-tos", "--email", "one@example.test"]);
        let mut about = |certificate: Certificate| {
            for name in certificate.names {
                command.args(["--domains", name]);
            }
            match certificate.challenge {
                Challenge::Dns01 => by_dns(&mut command, site),
                Challenge::Http01 => {
                    command.args(["--http", "--http.port"]);
                    command.arg(format!("127.0.0.1:{}", site.http_port));
                }
                Challenge::TlsAlpn01 => {
                    command.args(["--tls", "--tls.port"]);
                    command.arg(format!("127.0.0.1:{}", site.tls_port));
                }
            }
            command.args([
                "--key-type",
                match certificate.key {
                    Key::P256 => "ec256",
                    Key::Rsa => "rsa2048",
                },
            ]);
        };
        match operation {
            Operation::Register | Operation::RegisterBound => {
                return Attempt::Cannot("`lego run` registers when it issues");
            }
            Operation::RegisterUnbound => {
                about(NEVER);
                command.arg("run");
            }
            Operation::Issue(certificate) => {
                about(certificate);
                if let Some((id, key)) = &site.authority.external_account {
                    command.args(["--eab", "--kid", id, "--hmac", key]);
                }
                command.arg("run");
            }
            Operation::IssueOtherChain(certificate) => {
                about(certificate);
                command.args(["run", "--preferred-chain"]);
                command.arg(site.authority.other_root().unwrap_or_default());
            }
            Operation::Renew(certificate) => {
                about(certificate);
                command.args(["renew", "--no-random-sleep", "--days", ALWAYS]);
            }
            Operation::Revoke(certificate) | Operation::RevokeAgain(certificate) => {
                command.args(["--domains", certificate.names[0]]);
                command.args(["revoke", "--keep", "--reason", "4"]);
            }
            Operation::RevokeByItsKey(_) => return Attempt::Cannot("it revokes by account only"),
            Operation::ChangeKey | Operation::Deactivate | Operation::Update => {
                return Attempt::Cannot("it has no command for it");
            }
        }
        Attempt::Run(command)
    }

    fn chain(&self, certificate: Certificate, site: &Site) -> PathBuf {
        let name = certificate.names[0].replace('*', "_");
        site.path("lego/certificates").join(format!("{name}.crt"))
    }

    fn known_defect(&self, _: Operation, output: &str) -> Option<&'static str> {
        let refused = output.contains("rejectedIdentifier :: \"127.0.0.1\"");
        refused.then_some(
            "lego 4.9 orders an address as an identifier of type `dns`, not `ip` (RFC 8738, section 3)",
        )
    }
}
