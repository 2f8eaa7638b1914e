//! certbot: its own web server on the port where http-01 knocks.

use std::path::PathBuf;
use std::process::Command;

use super::client::{Attempt, Beside, Client};
use super::operation::{Certificate, Challenge, Key, Operation};
use super::site::Site;

#[derive(Debug)]
pub(super) struct Certbot;

impl Client for Certbot {
    fn name(&self) -> &'static str {
        "certbot"
    }

    fn prepare(&self, _: &Site) -> Result<Beside, String> {
        Ok(Beside::Nothing)
    }

    fn attempt(&self, operation: Operation, site: &Site) -> Attempt {
        let mut command = site.command("certbot");
        command
            .env("REQUESTS_CA_BUNDLE", &site.authority.https_root)
            .args(["--non-interactive", "--server", &site.authority.directory])
            .args(["--config-dir", "config", "--work-dir", "work"])
            .args(["--logs-dir", "logs"])
            .args(["--http-01-port", &site.http_port.to_string()]);
        match operation {
            Operation::Register | Operation::RegisterUnbound => register(&mut command),
            Operation::RegisterBound => {
                register(&mut command);
                if let Some((id, key)) = &site.authority.external_account {
                    command.args(["--eab-kid", id, "--eab-hmac-key", key]);
                }
            }
            Operation::Update => {
                command.args(["update_account", "--no-eff-email", "-m", "two@example.test"]);
            }
            Operation::ChangeKey => return Attempt::Cannot("it has no command for it"),
            Operation::Issue(certificate) => {
                if certificate.challenge == Challenge::TlsAlpn01 {
                    return Attempt::Cannot("it does not speak tls-alpn-01");
                }
                if certificate.names.iter().any(|it| is_address(it)) {
                    return Attempt::Cannot("this version takes no addresses");
                }
                issue(&mut command, certificate, site);
            }
            Operation::IssueOtherChain(certificate) => {
                issue(&mut command, certificate, site);
                command.arg("--preferred-chain");
                command.arg(site.authority.other_root().unwrap_or_default());
            }
            Operation::Renew(certificate) => {
                command.args(["renew", "--force-renewal", "--no-random-sleep-on-renew"]);
                command.args(["--cert-name", certificate.names[0]]);
            }
            Operation::Revoke(certificate) | Operation::RevokeAgain(certificate) => {
                command.args(["revoke", "--no-delete-after-revoke"]);
                command.args(["--reason", "superseded"]);
                command.args(["--cert-name", certificate.names[0]]);
            }
            Operation::RevokeByItsKey(certificate) => {
                let live = site.path("config/live").join(certificate.names[0]);
                command.args(["revoke", "--no-delete-after-revoke", "--cert-path"]);
                command.arg(live.join("cert.pem"));
                command.arg("--key-path").arg(live.join("privkey.pem"));
            }
            Operation::Deactivate => {
                command.arg("unregister");
            }
        }
        Attempt::Run(command)
    }

    fn chain(&self, certificate: Certificate, site: &Site) -> PathBuf {
        let live = site.path("config/live").join(certificate.names[0]);
        live.join("fullchain.pem")
    }

    fn known_defect(&self, operation: Operation, output: &str) -> Option<&'static str> {
        // An error of its library refuses to take a traceback, which Python 3.11 gives it.
        (operation.is_refused() && output.contains("AttributeError: can't set attribute")).then_some(
            "certbot 2.1 ends with `AttributeError: can't set attribute` when it is to show a problem document of the CA (RFC 8555, section 6.7) on Python 3.11",
        )
    }
}

fn register(command: &mut Command) {
    command.args(["register", "--agree-tos", "--no-eff-email"]);
    command.args(["-m", "one@example.test"]);
}

fn issue(command: &mut Command, certificate: Certificate, site: &Site) {
    command.arg("certonly");
    match &site.dns {
        Some(dns) => {
            let name = "_acme-challenge.$CERTBOT_DOMAIN.";
            let set = format!("#!/bin/sh\n{}\n", dns.set(name, "$CERTBOT_VALIDATION"));
            let clear = format!("#!/bin/sh\n{}\n", dns.clear(name));
            command.args(["--manual", "--preferred-challenges", "dns"]);
            command
                .arg("--manual-auth-hook")
                .arg(site.script("set", &set));
            command
                .arg("--manual-cleanup-hook")
                .arg(site.script("clear", &clear));
        }
        None => {
            command.arg("--standalone");
        }
    }
    command.arg("--key-type");
    command.arg(match certificate.key {
        Key::P256 => "ecdsa",
        Key::Rsa => "rsa",
    });
    for name in certificate.names {
        command.args(["-d", name]);
    }
}

fn is_address(name: &str) -> bool {
    name.parse::<std::net::IpAddr>().is_ok()
}
