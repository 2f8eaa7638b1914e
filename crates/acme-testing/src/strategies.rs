//! Strategies for [proptest](https://docs.rs/proptest): names, URLs, certificates, and what CAs say.
//!
//! How many cases a property has is proptest's to say: `PROPTEST_CASES` in the environment.
//!
//! ```
//! use acme_testing::{messages::ServerName, strategies};
//! use proptest::prelude::*;
//!
//! proptest! {
//!     fn names_are_read_back(name in strategies::server_name()) {
//!         prop_assert_eq!(name.to_string().parse::<ServerName>(), Ok(name));
//!     }
//! }
//! names_are_read_back();
//! ```

mod bundle;
mod document;
mod name;
mod problem;
mod resource;
mod token;
mod url;

pub use bundle::{certificate, pem_bundle, pem_noise};
pub use name::{dns_label, dns_name, ip_address, server_name, wildcard_name};
pub use problem::{problem, problem_json};
pub use resource::{authorization_json, challenge_json, directory_json, order_json};
pub use token::token;
pub use url::url;
