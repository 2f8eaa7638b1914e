//! Values by key, found by hash and gone through in order.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use crate::{Key, Prefix};

/// A map that finds one of many about as soon as one of few, and has an order.
///
/// Both ways to a value lead to its number: the order holds no more than that, so that
/// to go through it touches little memory, and another value is put in one place.
#[derive(Debug)]
pub(crate) struct Table<T> {
    numbers: HashMap<Key, usize>,
    order: BTreeMap<Key, usize>,
    /// `None` where one was removed.
    values: Vec<Option<T>>,
    /// Numbers that were given back.
    free: Vec<usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            order: BTreeMap::new(),
            values: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> FromIterator<(Key, T)> for Table<T> {
    fn from_iter<I: IntoIterator<Item = (Key, T)>>(all: I) -> Self {
        let mut table = Self::default();
        for (key, value) in all {
            table.insert(key, value);
        }
        table
    }
}

impl<T> Table<T> {
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&T> {
        self.values[*self.numbers.get(key)?].as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut T> {
        self.values[*self.numbers.get(key)?].as_mut()
    }

    pub(crate) fn insert(&mut self, key: Key, value: T) {
        if let Some(old) = self.get_mut(&key) {
            *old = value;
            return;
        }
        let number = self.free.pop().unwrap_or(self.values.len());
        if number == self.values.len() {
            self.values.push(Some(value));
        } else {
            self.values[number] = Some(value);
        }
        self.numbers.insert(key.clone(), number);
        self.order.insert(key, number);
    }

    pub(crate) fn remove(&mut self, key: &Key) {
        if let Some(number) = self.numbers.remove(key) {
            self.order.remove(key);
            self.values[number] = None;
            self.free.push(number);
        }
    }

    /// Removes what is not to be kept.
    pub(crate) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        let Self {
            numbers,
            order,
            values,
            free,
        } = self;
        order.retain(|key, number| {
            let value = &mut values[*number];
            let kept = value.as_ref().is_some_and(&keep);
            if !kept {
                *value = None;
                free.push(*number);
                numbers.remove(key);
            }
            kept
        });
    }

    /// What begins with a prefix and lies behind a key, in the order of the keys.
    pub(crate) fn range(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
    ) -> impl Iterator<Item = (&Key, &T)> {
        // A key is never empty, so that all keys lie behind the empty text.
        let start = match after {
            Some(after) if after.as_str() >= prefix.as_str() => Bound::Excluded(after.as_str()),
            _ => Bound::Included(prefix.as_str()),
        };
        self.order
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(|(key, _)| prefix.matches(key))
            .filter_map(|(key, number)| Some((key, self.values[*number].as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: impl ToString) -> Key {
        text.to_string().parse().unwrap()
    }

    fn in_order(table: &Table<usize>, prefix: &str, after: Option<&str>) -> Vec<(String, usize)> {
        let after = after.map(key);
        let prefix = prefix.parse().unwrap();
        let range = table.range(&prefix, after.as_ref());
        range
            .map(|(key, value)| (key.to_string(), *value))
            .collect()
    }

    // What is done to the table is done to a map, which says what is right.
    #[test]
    fn it_holds_what_a_map_would_hold() {
        let mut table = Table::default();
        let mut map = BTreeMap::new();
        for step in 0..2000_usize {
            let name = format!("k{:02}", step * 37 % 61);
            match step % 5 {
                0 | 1 => {
                    table.insert(key(&name), step);
                    map.insert(name, step);
                }
                2 => {
                    table.remove(&key(&name));
                    map.remove(&name);
                }
                3 => {
                    if let Some(value) = table.get_mut(&key(&name)) {
                        *value += 1;
                    }
                    map.entry(name).and_modify(|it| *it += 1);
                }
                _ => {
                    table.retain(|value| value % 7 != step % 7);
                    map.retain(|_, value| *value % 7 != step % 7);
                }
            }
            assert_eq!(table.len(), map.len());
            let all = map.iter().map(|it| (it.0.clone(), *it.1));
            assert_eq!(in_order(&table, "", None), all.collect::<Vec<_>>());
            for (name, value) in &map {
                assert_eq!(table.get(&key(name)), Some(value));
            }
            assert!(table.get(&key("other")).is_none());
            // Whatever comes and goes, there is no more room than for the most at once.
            assert!(table.values.len() <= 61);
        }
    }

    #[test]
    fn a_range_has_its_prefix_and_lies_behind_its_key() {
        let mut table = Table::default();
        for name in ["a", "b", "b/1", "b/2", "c"] {
            table.insert(key(name), 0);
        }
        let check = |prefix, after, expected: &[&str]| {
            let names: Vec<_> = in_order(&table, prefix, after)
                .into_iter()
                .map(|it| it.0)
                .collect();
            assert_eq!(names, expected, "{prefix} behind {after:?}");
        };
        check("", None, &["a", "b", "b/1", "b/2", "c"]);
        check("b/", None, &["b/1", "b/2"]);
        check("b/", Some("a"), &["b/1", "b/2"]);
        check("b/", Some("b/1"), &["b/2"]);
        check("b/", Some("b/11"), &["b/2"]);
        check("b/", Some("c"), &[]);
        check("", Some("b"), &["b/1", "b/2", "c"]);
    }
}
