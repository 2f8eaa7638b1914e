//! The harness for tests of the crates together, and against real ACME servers.
//!
//! - [`Pebble`] runs Let's Encrypt's test server with a DNS server of its own, on free ports,
//!   and ends both with the test.
//! - [`TestDirectory`] is any other CA that the environment names.
//! - [`Case`] is one line in the table at the end of a conformance run.
//! - [`acme_program`] builds the program under test.
//! - [`Child`] runs any program, awaits what it says, and ends it by its own process id.
//! - [`Client`] and [`Identity`] are the least of HTTPS that a test needs, made without the crates
//!   under test.
//!
//! A conformance test begins so:
//!
//! ```no_run
//! use acme_tests::{Error, Pebble, Programs};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let Some(programs) = Programs::or_skip("a name is issued")? else {
//!     return Ok(());
//! };
//! let pebble = Pebble::builder(programs).start().await?;
//! // Point a client at `pebble.directory_url()`, let it trust `pebble.https_root_pem()`,
//! // and answer challenges on `pebble.http_port()` or `pebble.tls_port()`.
//! assert_eq!(pebble.log().count("POST /order-plz"), 0);
//! pebble.stop().await
//! # }
//! ```

mod case;
mod directory;
mod error;
mod http;
mod pebble;
mod port;
mod process;
mod program;
mod tls;

pub use self::case::Case;
pub use self::directory::TestDirectory;
pub use self::error::Error;
pub use self::http::{Client, Response};
pub use self::pebble::{Dns, Pebble, PebbleBuilder, Programs, skipped};
pub use self::port::{free_port, is_free};
pub use self::process::{Child, Log};
pub use self::program::acme_program;
pub use self::tls::Identity;
