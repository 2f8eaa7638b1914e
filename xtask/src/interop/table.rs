//! The table: what each client came to, as Markdown.

use std::fmt;

/// What became of one operation of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The client cannot do it, and why.
    Cannot(String),
    /// The client has a defect here, and which.
    Defect(String),
    /// It went wrong, and how.
    Failed(String),
    /// It went as it should.
    Passed,
}

impl Verdict {
    const fn word(&self) -> &'static str {
        match self {
            Self::Cannot(_) => "n/a",
            Self::Defect(_) => "client's defect",
            Self::Failed(_) => "**failed**",
            Self::Passed => "yes",
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Cannot(it) | Self::Defect(it) | Self::Failed(it) => Some(it),
            Self::Passed => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            Some(reason) => write!(f, "{}: {reason}", self.word()),
            None => f.write_str(self.word()),
        }
    }
}

/// A row an operation, a column a client.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<String>,
    rows: Vec<(&'static str, Vec<Option<Verdict>>)>,
}

impl Table {
    pub(super) fn new(columns: impl Iterator<Item = String>) -> Self {
        Self {
            columns: columns.collect(),
            rows: Vec::new(),
        }
    }

    pub(super) fn set(&mut self, title: &'static str, column: usize, verdict: Verdict) {
        let place = match self.rows.iter().position(|row| row.0 == title) {
            Some(place) => place,
            None => {
                self.rows.push((title, vec![None; self.columns.len()]));
                self.rows.len() - 1
            }
        };
        if let Some(cell) = self.rows[place].1.get_mut(column) {
            *cell = Some(verdict);
        }
    }

    /// How many operations went wrong.
    pub(super) fn failures(&self) -> usize {
        let cells = self.rows.iter().flat_map(|row| row.1.iter().flatten());
        cells
            .filter(|cell| matches!(cell, Verdict::Failed(_)))
            .count()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| operation | {} |", self.columns.join(" | "))?;
        writeln!(f, "|---|{}", "---|".repeat(self.columns.len()))?;
        let mut notes: Vec<String> = Vec::new();
        for (title, cells) in &self.rows {
            write!(f, "| {title} |")?;
            for cell in cells.iter() {
                let Some(verdict) = cell else {
                    f.write_str(" |")?;
                    continue;
                };
                write!(f, " {}", verdict.word())?;
                if let Some(reason) = verdict.reason() {
                    let known = notes.iter().position(|note| note == reason);
                    let number = known.unwrap_or(notes.len());
                    if known.is_none() {
                        notes.push(reason.to_owned());
                    }
                    write!(f, " ({})", number + 1)?;
                }
                f.write_str(" |")?;
            }
            writeln!(f)?;
        }
        writeln!(f)?;
        for (number, note) in notes.iter().enumerate() {
            writeln!(f, "{}. {note}", number + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_stand_below_once_each() {
        let mut table = Table::new(["certbot 2".to_owned(), "lego 4".to_owned()].into_iter());
        let cannot = || Verdict::Cannot("it has no command".to_owned());
        table.set("register", 0, Verdict::Passed);
        table.set("register", 1, cannot());
        table.set("renew", 1, Verdict::Failed("timeout".to_owned()));
        table.set("close", 1, cannot());
        assert_eq!(
            table.to_string(),
            "| operation | certbot 2 | lego 4 |\n\
             |---|---|---|\n\
             | register | yes | n/a (1) |\n\
             | renew | | **failed** (2) |\n\
             | close | | n/a (1) |\n\
             \n\
             1. it has no command\n\
             2. timeout\n"
        );
        assert_eq!(table.failures(), 1);
    }
}
