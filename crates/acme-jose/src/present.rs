//! Members that are refused, whatever their value: `null` is there too.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

/// Reads a member's presence; use it with `default`.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}
