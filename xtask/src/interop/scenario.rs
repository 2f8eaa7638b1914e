//! What is asked of each client, of which CA, and how the answer is judged.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::Programs;
use super::client::{Attempt, Client};
use super::openssl;
use super::operation::{Certificate, Challenge, Key, Operation};
use super::process::run_logged;
use super::site::Site;
use super::table::Verdict;

/// How long one operation of a client may take; some wait five seconds between two looks.
const LIMIT: Duration = Duration::from_secs(120);

const TWO_NAMES: Certificate = Certificate::new(
    &["a.example.test", "b.example.test"],
    Challenge::Http01,
    Key::P256,
);
const RSA: Certificate = Certificate::new(&["rsa.example.test"], Challenge::Http01, Key::Rsa);
const ADDRESS: Certificate = Certificate::new(&["127.0.0.1"], Challenge::Http01, Key::P256);
const IN_TLS: Certificate =
    Certificate::new(&["tls.example.test"], Challenge::TlsAlpn01, Key::P256);
const WILDCARD: Certificate = Certificate::new(
    &["dns.example.test", "*.dns.example.test"],
    Challenge::Dns01,
    Key::P256,
);
const ONE: Certificate = Certificate::new(&["www.example.test"], Challenge::Http01, Key::P256);

/// A CA, and what is asked of a client there, in order.
#[derive(Debug)]
pub(super) struct Scenario {
    /// Also the name of its folder.
    pub(super) name: &'static str,
    /// How the CA is started.
    arguments: &'static [&'static str],
    /// Whether it looks up records at a DNS server.
    with_dns: bool,
    rows: &'static [Row],
}

/// One row of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) title: &'static str,
    operation: Operation,
    /// What must be in the CA's log, besides what the operation leaves there.
    also: &'static str,
    /// Whether it only makes the next row possible, and is told of when it fails.
    first: bool,
}

const fn row(title: &'static str, operation: Operation) -> Row {
    Row {
        title,
        operation,
        also: "",
        first: false,
    }
}

const fn first(title: &'static str, operation: Operation) -> Row {
    Row {
        first: true,
        ..row(title, operation)
    }
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "plain",
        arguments: &[],
        rows: &[
            row("register", Operation::Register),
            row("change the contact", Operation::Update),
            row("issue, http-01, two names", Operation::Issue(TWO_NAMES)),
            row("renew", Operation::Renew(TWO_NAMES)),
            row("issue, http-01, RSA key", Operation::Issue(RSA)),
            row("issue, http-01, IP address", Operation::Issue(ADDRESS)),
            row("issue, tls-alpn-01", Operation::Issue(IN_TLS)),
            row("revoke", Operation::Revoke(TWO_NAMES)),
            row("revoke again, refused", Operation::RevokeAgain(TWO_NAMES)),
            row(
                "revoke with the certificate's key",
                Operation::RevokeByItsKey(RSA),
            ),
            row("change the account's key", Operation::ChangeKey),
            row("close the account", Operation::Deactivate),
        ],
        with_dns: false,
    },
    Scenario {
        name: "nonces",
        arguments: &["--fault", "bad-nonce=0.2", "--seed", "7"],
        rows: &[
            first("register, 20 % of nonces refused", Operation::Register),
            row("issue, 20 % of nonces refused", Operation::Issue(TWO_NAMES)),
            Row {
                title: "renew, 20 % of nonces refused",
                operation: Operation::Renew(TWO_NAMES),
                // Since the CA started: who was lucky this time was not all the time.
                also: "problem=\"badNonce\"",
                first: false,
            },
        ],
        with_dns: false,
    },
    Scenario {
        name: "slow",
        arguments: &["--processing-polls", "2", "--retry-after", "1s"],
        rows: &[
            first("register at a slow CA", Operation::Register),
            row("issue at a slow CA", Operation::Issue(ONE)),
        ],
        with_dns: false,
    },
    Scenario {
        name: "bound",
        arguments: &[
            "--eab",
            "customer-7:zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W",
        ],
        rows: &[
            row(
                "register without the binding, refused",
                Operation::RegisterUnbound,
            ),
            row("register with the binding", Operation::RegisterBound),
            row("issue with a bound account", Operation::Issue(ONE)),
        ],
        with_dns: false,
    },
    Scenario {
        name: "alternates",
        arguments: &["--alternates", "1"],
        rows: &[
            first("register where chains differ", Operation::Register),
            row("issue, the other chain", Operation::IssueOtherChain(ONE)),
        ],
        with_dns: false,
    },
    Scenario {
        name: "dns",
        arguments: &[],
        rows: &[
            first("register where DNS counts", Operation::Register),
            row(
                "issue, dns-01, wildcard and its parent",
                Operation::Issue(WILDCARD),
            ),
            row("renew, dns-01", Operation::Renew(WILDCARD)),
            row("revoke, wildcard", Operation::Revoke(WILDCARD)),
        ],
        with_dns: true,
    },
    Scenario {
        name: "chatty",
        arguments: &[
            "--fault",
            "shuffle",
            "--fault",
            "unknown-members",
            "--fault",
            "unknown-challenges",
        ],
        rows: &[
            first("register at a CA of the future", Operation::Register),
            row(
                "issue, unknown members and challenges",
                Operation::Issue(ONE),
            ),
        ],
        with_dns: false,
    },
];

impl Scenario {
    /// Asks a client everything, in an emptied folder, and tells what came of each.
    pub(super) fn run(
        &self,
        client: &dyn Client,
        programs: &Programs,
        folder: &Path,
        mut tell: impl FnMut(&Row, Verdict),
    ) -> Result<(), String> {
        let site = Site::new(programs, folder, self.arguments, self.with_dns)?;
        let _beside = client.prepare(&site)?;
        for (number, row) in self.rows.iter().enumerate() {
            let log = site.path(&format!("{:02}.log", number + 1));
            let verdict = row.run(client, &site, &log);
            if !row.first || matches!(verdict, Verdict::Failed(_)) {
                tell(row, verdict);
            }
        }
        Ok(())
    }
}

impl Row {
    fn run(&self, client: &dyn Client, site: &Site, log: &Path) -> Verdict {
        let mut command = match client.attempt(self.operation, site) {
            Attempt::Run(command) => command,
            Attempt::Cannot(reason) => return Verdict::Cannot(reason.to_owned()),
        };
        let chain = self.operation.brings().map(|it| client.chain(it, site));
        let read = || chain.as_ref().and_then(|it| fs::read(it).ok());
        let before = read();
        let logged = site.authority.log().len();
        let ended = run_logged(LIMIT, &mut command, log);
        let output = fs::read_to_string(log).unwrap_or_default();
        if let Some(defect) = client.known_defect(self.operation, &output) {
            return Verdict::Defect(defect.to_owned());
        }
        let judged = ended.and_then(|status| {
            let refused = self.operation.is_refused();
            match status.success() {
                true if refused => Err("it says that all went well".to_owned()),
                false if !refused => Err(format!("it ended with {status}, {}", last(&output))),
                _ => self.seen_by(site, logged),
            }
        });
        let judged = judged.and_then(|()| match (self.operation.brings(), &chain) {
            (Some(_), Some(_)) if read() == before => Err("it has no new certificate".to_owned()),
            (Some(certificate), Some(chain)) => {
                let roots = &site.authority.roots;
                let root = match self.operation {
                    Operation::IssueOtherChain(_) => roots.last(),
                    _ => roots.first(),
                };
                let root = root.ok_or("the CA has no such root")?;
                openssl::check(chain, root, certificate.names)
            }
            _ => Ok(()),
        });
        match judged {
            Ok(()) => Verdict::Passed,
            Err(reason) => Verdict::Failed(reason),
        }
    }

    /// Whether the CA saw what it should have seen.
    fn seen_by(&self, site: &Site, logged: usize) -> Result<(), String> {
        let log = site.authority.log();
        let now = log.get(logged..).unwrap_or_default();
        for parts in self.operation.evidence() {
            let seen = |line: &str| parts.iter().all(|part| line.contains(part.as_str()));
            if !now.lines().any(seen) {
                return Err(format!("the CA saw no {}", parts.join(" ")));
            }
        }
        match log.contains(self.also) {
            true => Ok(()),
            false => Err(format!("the CA never told of {}", self.also)),
        }
    }
}

fn last(output: &str) -> &str {
    let mut lines = output.lines().filter(|line| !line.trim().is_empty());
    lines.next_back().unwrap_or("silently").trim()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_row_hides_another() {
        let rows = || SCENARIOS.iter().flat_map(|it| it.rows);
        let titles: BTreeSet<_> = rows().map(|it| it.title).collect();
        assert_eq!(titles.len(), rows().count());
        let names: BTreeSet<_> = SCENARIOS.iter().map(|it| it.name).collect();
        assert_eq!(names.len(), SCENARIOS.len());
    }
}
