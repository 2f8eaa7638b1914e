//! http-01: a file at a known path ([RFC 8555, section 8.3]), fetched as Boulder does.
//!
//! [RFC 8555, section 8.3]: https://www.rfc-editor.org/rfc/rfc8555#section-8.3

mod fetch;
mod target;

use std::net::IpAddr;

use acme_messages::Problem;
use http::StatusCode;

use super::{Look, Verdict};
use crate::ca::limits::{MAX_HTTP_01_BODY, MAX_REDIRECTS};
use fetch::{Answer, Body, fetch};
use target::Target;

/// Why nothing was fetched.
enum Miss {
    /// There was no connection: another address may do.
    Dial(Box<Problem>),
    /// It is so for good.
    Final(Box<Problem>),
}

impl From<Box<Problem>> for Miss {
    fn from(problem: Box<Problem>) -> Self {
        Self::Final(problem)
    }
}

pub(super) async fn validate(look: &Look) -> Verdict<()> {
    let first = Target::first(&look.job.name, &look.job.token);
    let mut addresses = look.addresses(&first.host).await?.into_iter().peekable();
    while let Some(address) = addresses.next() {
        match follow(look, &first, address).await {
            Ok(answer) => return judge(look, &answer),
            // Wherever the connection was missing, all begins again: so does Boulder.
            Err(Miss::Dial(_)) if addresses.peek().is_some() => {}
            Err(Miss::Dial(problem) | Miss::Final(problem)) => return Err(problem),
        }
    }
    Err(look.connection("there is no address to try"))
}

/// Follows redirects from the first target at this address to an answer that is none.
async fn follow(look: &Look, first: &Target, address: IpAddr) -> Result<Answer, Miss> {
    let (mut target, mut address) = (first.clone(), address);
    let mut seen = Vec::new();
    for _ in 0..=MAX_REDIRECTS {
        let answer = fetch(look, &target, address).await?;
        if !redirects(look, answer.status)? {
            return Ok(answer);
        }
        let next = target
            .redirected(answer.location.as_ref())
            .map_err(|detail| look.connection(format_args!("a redirect {detail}")))?;
        seen.push(target);
        if seen.contains(&next) {
            let detail = format_args!("the redirects go in a circle, by {next}");
            return Err(look.connection(detail).into());
        }
        // Other hosts are given one try alone: so does Boulder.
        let addresses = look.addresses(&next.host).await?;
        address = *addresses.first().ok_or_else(|| look.nowhere(&next.host))?;
        target = next;
    }
    let detail = format_args!("there are more than {MAX_REDIRECTS} redirects");
    Err(look.connection(detail).into())
}

/// Whether a status is one of the redirects that a CA may follow ([Baseline Requirements,
/// section 3.2.2.4.19]).
///
/// [Baseline Requirements, section 3.2.2.4.19]: https://cabforum.org/working-groups/server/baseline-requirements/requirements/
fn redirects(look: &Look, status: StatusCode) -> Verdict<bool> {
    match status {
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => Ok(true),
        StatusCode::SEE_OTHER => {
            Err(look.connection("a redirect has the status 303, which no CA may follow"))
        }
        _ => Ok(false),
    }
}

fn judge(look: &Look, answer: &Answer) -> Verdict<()> {
    if answer.status != StatusCode::OK {
        let status = answer.status.as_u16();
        return Err(look.unauthorized(format_args!("the status is {status}")));
    }
    match &answer.body {
        Body::BrokenOff => Err(look.unauthorized("the answer breaks off")),
        Body::TooLong => Err(look.wrong(format_args!(
            "the answer has {MAX_HTTP_01_BODY} bytes or more"
        ))),
        Body::Whole(body)
            if body.trim_ascii_end() == look.job.key_authorization.as_str().as_bytes() =>
        {
            Ok(())
        }
        Body::Whole(_) => Err(look.wrong("the answer is not the key authorization")),
    }
}
