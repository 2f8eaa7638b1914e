//! What a name points to: its current generation, and those of before.

use bytes::Bytes;

use super::generation::GenerationId;
use crate::{BundleError, Version};

const FIRST: &str = "acme-certificate-pointer 1";

/// The generations of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pointer {
    /// `None` asks for a certificate.
    current: Option<GenerationId>,
    /// The others, the newest first.
    previous: Vec<GenerationId>,
}

/// A pointer as it is there, damaged or not.
pub(super) struct Kept {
    pub(super) pointer: Result<Pointer, BundleError>,
    pub(super) version: Version,
}

impl Pointer {
    pub(super) const fn new(current: Option<GenerationId>, previous: Vec<GenerationId>) -> Self {
        Self { current, previous }
    }

    pub(super) const fn current(&self) -> Option<GenerationId> {
        self.current
    }

    /// All generations, the current one first.
    pub(super) fn all(&self) -> impl Iterator<Item = GenerationId> {
        self.current
            .into_iter()
            .chain(self.previous.iter().copied())
    }

    pub(super) fn has(&self, id: GenerationId) -> bool {
        self.all().any(|it| it == id)
    }

    /// Points to a new generation, and keeps so many others.
    pub(super) fn moved_to(&self, id: GenerationId, kept: usize) -> Self {
        Self::new(Some(id), self.all().take(kept).collect())
    }

    /// Points to one of the previous, and keeps the others: the one that was left
    /// last comes last.
    pub(super) fn back_to(&self, id: GenerationId) -> Self {
        let mut previous = self.previous.clone();
        previous.retain(|it| *it != id);
        previous.extend(self.current);
        Self::new(Some(id), previous)
    }

    pub(super) fn to_bytes(&self) -> Bytes {
        let mut text = format!("{FIRST}\n");
        if let Some(current) = self.current {
            text.push_str(&format!("current {current}\n"));
        }
        for previous in &self.previous {
            text.push_str(&format!("previous {previous}\n"));
        }
        text.into()
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let text = std::str::from_utf8(bytes).map_err(|_| BundleError::Malformed)?;
        let mut lines = text.lines();
        if lines.next() != Some(FIRST) {
            return Err(BundleError::Malformed);
        }
        let mut pointer = Self::default();
        for line in lines {
            let (word, id) = line.split_once(' ').ok_or(BundleError::Malformed)?;
            let id = id.parse()?;
            match word {
                "current" if pointer.current.is_none() => pointer.current = Some(id),
                "previous" => pointer.previous.push(id),
                _ => return Err(BundleError::Malformed),
            }
        }
        Ok(pointer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: u8) -> GenerationId {
        GenerationId::from_bytes([digit; 16])
    }

    #[test]
    fn texts_come_back_and_others_are_refused() {
        for pointer in [
            Pointer::default(),
            Pointer::new(Some(id(1)), vec![]),
            Pointer::new(Some(id(1)), vec![id(2), id(3)]),
        ] {
            assert_eq!(Pointer::parse(&pointer.to_bytes()), Ok(pointer));
        }
        let two = format!("{FIRST}\ncurrent {}\ncurrent {}\n", id(1), id(2));
        let short = format!("{FIRST}\ncurrent 01\n");
        for foreign in ["", "acme-certificate-pointer 2\n", "\u{fc}", &two, &short] {
            assert_eq!(
                Pointer::parse(foreign.as_bytes()),
                Err(BundleError::Malformed)
            );
        }
    }

    #[test]
    fn moves_keep_what_they_leave() {
        let first = Pointer::default().moved_to(id(1), 2);
        assert_eq!(first, Pointer::new(Some(id(1)), vec![]));
        let third = first.moved_to(id(2), 2).moved_to(id(3), 2);
        assert_eq!(third, Pointer::new(Some(id(3)), vec![id(2), id(1)]));
        assert_eq!(
            third.moved_to(id(4), 2),
            Pointer::new(Some(id(4)), vec![id(3), id(2)])
        );
        let back = third.back_to(id(2));
        assert_eq!(back, Pointer::new(Some(id(2)), vec![id(1), id(3)]));
        // Full circle.
        assert_eq!(back.back_to(id(1)).back_to(id(3)), third);
    }
}
