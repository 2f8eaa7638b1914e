//! The files under a directory: regular ones, and nothing that a read could wait for.

use std::{convert::Infallible, path::PathBuf};

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::{Request, Response, StatusCode, body::Incoming};
use percent_encoding::percent_decode_str;
use tower_http::services::ServeDir;
use tower_service::Service;

/// Serves files; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Files {
    root: PathBuf,
    directory: ServeDir,
}

impl Files {
    pub(super) fn under(root: PathBuf) -> Self {
        Self {
            directory: ServeDir::new(&root),
            root,
        }
    }

    /// The answer to one request.
    pub(super) async fn respond(mut self, request: Request<Incoming>) -> Response<Body> {
        if self.is_special(request.uri().path()).await {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
        let answer: Result<_, Infallible> = self.directory.call(request).await;
        match answer {
            Ok(response) => response.map(|body| Body::new(body.map_err(axum::Error::new))),
            Err(never) => match never {},
        }
    }

    /// Whether a path leads to a pipe, a socket or a device: opening one may take for ever.
    async fn is_special(&self, path: &str) -> bool {
        let path = percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy();
        match tokio::fs::metadata(self.root.join(&*path)).await {
            Ok(metadata) => !metadata.is_file() && !metadata.is_dir(),
            // What cannot be looked at is the directory's to refuse.
            Err(_) => false,
        }
    }
}
