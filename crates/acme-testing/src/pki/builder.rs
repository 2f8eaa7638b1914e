//! How a certificate authority for tests is made up.

use acme_messages::jose::KeyType;

use super::{PkiError, TestPki, issuer::Issuer, random};

/// Makes up a [`TestPki`].
///
/// ```
/// use acme_testing::TestPki;
///
/// let pki = TestPki::builder().intermediates(3).alternate_roots(2).build()?;
/// assert_eq!(pki.roots_pem().len(), 3);
/// # Ok::<_, acme_testing::PkiError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TestPkiBuilder {
    name: Option<String>,
    key_type: KeyType,
    intermediates: u8,
    alternate_roots: u8,
}

impl TestPkiBuilder {
    pub(super) const fn new() -> Self {
        Self {
            name: None,
            key_type: KeyType::EcdsaP256,
            intermediates: 1,
            alternate_roots: 0,
        }
    }

    /// What the common names of its certificates begin with; by default
    /// `acme-testing`, and something random at the end, so that several differ.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The kind of the CA's own keys; P-256 by default. Others take features.
    pub const fn key_type(mut self, key_type: KeyType) -> Self {
        self.key_type = key_type;
        self
    }

    /// How many intermediates stand between root and leaf; 1 by default, and 0
    /// lets the root issue leaves.
    pub const fn intermediates(mut self, count: u8) -> Self {
        self.intermediates = count;
        self
    }

    /// How many more roots have signed the topmost intermediate, each making for
    /// another chain; 0 by default. Without intermediates there are none.
    pub const fn alternate_roots(mut self, count: u8) -> Self {
        self.alternate_roots = count;
        self
    }

    /// Makes keys and certificates.
    ///
    /// # Errors
    /// - [`PkiError::KeyType`] when this build has no such keys.
    /// - [`PkiError::NoRandomness`] when the system has none to give.
    /// - [`PkiError::Encode`] when the name cannot stand in a certificate.
    pub fn build(self) -> Result<TestPki, PkiError> {
        let (prefix, tag) = match self.name {
            Some(name) => (name, String::new()),
            None => {
                let tag = random::<4>()?;
                let tag = tag.iter().map(|it| format!("{it:02x}"));
                (
                    "acme-testing".to_owned(),
                    format!(" {}", tag.collect::<String>()),
                )
            }
        };
        let kind = self.key_type;
        let root = Issuer::root(&format!("{prefix} root{tag}"), kind)?;
        let mut intermediates: Vec<Issuer> = Vec::new();
        for number in 0..self.intermediates {
            let name = match number {
                0 => format!("{prefix} intermediate{tag}"),
                _ => format!("{prefix} intermediate {}{tag}", number + 1),
            };
            let above = intermediates.last().unwrap_or(&root);
            let below = self.intermediates - number - 1;
            intermediates.push(above.intermediate(&name, kind, below)?);
        }
        let mut alternates = Vec::new();
        if let Some(top) = intermediates.first() {
            for number in 0..self.alternate_roots {
                let name = format!("{prefix} alternate root {}{tag}", number + 1);
                let root = Issuer::root(&name, kind)?;
                let cross = root.cross_sign(top, self.intermediates - 1)?;
                alternates.push((root, cross));
            }
        }
        Ok(TestPki {
            root,
            intermediates,
            alternates,
        })
    }
}
