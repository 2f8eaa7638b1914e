//! JSON objects with members that must be there, that may be, and that nobody knows.

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};
use serde_json::{Map, Value};

pub(super) type Member = BoxedStrategy<Option<(String, Value)>>;

/// A member that is always there.
pub(super) fn required<V: Into<Value> + 'static>(
    name: &'static str,
    value: impl Strategy<Value = V> + 'static,
) -> Member {
    value
        .prop_map(|value| Some((name.to_owned(), value.into())))
        .boxed()
}

/// A member that is there or not.
pub(super) fn optional<V: Into<Value> + 'static>(
    name: &'static str,
    value: impl Strategy<Value = V> + 'static,
) -> Member {
    let value = value.prop_map(Into::into);
    proptest::option::of(value)
        .prop_map(|value| Some((name.to_owned(), value?)))
        .boxed()
}

/// An object of these members and up to three unknown ones, whose names begin with `x`.
pub(super) fn object(members: Vec<Member>) -> BoxedStrategy<Value> {
    let unknown = btree_map("x[a-zA-Z]{0,8}", value(), 0..=3);
    (members, unknown)
        .prop_map(|(known, unknown)| {
            let members: Map<_, _> = unknown
                .into_iter()
                .chain(known.into_iter().flatten())
                .collect();
            Value::Object(members)
        })
        .boxed()
}

/// An array of values of one kind.
pub(super) fn array<V: Into<Value> + std::fmt::Debug>(
    value: impl Strategy<Value = V>,
    length: std::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = Value> {
    vec(value, length).prop_map(|values| values.into_iter().map(Into::into).collect())
}

/// Some time between 2000 and 2100.
pub(super) fn moment() -> impl Strategy<Value = String> {
    (946_684_800_i64..4_102_444_800).prop_map(|second| {
        let moment = acme_messages::Timestamp::from_second(second);
        moment.expect("these years can be told").to_string()
    })
}

/// Any JSON, of two levels at most.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,16}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 16, 4, |inner| {
        prop_oneof![
            array(inner.clone(), 0..=4),
            btree_map(".{0,8}", inner, 0..=4)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}
