//! S: what sealing makes of a store.

use super::ground::{Check, Ground, Halt, Made, check};

pub(super) const CHECKS: &[Check] = &[check!(
    "S1",
    "sealed records keep their secret and place",
    sealed
)];

async fn sealed(_: Ground) -> Made {
    Err(Halt::Skipped(
        "built without the feature `sealed`".to_owned(),
    ))
}
