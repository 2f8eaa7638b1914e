//! How each case of a conformance run ended.

use std::fmt;

/// The cases that told their end, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table(Vec<Row>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    name: String,
    result: String,
    remark: String,
}

impl Table {
    /// Reads lines of result, name and remark, with tabs between; what is none is passed over.
    pub(super) fn parse(text: &str) -> Self {
        let mut rows: Vec<_> = text
            .lines()
            .filter_map(|line| {
                let mut parts = line.splitn(3, '\t');
                Some(Row {
                    result: parts.next()?.to_owned(),
                    name: parts.next()?.to_owned(),
                    remark: parts.next().unwrap_or_default().to_owned(),
                })
            })
            .collect();
        rows.sort();
        Self(rows)
    }

    /// How many failed.
    pub(super) fn failed(&self) -> usize {
        self.0.iter().filter(|it| it.result == "FAILED").count()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|it| it.name.chars().count()).max();
        let width = width.unwrap_or_default();
        for Row {
            name,
            result,
            remark,
        } in &self.0
        {
            let line = format!("{name:width$}  {result:7}  {remark}");
            writeln!(f, "{}", line.trim_end())?;
        }
        let count = |result| self.0.iter().filter(|it| it.result == result).count();
        write!(
            f,
            "{} cases: {} passed, {} skipped, {} failed",
            self.0.len(),
            count("passed"),
            count("skipped"),
            self.failed(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_counted_and_aligned() {
        let table = Table::parse("passed\tten names\t\nFAILED\tan order\tno answer\nodd\n");
        assert_eq!(table.failed(), 1);
        let expected = "an order   FAILED   no answer\n\
            ten names  passed\n\
            2 cases: 1 passed, 0 skipped, 1 failed";
        assert_eq!(table.to_string(), expected);
        assert_eq!(Table::parse("").failed(), 0);
    }
}
