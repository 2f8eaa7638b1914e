//! Rust source without what is not code: comments and the contents of literals are blanked.

/// The text with comments and the contents of string and character literals replaced by blanks.
///
/// Lines keep their numbers, so that a place found in the result is a place in the file.
pub(super) fn code_only(source: &str) -> String {
    let mut scanner = Scanner {
        rest: source,
        out: String::with_capacity(source.len()),
    };
    while !scanner.rest.is_empty() {
        scanner.next();
    }
    scanner.out
}

/// The code of a file without its tests: up to `#[cfg(test)]` before a module, by convention the last.
pub(super) fn without_tests(code: &str) -> &str {
    let mut offset = 0;
    let mut attribute = None;
    for line in code.split_inclusive('\n') {
        let text = line.trim();
        if text.starts_with("#[cfg(test)]") {
            attribute = Some(offset);
        } else if let Some(start) = attribute {
            if text.starts_with("mod ") || text.starts_with("pub(crate) mod ") {
                return code.get(..start).unwrap_or(code);
            }
            if !text.is_empty() && !text.starts_with("#[") {
                attribute = None;
            }
        }
        offset += line.len();
    }
    code
}

/// Whether `word` stands in `line` by itself and not within a longer name.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line
            .get(start + word.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
    })
}

struct Scanner<'a> {
    rest: &'a str,
    out: String,
}

impl Scanner<'_> {
    /// Consumes one comment, literal or character.
    fn next(&mut self) {
        let in_name = self
            .out
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '_');
        if self.rest.starts_with("//") {
            let length = self.rest.find('\n').unwrap_or(self.rest.len());
            self.blank(length);
        } else if self.rest.starts_with("/*") {
            self.blank(block_comment(self.rest));
        } else if let Some(length) = raw_string(self.rest).filter(|_| !in_name) {
            self.blank(length);
        } else if self.rest.starts_with('"') {
            self.blank(quoted(self.rest, '"'));
        } else if is_character_literal(self.rest) {
            self.blank(quoted(self.rest, '\''));
        } else {
            self.keep();
        }
    }

    fn keep(&mut self) {
        let mut characters = self.rest.chars();
        self.out.extend(characters.next());
        self.rest = characters.as_str();
    }

    fn blank(&mut self, length: usize) {
        let (gone, rest) = self.rest.split_at(length);
        self.out
            .extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        self.rest = rest;
    }
}

/// The length of a block comment, others nested in it included.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut index = 0;
    while let Some(rest) = text.get(index..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            index += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            index += 2;
            if depth == 0 {
                return index;
            }
        } else {
            index += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a literal such as `r#"…"#` or `br"…"`, if one begins here.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    })?;
    let rest = text.strip_prefix(prefix)?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    let start = prefix.len() + hashes + 1;
    let length = text.get(start..)?.find(&end);
    Some(length.map_or(text.len(), |length| start + length + end.len()))
}

/// The length of a literal up to its closing quote, escapes respected.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == quote {
            return index + character.len_utf8();
        }
    }
    text.len()
}

/// `'x'` and `'\n'`, but not the lifetime in `&'a str`.
fn is_character_literal(text: &str) -> bool {
    let mut characters = text.chars();
    if characters.next() != Some('\'') {
        return false;
    }
    match characters.next() {
        Some('\\') => true,
        Some(_) => characters.next() == Some('\''),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_remains() {
        for (source, expected) in [
            ("a(); // println!", "a();"),
            ("/// println!(1)\nb();", "\nb();"),
            ("/* a /* b */ println! */c", "c"),
            (r#"f("println! \" // x"); g"#, "f(); g"),
            (r##"f(r#"println! " x"#); g"##, "f(); g"),
            (r#"f(b"unsafe", br"unsafe")"#, "f(b,)"),
            ("f('\"'); println!", "f(); println!"),
            (
                "fn f<'a>(x: &'a str) { unsafe }",
                "fn f<'a>(x: &'a str) { unsafe }",
            ),
            ("let var\"x\";", "let var;"),
            ("'\\'' unsafe", "unsafe"),
            ("\"é\" 'é' x", "x"),
            ("\"never closed", ""),
        ] {
            let code: Vec<String> = code_only(source).lines().map(squeeze).collect();
            assert_eq!(code.join("\n"), squeeze_lines(expected), "{source}");
        }
    }

    fn squeeze(line: &str) -> String {
        line.chars().filter(|c| *c != ' ').collect()
    }

    fn squeeze_lines(text: &str) -> String {
        text.lines().map(squeeze).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn lines_keep_their_numbers() {
        let source = "/* one\ntwo */\n\"three\nfour\"\nfive";
        let code = code_only(source);
        assert_eq!(code.lines().count(), 5);
        assert_eq!(code.lines().nth(4), Some("five"));
    }

    #[test]
    fn tests_are_cut_off_but_code_beside_them_is_not() {
        let code = "a\n#[cfg(test)]\nuse x;\nb\n#[cfg(test)]\n#[allow(x)]\nmod tests {\nc\n}\n";
        assert_eq!(without_tests(code), "a\n#[cfg(test)]\nuse x;\nb\n");
    }

    #[test]
    fn a_word_is_not_found_within_a_name() {
        assert!(has_word("x = unsafe {", "unsafe"));
        assert!(!has_word("forbid(unsafe_code)", "unsafe"));
        assert!(!has_word("is_unsafe()", "unsafe"));
        assert!(has_word("eprint!(", "eprint!("));
        assert!(!has_word("eprintln!(x)", "println!"));
    }
}
