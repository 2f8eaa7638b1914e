//! Problem documents ([RFC 9457], [RFC 8555, section 6.7]).
//!
//! [RFC 9457]: https://www.rfc-editor.org/rfc/rfc9457
//! [RFC 8555, section 6.7]: https://www.rfc-editor.org/rfc/rfc8555#section-6.7

mod kind;

use std::{
    fmt::{self, Write},
    ops::{Deref, DerefMut},
};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Identifier, lenient::wrong_as_default};

pub use kind::ProblemType;

/// What the CA says went wrong ([RFC 8555, section 6.7]).
///
/// Its members are those of [`ProblemDetails`], read and set as if they were its own.
/// They live in a box, so that a `Result<_, Problem>` is as small as a pointer.
///
/// ```
/// use acme_messages::{Problem, ProblemType};
///
/// let text = r#"{"type":"urn:ietf:params:acme:error:caa","detail":"forbidden by CAA"}"#;
/// let mut problem: Problem = serde_json::from_str(text)?;
/// assert_eq!(problem.kind, ProblemType::Caa);
/// assert_eq!(problem.to_string(), "caa: forbidden by CAA");
///
/// problem.status = Some(403);
/// assert!(serde_json::to_string(&problem)?.contains(r#""status":403"#));
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// [RFC 8555, section 6.7]: https://www.rfc-editor.org/rfc/rfc8555#section-6.7
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Problem(Box<ProblemDetails>);

impl Problem {
    /// A problem with a kind and words for people.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self::from(ProblemDetails {
            kind,
            detail: Some(detail.into()),
            ..ProblemDetails::default()
        })
    }

    /// The members by themselves.
    #[must_use]
    pub fn into_details(self) -> ProblemDetails {
        *self.0
    }
}

/// The members of a [`Problem`]; each may be absent.
///
/// A member that has not the type it should have is read as absent
/// ([RFC 9457, section 3.1]): a CA's slip in telling what went wrong hides
/// neither the rest nor the object that the problem came with.
///
/// [RFC 9457, section 3.1]: https://www.rfc-editor.org/rfc/rfc9457#section-3.1
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProblemDetails {
    /// What kind of problem it is; dispatch on this, not on the HTTP status.
    #[serde(rename = "type", deserialize_with = "wrong_as_default")]
    pub kind: ProblemType,
    /// A short title.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wrong_as_default"
    )]
    pub title: Option<String>,
    /// The HTTP status that the server meant.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wrong_as_default"
    )]
    pub status: Option<u16>,
    /// The words for people; clients should show them.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wrong_as_default"
    )]
    pub detail: Option<String>,
    /// Where a person can act, for `userActionRequired` ([RFC 8555, section 7.3.3]).
    ///
    /// [RFC 8555, section 7.3.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.3
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wrong_as_default"
    )]
    pub instance: Option<String>,
    /// What the problem is with; on the wire in subproblems only.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wrong_as_default"
    )]
    pub identifier: Option<Identifier>,
    /// The signature algorithms that the server takes, for `badSignatureAlgorithm`
    /// ([RFC 8555, section 6.2]).
    ///
    /// [RFC 8555, section 6.2]: https://www.rfc-editor.org/rfc/rfc8555#section-6.2
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wrong_as_default"
    )]
    pub algorithms: Vec<String>,
    /// One problem for each identifier ([RFC 8555, section 6.7.1]).
    ///
    /// [RFC 8555, section 6.7.1]: https://www.rfc-editor.org/rfc/rfc8555#section-6.7.1
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wrong_as_default"
    )]
    pub subproblems: Vec<Problem>,
}

/// Reads `{}`, which some CAs send for "no error", as none, and a bare text as the words for
/// people that it is.
pub(crate) fn empty_as_none<'de, D>(deserializer: D) -> Result<Option<Problem>, D::Error>
where
    D: Deserializer<'de>,
{
    let problem = match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) if !text.is_empty() => {
            Some(Problem::from(ProblemDetails {
                detail: Some(text),
                ..ProblemDetails::default()
            }))
        }
        other => serde_json::from_value(other).ok(),
    };
    Ok(problem.filter(|it| *it != Problem::default()))
}

impl Deref for Problem {
    type Target = ProblemDetails;

    fn deref(&self) -> &ProblemDetails {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut ProblemDetails {
        &mut self.0
    }
}

impl From<ProblemDetails> for Problem {
    fn from(details: ProblemDetails) -> Self {
        Self(Box::new(details))
    }
}

impl std::error::Error for Problem {}

/// Writes one line: control characters, which are a stranger's, become spaces.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(f, self.kind.short_name())?;
        if let Some(words) = self.detail.as_deref().or(self.title.as_deref()) {
            f.write_str(": ")?;
            write_line(f, words)?;
        }
        for sub in &self.subproblems {
            f.write_str(" [")?;
            if let Some(identifier) = &sub.identifier {
                write_line(f, &identifier.value)?;
                f.write_str(": ")?;
            }
            write!(f, "{sub}]")?;
        }
        Ok(())
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    text.chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .try_for_each(|it| f.write_char(it))
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
