//! What the CA remembers, and the state machines of [RFC 8555, section 7.1.6].
//!
//! [RFC 8555, section 7.1.6]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1.6

use std::collections::{HashMap, HashSet};

use acme_messages::{
    AccountStatus, AuthorizationStatus, CertificateChain, ChallengeStatus, ChallengeType,
    Identifier, OrderStatus, Problem, ProblemType, ServerName, Timestamp, Token,
    jose::{Jwk, Thumbprint, base64url},
};

use super::{config::OrderConfig, nonce::NoncePool};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) nonces: NoncePool,
    pub(super) accounts: HashMap<String, AccountRecord>,
    pub(super) account_by_key: HashMap<Thumbprint, String>,
    /// The external accounts that accounts here were bound to.
    pub(super) bound_accounts: HashSet<String>,
    pub(super) orders: HashMap<String, OrderRecord>,
    /// The ids of the orders, as they were placed.
    pub(super) order_ids: Vec<String>,
    pub(super) authorizations: HashMap<String, AuthorizationRecord>,
    /// The authorization that a challenge belongs to.
    pub(super) authorization_of: HashMap<String, String>,
    /// The authorizations of an account for a name that became valid, the latest last.
    pub(super) proven: HashMap<Proof, Vec<String>>,
    /// The latest authorization of an account for a name that was pending.
    pub(super) asked: HashMap<Proof, String>,
    pub(super) certificates: HashMap<String, CertificateRecord>,
    /// The ids of the certificates, in the order they were issued.
    pub(super) issued: Vec<String>,
    /// Certificates by the DER of their leaf, and by their name in renewal information.
    pub(super) certificate_by_leaf: HashMap<Vec<u8>, String>,
    pub(super) certificate_by_name: HashMap<String, String>,
    /// The order that replaces a certificate, by the certificate's id.
    pub(super) replaced_by: HashMap<String, String>,
}

#[derive(Debug)]
pub(super) struct AccountRecord {
    pub(super) key: Jwk,
    pub(super) status: AccountStatus,
    pub(super) contact: Vec<String>,
    /// The terms of service that were agreed to.
    pub(super) agreed_terms: Option<String>,
    /// The binding to an external account, as it was sent.
    pub(super) binding: Option<serde_json::Value>,
    /// The account's orders, oldest first.
    pub(super) orders: Vec<String>,
}

#[derive(Debug)]
pub(super) struct OrderRecord {
    pub(super) account: String,
    /// What it is for, wildcards with their `*.`.
    pub(super) names: Vec<ServerName>,
    pub(super) authorizations: Vec<String>,
    pub(super) status: OrderStatus,
    pub(super) expires: Timestamp,
    pub(super) not_before: Option<Timestamp>,
    pub(super) not_after: Option<Timestamp>,
    pub(super) profile: Option<String>,
    pub(super) error: Option<Problem>,
    pub(super) certificate: Option<String>,
    pub(super) replaces: Option<String>,
    /// How many more answers call it `processing` though it is valid.
    pub(super) processing_answers: u32,
}

#[derive(Debug)]
pub(super) struct AuthorizationRecord {
    pub(super) account: String,
    pub(super) identifier: Identifier,
    pub(super) wildcard: bool,
    /// Whether it was made ahead of any order.
    pub(super) ahead: bool,
    pub(super) status: AuthorizationStatus,
    pub(super) expires: Timestamp,
    pub(super) challenges: Vec<ChallengeRecord>,
}

#[derive(Debug)]
pub(super) struct ChallengeRecord {
    pub(super) id: String,
    pub(super) kind: ChallengeType,
    pub(super) token: Token,
    pub(super) status: ChallengeStatus,
    pub(super) validated: Option<Timestamp>,
    pub(super) error: Option<Problem>,
}

#[derive(Debug)]
pub(super) struct CertificateRecord {
    pub(super) chain: CertificateChain,
    /// The same leaf with other chains.
    pub(super) alternates: Vec<CertificateChain>,
    pub(super) account: String,
    pub(super) order: String,
    /// The reason of its revocation.
    pub(super) revocation: Option<u8>,
}

/// What an authorization proves: an account's control of a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Proof {
    pub(super) account: String,
    pub(super) identifier: Identifier,
    pub(super) wildcard: bool,
}

impl Proof {
    pub(super) fn of(account: &str, name: &ServerName) -> Self {
        let identifier = match name {
            ServerName::Dns(dns) => Identifier::from(&ServerName::Dns(
                // The part after `*.` of a checked name is one too.
                dns.base().parse().unwrap_or_else(|_| dns.clone()),
            )),
            ServerName::Ip(_) => Identifier::from(name),
        };
        Self {
            account: account.to_owned(),
            identifier,
            wildcard: name.is_wildcard(),
        }
    }
}

impl AuthorizationRecord {
    /// Lets the time pass: what was valid expires, what was pending fails.
    pub(super) fn refresh(&mut self, now: Timestamp) {
        if now < self.expires {
            return;
        }
        self.status = match &self.status {
            AuthorizationStatus::Valid => AuthorizationStatus::Expired,
            AuthorizationStatus::Pending => AuthorizationStatus::Invalid,
            other => other.clone(),
        };
    }

    pub(super) fn is_validating(&self) -> bool {
        self.challenges
            .iter()
            .any(|it| it.status == ChallengeStatus::Processing)
    }

    /// Why an order that needs this authorization cannot go on.
    fn problem(&self) -> Problem {
        let failed = self.challenges.iter().find_map(|it| it.error.clone());
        let mut problem = failed.unwrap_or_else(|| {
            let detail = format!(
                "the authorization for {} is {}",
                self.identifier.value, self.status
            );
            Problem::new(ProblemType::Unauthorized, detail)
        });
        problem.identifier = Some(self.identifier.clone());
        problem
    }
}

impl State {
    /// Lets an order follow its authorizations and the time.
    pub(super) fn refresh_order(&mut self, id: &str, now: Timestamp) {
        let Some(order) = self.orders.get_mut(id) else {
            return;
        };
        if !matches!(order.status, OrderStatus::Pending | OrderStatus::Ready) {
            return;
        }
        let mut problems = Vec::new();
        let mut all_valid = true;
        for authorization in &order.authorizations {
            let Some(authorization) = self.authorizations.get_mut(authorization) else {
                continue;
            };
            authorization.refresh(now);
            match authorization.status {
                AuthorizationStatus::Valid => {}
                AuthorizationStatus::Pending => all_valid = false,
                _ => problems.push(authorization.problem()),
            }
        }
        if !problems.is_empty() {
            order.status = OrderStatus::Invalid;
            order.error = Some(join(problems));
        } else if now >= order.expires {
            order.status = OrderStatus::Invalid;
            order.error = Some(Problem::new(
                ProblemType::Malformed,
                "the order has expired",
            ));
        } else if all_valid {
            order.status = OrderStatus::Ready;
        }
    }

    /// Whether a validation is under way that this order waits for.
    pub(super) fn is_order_validating(&self, id: &str) -> bool {
        self.orders.get(id).is_some_and(|order| {
            order
                .authorizations
                .iter()
                .any(|id| self.is_authorization_validating(id))
        })
    }

    pub(super) fn is_authorization_validating(&self, id: &str) -> bool {
        self.authorizations
            .get(id)
            .is_some_and(AuthorizationRecord::is_validating)
    }

    pub(super) fn is_challenge_validating(&self, id: &str) -> bool {
        self.authorization_of
            .get(id)
            .is_some_and(|id| self.is_authorization_validating(id))
    }

    /// Whether the account holds a valid authorization for this name.
    pub(super) fn valid_authorization(
        &mut self,
        account: &str,
        name: &ServerName,
        now: Timestamp,
    ) -> Option<String> {
        let proven = self.proven.get_mut(&Proof::of(account, name))?;
        // What is valid no more never is again.
        proven.retain(|id| {
            self.authorizations.get_mut(id).is_some_and(|it| {
                it.refresh(now);
                it.status == AuthorizationStatus::Valid
            })
        });
        proven.last().cloned()
    }

    /// An authorization for this name that a new order may have.
    pub(super) fn reusable(
        &mut self,
        account: &str,
        name: &ServerName,
        now: Timestamp,
        config: &OrderConfig,
    ) -> Option<String> {
        if let Some(id) = self.valid_authorization(account, name, now)
            && (config.reuse_valid || self.is_ahead(&id))
        {
            return Some(id);
        }
        let id = self.asked.get(&Proof::of(account, name)).cloned()?;
        let authorization = self.authorizations.get_mut(&id)?;
        authorization.refresh(now);
        let pending = authorization.status == AuthorizationStatus::Pending;
        (pending && (config.reuse_pending || authorization.ahead)).then_some(id)
    }

    fn is_ahead(&self, id: &str) -> bool {
        self.authorizations.get(id).is_some_and(|it| it.ahead)
    }

    /// Leaves a challenge open although it was not met ([RFC 8555, section 8.2]).
    ///
    /// [RFC 8555, section 8.2]: https://www.rfc-editor.org/rfc/rfc8555#section-8.2
    pub(super) fn reopen(&mut self, challenge: &str, problem: Problem) {
        let authorization = self.authorization_of.get(challenge);
        let authorization = authorization.and_then(|id| self.authorizations.get_mut(id));
        let all = authorization.into_iter().flat_map(|it| &mut it.challenges);
        for record in all.filter(|it| it.id == challenge) {
            record.status = ChallengeStatus::Pending;
            record.error = Some(problem.clone());
        }
    }

    /// Writes down how a validation ended ([RFC 8555, section 7.1.6]).
    ///
    /// [RFC 8555, section 7.1.6]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1.6
    pub(super) fn settle(
        &mut self,
        challenge: &str,
        outcome: Result<(), Problem>,
        now: Timestamp,
        expires: Timestamp,
    ) {
        let Some(id) = self.authorization_of.get(challenge) else {
            return;
        };
        let Some(authorization) = self.authorizations.get_mut(id) else {
            return;
        };
        let Some(challenge) = authorization
            .challenges
            .iter_mut()
            .find(|it| it.id == challenge)
        else {
            return;
        };
        let pending = authorization.status == AuthorizationStatus::Pending;
        match outcome {
            Ok(()) => {
                challenge.status = ChallengeStatus::Valid;
                challenge.validated = Some(now);
                challenge.error = None;
                if pending {
                    authorization.status = AuthorizationStatus::Valid;
                    authorization.expires = expires;
                    let proof = Proof {
                        account: authorization.account.clone(),
                        identifier: authorization.identifier.clone(),
                        wildcard: authorization.wildcard,
                    };
                    self.proven.entry(proof).or_default().push(id.clone());
                }
            }
            Err(problem) => {
                challenge.status = ChallengeStatus::Invalid;
                challenge.error = Some(problem);
                if pending {
                    authorization.status = AuthorizationStatus::Invalid;
                }
            }
        }
    }
}

/// One problem as it is, several as one of them each ([RFC 8555, section 6.7.1]).
///
/// [RFC 8555, section 6.7.1]: https://www.rfc-editor.org/rfc/rfc8555#section-6.7.1
pub(super) fn join(mut problems: Vec<Problem>) -> Problem {
    if problems.len() == 1 {
        let mut problem = problems.remove(0);
        problem.identifier = None;
        return problem;
    }
    let mut compound = Problem::new(ProblemType::Compound, "several identifiers failed");
    compound.subproblems = problems;
    compound
}

/// 128 random bits as text, for everything that no one may guess.
pub(super) fn random_id() -> String {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    base64url::encode(bytes)
}

/// A challenge's token: 256 random bits, as Let's Encrypt's.
///
/// # Panics
/// Never: base64url is a token's syntax.
pub(super) fn random_token() -> Token {
    let mut bytes = [0; 32];
    fill(&mut bytes);
    Token::parse(&base64url::encode(bytes)).expect("base64url is a token")
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system gives randomness, as it did for the CA's keys");
}
