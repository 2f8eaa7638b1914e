//! Resources that say more, less, or something else than they should.

use serde_json::{Map, Value, json};

use super::Fault;

/// A resource by its looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resource {
    Authorization,
    Challenge,
    Order,
    Other,
    Problem,
    RenewalInfo,
}

impl Resource {
    fn of(object: &Map<String, Value>) -> Self {
        let has = |member: &str| object.contains_key(member);
        match () {
            () if has("finalize") => Self::Order,
            () if has("challenges") => Self::Authorization,
            () if has("suggestedWindow") => Self::RenewalInfo,
            () if has("detail") => Self::Problem,
            () if has("type") && has("url") => Self::Challenge,
            () => Self::Other,
        }
    }
}

/// Whether a fault has something to change in this body.
pub(super) fn fits(fault: &Fault, body: &Value) -> bool {
    let Value::Object(object) = body else {
        return false;
    };
    let resource = Resource::of(object);
    let status = object.get("status").and_then(Value::as_str);
    match fault {
        Fault::ErrorWhileProcessing => match resource {
            Resource::Challenge => status == Some("processing"),
            Resource::Authorization => status == Some("pending"),
            _ => false,
        },
        Fault::InvalidStaysPending => {
            matches!(resource, Resource::Authorization | Resource::Order)
                && status == Some("invalid")
        }
        Fault::NoProblemType | Fault::UnknownProblemType => resource == Resource::Problem,
        Fault::OtherAuthorizations => resource == Resource::Order,
        Fault::Shuffle => object.values().any(Value::is_array),
        Fault::StaysPending => resource == Resource::Order && status == Some("ready"),
        Fault::StaysProcessing => match resource {
            Resource::Order => status == Some("valid"),
            Resource::Authorization | Resource::Challenge => {
                matches!(status, Some("valid" | "invalid"))
            }
            _ => false,
        },
        Fault::UnknownChallenges => resource == Resource::Authorization,
        Fault::UnknownMembers => resource != Resource::Problem,
        Fault::UnknownStatus => status.is_some() && resource != Resource::Problem,
        Fault::WildcardFalse => {
            resource == Resource::Authorization && !object.contains_key("wildcard")
        }
        Fault::WrongWindow => resource == Resource::RenewalInfo,
        _ => false,
    }
}

/// Changes a body that the fault fits.
pub(super) fn apply(fault: &Fault, body: &mut Value, dice: &dyn Fn(usize) -> usize) {
    let Value::Object(object) = body else {
        return;
    };
    match fault {
        Fault::ErrorWhileProcessing => each_challenge(object, |challenge| {
            challenge.insert("status".to_owned(), json!("processing"));
            let detail = "the first attempt failed; there will be another";
            let kind = "urn:ietf:params:acme:error:connection";
            challenge.insert(
                "error".to_owned(),
                json!({ "type": kind, "detail": detail }),
            );
        }),
        Fault::InvalidStaysPending => {
            object.insert("status".to_owned(), json!("pending"));
            object.remove("error");
        }
        Fault::NoProblemType => {
            object.remove("type");
        }
        Fault::UnknownProblemType => {
            let kind = "https://ca.example/problems/mercury-retrograde";
            object.insert("type".to_owned(), json!(kind));
        }
        Fault::OtherAuthorizations => {
            if let Some(Value::Array(urls)) = object.get_mut("authorizations") {
                for url in urls {
                    *url = json!(format!("{}-other", url.as_str().unwrap_or_default()));
                }
            }
        }
        Fault::Shuffle => shuffle(object, dice),
        Fault::StaysPending => {
            object.insert("status".to_owned(), json!("pending"));
        }
        Fault::StaysProcessing => stay_processing(object),
        Fault::UnknownChallenges => add_challenges(object),
        Fault::UnknownMembers => {
            let url = "https://community.example/t/adding-random-entries-to-the-directory";
            object.insert("hJ2yXsZvUqM".to_owned(), json!(url));
            object.insert(
                "x-nested".to_owned(),
                json!({ "a": [1, null, { "b": false }] }),
            );
        }
        Fault::UnknownStatus => {
            object.insert("status".to_owned(), json!("contemplating"));
        }
        Fault::WildcardFalse => {
            object.insert("wildcard".to_owned(), json!(false));
        }
        Fault::WrongWindow => {
            if let Some(Value::Object(window)) = object.get_mut("suggestedWindow") {
                let start = window.remove("start").unwrap_or_default();
                let end = window.insert("end".to_owned(), start);
                window.insert("start".to_owned(), end.unwrap_or_default());
            }
        }
        _ => {}
    }
}

/// The challenge itself, or those of an authorization.
fn each_challenge(object: &mut Map<String, Value>, change: impl Fn(&mut Map<String, Value>)) {
    match object.get_mut("challenges") {
        Some(Value::Array(challenges)) => challenges
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .for_each(change),
        _ => change(object),
    }
}

fn stay_processing(object: &mut Map<String, Value>) {
    let (status, is_order) = match Resource::of(object) {
        Resource::Authorization => ("pending", false),
        resource => ("processing", resource == Resource::Order),
    };
    object.insert("status".to_owned(), json!(status));
    if is_order {
        object.remove("certificate");
        return;
    }
    each_challenge(object, |challenge| {
        let tried = matches!(
            challenge.get("status").and_then(Value::as_str),
            Some("valid" | "invalid" | "processing")
        );
        if tried {
            challenge.insert("status".to_owned(), json!("processing"));
            challenge.remove("validated");
            challenge.remove("error");
        }
    });
}

/// Types as drafts have them, and one that is nobody's.
fn add_challenges(object: &mut Map<String, Value>) {
    let Some(Value::Array(challenges)) = object.get_mut("challenges") else {
        return;
    };
    let base = challenges
        .first()
        .and_then(|it| it["url"].as_str())
        .unwrap_or_default()
        .to_owned();
    let url = |name: &str| format!("{base}-{name}");
    challenges.insert(
        0,
        json!({
            "type": "smoke-signal-01", "url": url("smoke"), "status": "pending",
            "fires": 3, "token": null
        }),
    );
    challenges.push(json!({
        "type": "dns-persist-99", "url": url("persist"), "status": "pending",
        "issuer-domain-names": ["ca.example"]
    }));
}

/// Each array in another order (Fisher and Yates).
fn shuffle(object: &mut Map<String, Value>, dice: &dyn Fn(usize) -> usize) {
    for array in object.values_mut().filter_map(Value::as_array_mut) {
        for last in (1..array.len()).rev() {
            array.swap(last, dice(last + 1));
        }
    }
}
