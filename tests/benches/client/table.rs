//! The middle of several rounds, and each client beside ours.

use std::collections::BTreeMap;
use std::fmt;

use crate::issuer::Kind;
use crate::measurement::Measurement;

/// The measurements by how many at once and by client, a round each.
#[derive(Debug, Default)]
pub(crate) struct Table(BTreeMap<(u32, Kind), Vec<Measurement>>);

impl Table {
    pub(crate) fn add(&mut self, width: u32, kind: Kind, measured: Measurement) {
        self.0.entry((width, kind)).or_default().push(measured);
    }

    /// The middle of a figure in relation to ours of the same round.
    fn beside_ours(&self, width: u32, kind: Kind, of: fn(&Measurement) -> f64) -> Option<f64> {
        let ours = self.0.get(&(width, Kind::Ours))?.iter().map(of);
        let theirs = self.0.get(&(width, kind))?.iter().map(of);
        Some(middle(theirs.zip(ours).map(|(theirs, ours)| theirs / ours)))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| at once | client | certificates/s | ms each | CPU ms each | requests each | time, CPU, requests beside ours |"
        )?;
        write!(f, "|---|---|---|---|---|---|---|")?;
        for (&(width, kind), rounds) in &self.0 {
            let of = |figure: fn(&Measurement) -> f64| middle(rounds.iter().map(figure));
            let beside = |figure| self.beside_ours(width, kind, figure).unwrap_or(f64::NAN);
            let client = match kind {
                Kind::Ours => "acme-client",
                Kind::OursAlone => "acme-client without aws-lc-rs for its keys",
                Kind::Peer => "instant-acme, tuned",
                Kind::PeerDefault => "instant-acme",
            };
            write!(
                f,
                "\n| {width} | {client} | {:.1} | {:.2} | {:.2} | {:.1} | {:.2}, {:.2}, {:.2} |",
                1e3 / of(|it| it.wall),
                of(|it| it.wall),
                of(|it| it.cpu),
                of(|it| it.requests),
                beside(|it| it.wall),
                beside(|it| it.cpu),
                beside(|it| it.requests),
            )?;
        }
        Ok(())
    }
}

fn middle(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
