//! Renewal information ([RFC 9773, section 4]).
//!
//! [RFC 9773, section 4]: https://www.rfc-editor.org/rfc/rfc9773#section-4

use std::time::Duration;

use acme_messages::{CertificateInfo, RenewalInfo, SuggestedWindow, Timestamp};
use http::StatusCode;

use super::{
    authority::Authority,
    limits::SHORT_LIVED,
    reply::{Answer, Refusal, Reply},
};

const SECOND: Duration = Duration::from_secs(1);

impl Authority {
    pub(super) fn renewal_info(&self, name: &str) -> Answer {
        let config = self.config();
        let now = self.now();
        let state = self.state();
        let found = state.certificate_by_name.get(name);
        let record = found
            .and_then(|id| state.certificates.get(id))
            .ok_or_else(Refusal::not_found)?;
        let window = match config.renewal.window {
            Some(window) => window,
            None if record.revocation.is_some() => at_once(now),
            None => ideal(record.chain.leaf()),
        };
        let mut info = RenewalInfo::new(window);
        info.explanation_url = config.renewal.explanation_url.clone();
        let reply = Reply::json(StatusCode::OK, &info);
        Ok(reply.retry_after(Some(config.renewal.retry_after)))
    }
}

/// Let's Encrypt's window: with a third of the life left, or half of a short
/// one, give or take a hundredth of it.
fn ideal(leaf: &CertificateInfo) -> SuggestedWindow {
    let seconds = leaf.not_after.as_second() - leaf.not_before.as_second() + 1;
    let lifetime = Duration::from_secs(seconds.unsigned_abs());
    let left = if lifetime < SHORT_LIVED {
        lifetime / 2
    } else {
        lifetime / 3
    };
    let middle = earlier(leaf.not_after, left);
    let margin = Duration::from_secs((lifetime / 100).as_secs().max(1));
    // Within the life, for as long as that is longer than a second.
    let start = earlier(middle, margin).max(leaf.not_before);
    let end = middle.checked_add(margin).unwrap_or(middle);
    let least = start.checked_add(SECOND).unwrap_or(start);
    SuggestedWindow {
        start,
        end: end.min(leaf.not_after).max(least),
    }
}

/// A window that is over: renew now.
fn at_once(now: Timestamp) -> SuggestedWindow {
    SuggestedWindow {
        start: earlier(now, Duration::from_secs(60 * 60)),
        end: earlier(now, Duration::from_secs(30 * 60)),
    }
}

fn earlier(time: Timestamp, span: Duration) -> Timestamp {
    let whole = Duration::from_secs(span.as_secs());
    time.checked_sub(whole).unwrap_or(time)
}
