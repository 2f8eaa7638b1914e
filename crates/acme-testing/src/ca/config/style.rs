//! Whose ways the CA has where CAs differ.

/// Whose ways the CA has where CAs differ in what they answer.
///
/// | case | `Rfc8555` | `Boulder` | `Pebble` |
/// |---|---|---|---|
/// | another `Content-Type` | 415 malformed | 400 malformed | 415 malformed |
/// | `url` is not the request's | 403 unauthorized | 400 malformed | 400 malformed |
/// | an algorithm it cannot verify | tells which it can | tells which it can | does not |
/// | terms not agreed to | 403 userActionRequired | 400 malformed | 403 userActionRequired |
/// | a closed account | 401 unauthorized | 403 unauthorized | 403 unauthorized |
/// | a closed account's `newAccount` | 401 unauthorized | 403 unauthorized | 403 unauthorized |
/// | an empty account update | nothing changes | nothing changes | 400 malformed |
/// | a CSR for other names | 400 badCSR | 403 unauthorized | 403 unauthorized |
/// | a CSR that cannot be read | 400 badCSR | 400 badCSR | 400 malformed |
/// | a common name in the CSR | is one of the names | must be an alternative name too | is one of the names |
/// | the answer to `finalize` | with `Location` | with `Location` | without |
/// | a challenge that is not pending | 200 | 200 | 400 malformed |
/// | a challenge answered wrongly | incorrectResponse | unauthorized | unauthorized |
/// | a key in use | 409 | 409 | 409, empty body |
/// | a reason to revoke | all of RFC 5280 | 0, 1, 4, 5; always 1 by the certificate's key | all of RFC 5280 |
/// | revoking what has expired | 200 | 403 unauthorized | 200 |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Style {
    /// The RFC's, to the letter.
    #[default]
    Rfc8555,
    /// Those of [Boulder](https://github.com/letsencrypt/boulder), which Let's Encrypt runs.
    Boulder,
    /// Those of [Pebble](https://github.com/letsencrypt/pebble), its test server.
    Pebble,
}
