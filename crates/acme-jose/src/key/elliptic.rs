//! The secret of an elliptic key, and what signs with it.

use std::sync::OnceLock;

/// A secret whose signing key is made when it is first needed.
///
/// The signing key computes the public half as it is made, which costs as much as a signature;
/// a key that another library made and signs with never needs it.
#[derive(Clone)]
pub(super) struct Elliptic<Secret, SigningKey> {
    secret: Secret,
    signing_key: OnceLock<SigningKey>,
}

impl<Secret, SigningKey: for<'a> From<&'a Secret>> Elliptic<Secret, SigningKey> {
    pub(super) const fn new(secret: Secret) -> Self {
        Self {
            secret,
            signing_key: OnceLock::new(),
        }
    }

    pub(super) const fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(super) fn signing_key(&self) -> &SigningKey {
        self.signing_key
            .get_or_init(|| SigningKey::from(&self.secret))
    }
}
