//! What openssl says about a certificate that a client got.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::command::run_within;

/// How long a look may take.
const LOOKS_WITHIN: Duration = Duration::from_secs(30);

/// Verifies a chain with a root, and that the leaf is for exactly these names.
pub(super) fn check(chain: &Path, root: &Path, names: &[&str]) -> Result<(), String> {
    let mut verify = Command::new("openssl");
    verify
        .args(["verify", "-x509_strict", "-purpose", "sslserver"])
        .args([Path::new("-CAfile"), root, Path::new("-untrusted"), chain])
        .arg(chain);
    let ran = run_within(LOOKS_WITHIN, &mut verify);
    if !ran.succeeded() {
        return Err(format!("openssl verify: {ran}"));
    }
    let mut show = Command::new("openssl");
    show.args(["x509", "-noout", "-ext", "subjectAltName", "-in"])
        .arg(chain);
    let ran = run_within(LOOKS_WITHIN, &mut show);
    if !ran.succeeded() {
        return Err(format!("openssl x509: {ran}"));
    }
    let mut expected: Vec<_> = names.iter().map(|it| (*it).to_owned()).collect();
    expected.sort();
    match names_in(ran.output()) {
        found if found == expected => Ok(()),
        found => Err(format!("it is for {found:?} and not for {expected:?}")),
    }
}

/// The common name of a certificate's subject.
pub(super) fn common_name(certificate: &Path) -> Option<String> {
    let mut show = Command::new("openssl");
    show.args(["x509", "-noout", "-subject", "-nameopt", "multiline", "-in"])
        .arg(certificate);
    let ran = run_within(LOOKS_WITHIN, &mut show);
    let mut lines = ran.output().lines();
    let name = lines.find_map(|line| line.trim().strip_prefix("commonName"))?;
    Some(name.trim().strip_prefix('=')?.trim().to_owned())
}

/// The names that openssl shows, in order.
fn names_in(output: &str) -> Vec<String> {
    let mut names: Vec<_> = output
        .lines()
        .flat_map(|line| line.split(','))
        .filter_map(|part| {
            let part = part.trim();
            part.strip_prefix("DNS:")
                .or_else(|| part.strip_prefix("IP Address:"))
        })
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_openssl_shows_them() {
        let shown = "X509v3 Subject Alternative Name: critical\n    DNS:b.example, DNS:*.a.example, IP Address:127.0.0.1\n";
        assert_eq!(names_in(shown), ["*.a.example", "127.0.0.1", "b.example"]);
        assert_eq!(names_in("No extensions in certificate\n"), [""; 0]);
    }
}
