//! The JSON objects of ACME: what was read is written so that it reads the same.

use std::fmt::Debug;

use acme_messages::{
    Account, Authorization, Challenge, Directory, FinalizeRequest, NewAccount, NewOrder, Order,
    Problem, RenewalInfo,
};
use serde::{Serialize, de::DeserializeOwned};

/// Reads an account, and the request for one.
pub fn account(data: &[u8]) {
    round_trip::<Account>(data);
    round_trip::<NewAccount>(data);
}

/// Reads an authorization, and a challenge by itself.
pub fn authorization(data: &[u8]) {
    if let Some(authorization) = round_trip::<Authorization>(data) {
        let _ = authorization.identifier.server_name();
    }
    round_trip::<Challenge>(data);
}

/// Reads a directory.
pub fn directory(data: &[u8]) {
    round_trip::<Directory>(data);
}

/// Reads an order, the request for one, and the one that finalizes it.
pub fn order(data: &[u8]) {
    if let Some(order) = round_trip::<Order>(data) {
        for identifier in &order.identifiers {
            let _ = identifier.server_name();
        }
    }
    round_trip::<NewOrder>(data);
    round_trip::<FinalizeRequest>(data);
}

/// Reads a problem; what people are shown of it is one line.
pub fn problem(data: &[u8]) {
    if let Some(problem) = round_trip::<Problem>(data) {
        let shown = problem.to_string();
        assert!(!shown.contains(char::is_control), "{shown:?}");
    }
}

/// Reads renewal information.
pub fn renewal_info(data: &[u8]) {
    round_trip::<RenewalInfo>(data);
}

fn round_trip<T>(data: &[u8]) -> Option<T>
where
    T: DeserializeOwned + Serialize + PartialEq + Debug,
{
    let value: T = serde_json::from_slice(data).ok()?;
    let written = serde_json::to_vec(&value).expect("what was read can be written");
    let again: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(again, value, "written and read again");
    Some(value)
}
