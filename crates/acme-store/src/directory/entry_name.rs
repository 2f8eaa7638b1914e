//! The one way from a server name to a file name, and back.

use std::ffi::OsStr;

use acme_messages::ServerName;

use crate::StoreError;

/// The end of the file name of each entry.
const SUFFIX: &str = ".pem";

/// Characters of names that file systems made for other systems refuse.
pub(super) const NOT_EVERYWHERE: [char; 2] = ['*', ':'];

/// The name of an entry's file: a checked name, in lower case, and `.pem`.
///
/// It never holds a separator and never begins with a dot, since no
/// [`ServerName`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EntryName {
    name: ServerName,
    file: String,
}

impl EntryName {
    /// The file for a name, unless it is over `limit` bytes long.
    pub(super) fn new(name: &ServerName, limit: usize) -> Result<Self, StoreError> {
        let text = name.to_string();
        // Where case does not count, this is the file of txsni's default host.
        if text == "default" {
            return Err(StoreError::NameNotAllowed { name: name.clone() });
        }
        if text.len() + SUFFIX.len() > limit {
            return Err(StoreError::NameTooLong {
                name: name.clone(),
                limit: limit.saturating_sub(SUFFIX.len()),
            });
        }
        Ok(Self {
            name: name.clone(),
            file: text + SUFFIX,
        })
    }

    /// What the file is called.
    pub(super) fn as_str(&self) -> &str {
        &self.file
    }

    /// Whose file it is.
    pub(super) const fn name(&self) -> &ServerName {
        &self.name
    }

    /// What of the file's name some file systems do not take.
    pub(super) fn not_everywhere(&self) -> String {
        let mut characters: Vec<_> = self.file.matches(NOT_EVERYWHERE).collect();
        characters.dedup();
        characters.concat()
    }
}

/// What a file of the directory is, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileName {
    /// The entry of this name.
    Entry(ServerName),
    /// `DEFAULT.pem`, which is the operator's.
    Default,
    /// A `.pem` file whose name is none that we would write.
    Odd,
    /// Not a `.pem` file.
    Other,
}

impl FileName {
    pub(super) fn of(file: &OsStr) -> Self {
        let Some(stem) = file.as_encoded_bytes().strip_suffix(SUFFIX.as_bytes()) else {
            return Self::Other;
        };
        if stem == b"DEFAULT" {
            return Self::Default;
        }
        let name = std::str::from_utf8(stem)
            .ok()
            .filter(|stem| *stem != "default")
            .and_then(|stem| Some((stem, stem.parse::<ServerName>().ok()?)))
            .filter(|(stem, name)| match name {
                ServerName::Dns(name) => name.as_str() == *stem,
                ServerName::Ip(address) => address.to_string() == *stem,
            });
        name.map_or(Self::Odd, |(_, name)| Self::Entry(name))
    }

    /// Whether it is worth a closer look: a file that is more than [`Other`](Self::Other).
    pub(super) fn may_be_entry(file: &[u8]) -> bool {
        file.ends_with(SUFFIX.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // S10, S11, D1, D8, D11, T39, T41
    #[test]
    fn files_are_told_apart_by_their_names() {
        let check = |file: &str, expected: FileName| {
            assert_eq!(FileName::of(OsStr::new(file)), expected, "{file}");
        };
        for name in [
            "a.example.com",
            "*.example.com",
            "192.0.2.1",
            "2001:db8::1",
            "localhost",
        ] {
            check(
                &format!("{name}.pem"),
                FileName::Entry(name.parse().unwrap()),
            );
        }
        check("DEFAULT.pem", FileName::Default);
        for odd in [
            ".pem",
            ".x.pem",
            "..pem",
            "...pem",
            "A.example.com.pem",
            "default.pem",
            "a.example.com..pem",
            "a.example.com,b.example.com.pem",
            "*.pem",
            "a_b.pem",
            "2001:DB8::1.pem",
            "bücher.pem",
            "wildcard_.example.com.pem",
        ] {
            check(odd, FileName::Odd);
        }
        for other in [
            "client.key",
            "lancer.json",
            "a.example.com.PEM",
            "pem",
            ".0a.tmp",
        ] {
            check(other, FileName::Other);
        }
    }
}
