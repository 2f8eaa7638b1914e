//! The CA's numbers, each with its reason.

use std::time::Duration;

/// The longest request body read, in bytes: Boulder's.
pub(super) const MAX_BODY: usize = 50_000;

/// How many requests the log keeps; the oldest go first.
pub(super) const MAX_RECORDS: usize = 10_000;

/// How many unspent nonces are kept; the oldest go first.
pub(super) const MAX_NONCES: usize = 10_000;

/// The most identifiers of an order: Let's Encrypt's, for its default profile.
pub(super) const MAX_IDENTIFIERS: usize = 100;

/// The most contacts of an account; Boulder takes ten.
pub(super) const MAX_CONTACTS: usize = 10;

/// How many orders a page of an account's list has.
pub(super) const ORDERS_PER_PAGE: usize = 100;

/// How long an order may stay unfinished: Let's Encrypt's.
pub(super) const ORDER_LIFETIME: Duration = days(7);

/// How long an authorization may stay pending: Let's Encrypt's.
pub(super) const PENDING_AUTHORIZATION_LIFETIME: Duration = days(7);

/// How long a valid authorization counts: Let's Encrypt's until February 2027.
pub(super) const VALID_AUTHORIZATION_LIFETIME: Duration = days(30);

/// The lifetime of a leaf unless the builder says otherwise.
pub(super) const DEFAULT_VALIDITY: Duration = days(90);

/// The longest that one validation may take: Boulder's.
pub(super) const VALIDATION_TIMEOUT: Duration = Duration::from_secs(10);

/// The most places that a validation looks from: a typing error is not to open thousands of
/// connections.
pub(super) const MAX_PERSPECTIVES: u32 = 100;

/// The longest that one try at the DNS server may take: three fit into a validation.
pub(super) const DNS_TIMEOUT: Duration = Duration::from_secs(3);

/// From how many bytes on an answer to http-01 is too long: Boulder's; a key authorization has 87.
pub(super) const MAX_HTTP_01_BODY: usize = 128;

/// How many redirects http-01 follows: Boulder's.
pub(super) const MAX_REDIRECTS: usize = 10;

/// The longest path and query that http-01 follows a redirect to, in bytes: Boulder's.
pub(super) const MAX_REDIRECT_PATH: usize = 2000;

/// How long clients are to wait between looks at renewal information: Let's Encrypt's.
pub(super) const RENEWAL_RETRY_AFTER: Duration = Duration::from_secs(6 * 60 * 60);

/// Certificates that live shorter are renewed at half their life, not at two thirds.
pub(super) const SHORT_LIVED: Duration = days(10);

/// How long no connection is taken after one could not be.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 60 * 60)
}
