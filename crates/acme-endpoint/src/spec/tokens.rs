//! Twisted's string grammar: parts between colons, `name=value`, backslash escapes.

use super::EndpointSpecError;

/// One part of an endpoint string, its escapes resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// A part without a bare `=`.
    Positional(String),
    /// A part with one; later ones belong to the value.
    Keyword(String, String),
}

/// Splits a string into its parts.
pub(super) fn split(text: &str) -> Result<Vec<Argument>, EndpointSpecError> {
    let mut arguments = Vec::new();
    let mut name = None;
    let mut part = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped) => part.push(escaped),
                None => return Err(EndpointSpecError::TrailingBackslash),
            },
            ':' => arguments.push(argument(name.take(), std::mem::take(&mut part))),
            '=' if name.is_none() => name = Some(std::mem::take(&mut part)),
            other => part.push(other),
        }
    }
    arguments.push(argument(name, part));
    Ok(arguments)
}

fn argument(name: Option<String>, part: String) -> Argument {
    match name {
        Some(name) => Argument::Keyword(name, part),
        None => Argument::Positional(part),
    }
}

/// Writes a part so that [`split`] reads it back.
pub(super) fn escape(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    for character in part.chars() {
        if matches!(character, '\\' | ':' | '=') {
            text.push('\\');
        }
        text.push(character);
    }
    text
}
