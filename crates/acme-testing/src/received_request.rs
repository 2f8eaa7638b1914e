//! A request as a transport got it, and what is signed in it.

use std::fmt;

use acme_client::messages::jose::{FlattenedJws, Nonce, ProtectedHeader};
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use serde::de::DeserializeOwned;

/// A request on its way to a CA, with its JWS taken apart.
///
/// The signature is not checked: a CA does that, and [`FlattenedJws::verify`].
///
/// ```
/// use acme_testing::{ReceivedRequest, client::messages::jose};
/// use jose::{FlattenedJws, KeyType, PrivateKey, ProtectedHeader, Signer};
///
/// let url = "https://ca.example/order/1";
/// let key = PrivateKey::generate(KeyType::EcdsaP256)?;
/// let header = ProtectedHeader::with_kid(key.algorithm(), "https://ca.example/account/1", url);
/// let body = FlattenedJws::sign(&key, header, br#"{"csr":"MII"}"#)?.to_json();
///
/// let request = ReceivedRequest::new(&http::Request::post(url).body(body.into())?);
/// assert_eq!(request.protected().unwrap().kid.as_deref(), Some("https://ca.example/account/1"));
/// assert_eq!(request.payload_json(), Some(serde_json::json!({ "csr": "MII" })));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
    jws: Option<FlattenedJws>,
}

impl ReceivedRequest {
    /// Takes a request apart.
    #[must_use]
    pub fn new(request: &Request<Bytes>) -> Self {
        Self {
            method: request.method().clone(),
            url: request.uri().to_string(),
            headers: request.headers().clone(),
            body: request.body().clone(),
            jws: FlattenedJws::from_json(request.body()).ok(),
        }
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The first value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body as a JWS ([RFC 8555, section 6.2](https://www.rfc-editor.org/rfc/rfc8555#section-6.2));
    /// `None` when it is none.
    #[must_use]
    pub const fn jws(&self) -> Option<&FlattenedJws> {
        self.jws.as_ref()
    }

    /// The protected header of the JWS.
    #[must_use]
    pub fn protected(&self) -> Option<&ProtectedHeader> {
        Some(self.jws.as_ref()?.header())
    }

    /// The nonce in the protected header.
    #[must_use]
    pub fn nonce(&self) -> Option<&Nonce> {
        self.protected()?.nonce.as_ref()
    }

    /// The payload of the JWS, decoded; empty in a POST-as-GET.
    #[must_use]
    pub fn payload(&self) -> Option<&[u8]> {
        Some(self.jws.as_ref()?.payload())
    }

    /// The payload of the JWS as what its JSON stands for; `None` when it does not.
    #[must_use]
    pub fn payload_json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.payload()?).ok()
    }

    /// Whether it is a POST-as-GET ([RFC 8555, section 6.3](https://www.rfc-editor.org/rfc/rfc8555#section-6.3)).
    #[must_use]
    pub fn is_post_as_get(&self) -> bool {
        self.method == Method::POST && self.payload().is_some_and(<[u8]>::is_empty)
    }
}

/// Writes the method and the URL.
impl fmt::Display for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}
