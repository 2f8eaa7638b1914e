//! Lints a CSR against an order: would a CA take it?
//!
//! `cargo run -p acme-messages --example lint_csr -- request.csr order.json`
//! without arguments lints a CSR that it makes itself.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeSet;

use acme_messages::{
    CertificateSigningRequest, Identifier, Order, ServerName,
    jose::{KeyType, PrivateKey},
};

/// What is wrong, each on a line; empty when nothing is.
fn lint(csr: &CertificateSigningRequest, order: &Order) -> Vec<String> {
    let mut findings = Vec::new();
    let mut ordered = BTreeSet::new();
    for identifier in &order.identifiers {
        match identifier.server_name() {
            Ok(name) => drop(ordered.insert(name)),
            Err(error) => findings.push(format!("the order's {:?}: {error}", identifier.value)),
        }
    }
    let asked: BTreeSet<_> = csr.names().iter().cloned().collect();
    for name in ordered.difference(&asked) {
        findings.push(format!("{name} was ordered and is not in the CSR"));
    }
    for name in asked.difference(&ordered) {
        findings.push(format!("{name} is in the CSR and was not ordered"));
    }
    for common in csr.common_names() {
        let known = common
            .parse::<ServerName>()
            .is_ok_and(|it| asked.contains(&it));
        if !known {
            findings.push(format!("the common name {common:?} is no alternative name"));
        }
    }
    findings
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (csr, order) = match (arguments.next(), arguments.next()) {
        (Some(csr), Some(order)) => (
            CertificateSigningRequest::from_der(&std::fs::read(csr)?)?,
            serde_json::from_slice(&std::fs::read(order)?)?,
        ),
        _ => {
            let key = PrivateKey::generate(KeyType::EcdsaP256)?;
            let names: [ServerName; 2] = ["example.com".parse()?, "www.example.com".parse()?];
            let ordered = vec![Identifier::from(&names[0])];
            (
                CertificateSigningRequest::for_names(&names, &key)?,
                Order::new(ordered, Vec::new(), "https://ca.example/finalize/1"),
            )
        }
    };
    let findings = lint(&csr, &order);
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("nothing to say against it");
    }
    Ok(())
}
