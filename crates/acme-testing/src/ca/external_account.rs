//! The binding of a new account to one elsewhere ([RFC 8555, section 7.3.4]).
//!
//! [RFC 8555, section 7.3.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4

use acme_messages::{
    ProblemType,
    jose::{BindingError, ExternalAccountBinding, Jwk},
};
use http::StatusCode;
use serde_json::Value;

use super::{authority::Authority, reply::Refusal};

impl Authority {
    /// Checks a binding; returns the external account's identifier, or `None` when
    /// there is no binding or none that this CA looks at.
    pub(super) fn check_binding(
        &self,
        binding: Option<&Value>,
        new_account_url: &str,
        account_key: &Jwk,
    ) -> Result<Option<String>, Refusal> {
        let config = &self.config().accounts;
        let Some(binding) = binding else {
            if config.external_account_required {
                let detail = "a new account must be bound to an external one";
                let kind = ProblemType::ExternalAccountRequired;
                return Err(Refusal::new(StatusCode::FORBIDDEN, kind, detail));
            }
            return Ok(None);
        };
        if config.external_accounts.is_empty() && !config.external_account_required {
            return Ok(None);
        }
        if !binding.is_object() {
            return Err(Refusal::malformed("externalAccountBinding: not an object"));
        }
        // Its form and its header are checked as it is read.
        let binding: ExternalAccountBinding = serde_json::from_value(binding.clone())
            .map_err(|error| Refusal::malformed(format!("externalAccountBinding: {error}")))?;
        let Some(key) = config.external_accounts.get(binding.key_id()) else {
            let detail = "there is no external account of that key identifier";
            return Err(Refusal::unauthorized(detail));
        };
        binding
            .check(key, new_account_url, account_key)
            .map_err(|error| match error {
                BindingError::BadMac => Refusal::unauthorized(error.to_string()),
                _ => Refusal::malformed(error.to_string()),
            })?;
        Ok(Some(binding.key_id().to_owned()))
    }
}
