//! How the CA is to behave: whose ways it has, whom it lets in, and what goes wrong.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use acme_messages::{ChallengeType, jose::MacKey};
use acme_testing::{FaultRule, Profile, Style, TestCaBuilder, TestPki};

use super::span;
use crate::{Failure, address};

/// Options that a [`TestCaBuilder`] takes over.
#[derive(Debug, clap::Args)]
pub(super) struct Behaviour {
    /// Where http-01 knocks.
    #[arg(long, value_name = "PORT", default_value_t = 80)]
    http_01_port: u16,

    /// Where tls-alpn-01 knocks.
    #[arg(long, value_name = "PORT", default_value_t = 443)]
    tls_alpn_01_port: u16,

    /// The address that all names point to, instead of 127.0.0.1.
    #[arg(long, value_name = "IP")]
    resolve_to: Option<IpAddr>,

    /// The DNS server that is asked for records; without one no dns-01 is met.
    #[arg(long, value_name = "ADDR", value_parser = address::parse)]
    resolver: Option<SocketAddr>,

    /// A challenge to offer, instead of http-01, tls-alpn-01 and dns-01; may be given several
    /// times. dns-account-01 and dns-persist-01 are known too.
    #[arg(long, value_name = "TYPE", value_parser = challenge)]
    challenge: Vec<ChallengeType>,

    /// From how many places a validation looks at once.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    perspectives: u32,

    /// Let every challenge be met without a look.
    #[arg(long)]
    always_valid: bool,

    /// The lifetime of certificates, such as `90d`, `12h`, `30m` or `45s`.
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = span::parse)]
    validity: Duration,

    /// Offer a certificate profile with a lifetime of its own; may be given several times.
    #[arg(long, value_name = "NAME=SPAN", value_parser = profile)]
    profile: Vec<(String, Duration)>,

    /// How many other chains to offer, each up to a root of its own; 4 at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=4))]
    alternates: u8,

    /// Ask for the binding of new accounts to this external account, its key in base64url; may be
    /// given several times.
    #[arg(long, value_name = "KID:KEY")]
    eab: Vec<String>,

    /// Have no terms of service that a new account must agree to.
    #[arg(long)]
    no_terms: bool,

    /// Let new orders have the valid authorizations of their account.
    #[arg(long)]
    reuse_authorizations: bool,

    /// Do as this one does where CAs differ: `rfc8555`, `boulder` or `pebble`.
    #[arg(long, value_name = "NAME", default_value = "rfc8555", value_parser = style)]
    style: Style,

    /// How many answers call a finalized order `processing`.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    processing_polls: u32,

    /// Ask clients to wait this long for what is not final yet.
    #[arg(long, value_name = "SPAN", value_parser = span::parse)]
    retry_after: Option<Duration>,

    /// What goes wrong, on which requests, how often; may be given several times. An unknown one
    /// lists all.
    #[arg(
        long,
        value_name = "NAME[:ARGUMENT][@OPERATION,…][=RATE|=COUNTx][+SKIPPED]"
    )]
    fault: Vec<FaultRule>,

    /// What random faults are drawn from: the same number, the same faults.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,

    /// Speak HTTP without TLS, which RFC 8555 forbids; on loopback addresses only.
    #[arg(long)]
    danger_plain_http: bool,
}

impl Behaviour {
    /// Tells it a CA that is about to start.
    pub(super) fn apply(self, mut builder: TestCaBuilder) -> Result<TestCaBuilder, Failure> {
        builder = builder
            .http_01_port(self.http_01_port)
            .tls_alpn_01_port(self.tls_alpn_01_port)
            .validity(self.validity)
            .pki(TestPki::builder().alternate_roots(self.alternates))
            .processing_polls(self.processing_polls)
            .authorization_reuse(self.reuse_authorizations)
            .seed(self.seed)
            .configure(|config| {
                config.style = self.style;
                config.validation.dns_server = self.resolver;
                config.validation.perspectives = self.perspectives;
                config.validation.always_valid = self.always_valid;
                if !self.challenge.is_empty() {
                    config.orders.challenges = self.challenge;
                }
                config.answers.retry_after = self.retry_after;
                config.accounts.external_account_required = !self.eab.is_empty();
                for (name, validity) in self.profile {
                    let description = format!("certificates that live {} s", validity.as_secs());
                    let profile = Profile::new(description, validity);
                    config.issuance.profiles.insert(name, profile);
                }
            });
        if let Some(address) = self.resolve_to {
            builder = builder.resolve_to(address);
        }
        if self.no_terms {
            builder = builder.without_terms_of_service();
        }
        if self.danger_plain_http {
            builder = builder.danger_plain_http();
        }
        for account in &self.eab {
            let (id, key) = external_account(account)?;
            builder = builder.external_account(id, key);
        }
        for fault in self.fault {
            builder = builder.inject(fault);
        }
        Ok(builder)
    }
}

/// Reads an external account; what is wrong is said without the key.
fn external_account(text: &str) -> Result<(&str, MacKey), Failure> {
    let (id, key) = text.split_once(':').unwrap_or(("", ""));
    if id.is_empty() {
        return Err(Failure::configuration(
            "--eab reads KID:KEY, the key in base64url",
        ));
    }
    let key = MacKey::from_text(key)
        .map_err(|error| Failure::configuration(format!("--eab {id}: the key")).because(&error))?;
    Ok((id, key))
}

fn profile(text: &str) -> Result<(String, Duration), String> {
    match text.split_once('=') {
        Some((name, span)) if !name.is_empty() => Ok((name.to_owned(), span::parse(span)?)),
        _ => Err("a profile reads NAME=SPAN, such as shortlived=6d".to_owned()),
    }
}

fn challenge(text: &str) -> Result<ChallengeType, String> {
    match ChallengeType::from(text) {
        it @ (ChallengeType::Dns01
        | ChallengeType::DnsAccount01
        | ChallengeType::DnsPersist01
        | ChallengeType::Http01
        | ChallengeType::TlsAlpn01) => Ok(it),
        _ => Err(
            "known are dns-01, dns-account-01, dns-persist-01, http-01 and tls-alpn-01".to_owned(),
        ),
    }
}

fn style(text: &str) -> Result<Style, String> {
    match text {
        "rfc8555" => Ok(Style::Rfc8555),
        "boulder" => Ok(Style::Boulder),
        "pebble" => Ok(Style::Pebble),
        _ => Err("known are rfc8555, boulder and pebble".to_owned()),
    }
}
