//! What can be set before the CA starts and changed while it runs.

mod accounts;
mod answers;
mod issuance;
mod orders;
mod renewal;
mod style;
mod validation;

pub use accounts::AccountConfig;
pub use answers::AnswerConfig;
pub use issuance::{DefaultProfile, IssuanceConfig, Profile};
pub use orders::OrderConfig;
pub use renewal::RenewalConfig;
pub use style::Style;
pub(in crate::ca) use validation::Addresses;
pub use validation::{Resolver, ValidationConfig};

/// Everything about a [`TestCa`](super::TestCa) that may change while it runs.
///
/// It is set with [`TestCaBuilder::configure`](super::TestCaBuilder::configure)
/// and changed with [`TestCa::configure`](super::TestCa::configure); a request
/// under way keeps what it began with.
///
/// ```
/// use std::time::Duration;
/// use acme_testing::TestCa;
///
/// let builder = TestCa::builder().configure(|config| {
///     config.orders.reuse_valid = true;
///     config.issuance.validity = Duration::from_secs(30);
///     config.accounts.terms_of_service = None;
/// });
/// # let _ = builder;
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TestCaConfig {
    /// Who may have an account, and what is asked of them.
    pub accounts: AccountConfig,
    /// How patient and how talkative answers are.
    pub answers: AnswerConfig,
    /// What certificates look like, and when they are issued.
    pub issuance: IssuanceConfig,
    /// What may be ordered, and what is to be proved for it.
    pub orders: OrderConfig,
    /// What is said about renewals.
    pub renewal: RenewalConfig,
    /// Whose ways it has where CAs differ.
    pub style: Style,
    /// How challenges are looked at.
    pub validation: ValidationConfig,
}
