//! Objects alone: serde takes an array for the members of a structure in their order.

use serde::{de::DeserializeOwned, de::Error};

/// Reads JSON that must be an object.
pub(crate) fn from_slice<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err(Error::custom("not an object"));
    }
    serde_json::from_slice(json)
}
