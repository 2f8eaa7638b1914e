//! How a body travels: whole, or in one of the ways that clients must bear.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// The spaces of an endless body, at once.
const SPACES: Bytes = Bytes::from_static(&[b' '; 8192]);

/// How a body travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Delivery {
    #[default]
    Whole,
    /// Half of it, then an error.
    Cut,
    /// Spaces after it, for ever.
    Endless,
    /// A byte after each pause.
    Slow(Duration),
    /// Half of it, then nothing.
    Stalled,
}

/// A body on its way.
#[derive(Debug)]
pub(super) struct AnswerBody {
    left: Bytes,
    delivery: Delivery,
    pause: Option<Pin<Box<Sleep>>>,
}

impl AnswerBody {
    pub(super) fn new(mut body: Bytes, delivery: Delivery) -> Self {
        if matches!(delivery, Delivery::Cut | Delivery::Stalled) {
            body.truncate(body.len() / 2);
        }
        Self {
            left: body,
            delivery,
            pause: None,
        }
    }

    fn rest(&mut self) -> Option<Bytes> {
        Some(std::mem::take(&mut self.left)).filter(|it| !it.is_empty())
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Delivery::Slow(span) = self.delivery {
            if self.left.is_empty() {
                return Poll::Ready(None);
            }
            let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(span)));
            ready!(pause.as_mut().poll(context));
            self.pause = None;
            let byte = self.left.split_to(1);
            return Poll::Ready(Some(Ok(Frame::data(byte))));
        }
        if let Some(rest) = self.rest() {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        match self.delivery {
            Delivery::Whole | Delivery::Slow(_) => Poll::Ready(None),
            Delivery::Cut => {
                let error = io::Error::from(io::ErrorKind::ConnectionAborted);
                Poll::Ready(Some(Err(error)))
            }
            Delivery::Endless => Poll::Ready(Some(Ok(Frame::data(SPACES)))),
            // Whoever waits gives up some time, and then this is dropped.
            Delivery::Stalled => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        let complete = matches!(self.delivery, Delivery::Whole | Delivery::Slow(_));
        complete && self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.delivery {
            Delivery::Whole => SizeHint::with_exact(self.left.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
