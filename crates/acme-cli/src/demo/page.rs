//! The page that the demo serves.

use acme_endpoint::TlsListener;
use axum::{Router, response::Html, routing::get};

/// The protocols that axum speaks.
pub(super) const PROTOCOLS: [&str; 2] = ["h2", "http/1.1"];

const PAGE: &str = "<!doctype html>
<title>acme demo</title>
<h1>It works</h1>
<p>This page came over HTTPS with a certificate that was obtained by tls-alpn-01
on the very port you asked, and that keeps itself valid.</p>
";

/// Serves the page until the task is dropped.
pub(super) async fn serve(listener: TlsListener) {
    let app = Router::new().route("/", get(async || Html(PAGE)));
    if let Err(error) = axum::serve(listener, app).await {
        tracing::error!(%error, "the page is no longer served");
    }
}
