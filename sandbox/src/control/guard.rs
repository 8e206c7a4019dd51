//! Keeps web pages of other origins away from the control API: they share the machine's loopback with it.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::answers::Trouble;

/// Lets through what is addressed to this machine by a loopback name, and comes from no foreign page.
pub async fn only_this_machine(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let by_name = host(headers).is_some_and(is_loopback);
    let from_here = headers.get(header::ORIGIN).is_none_or(is_local_page);
    if by_name && from_here {
        next.run(request).await
    } else {
        Trouble::forbidden("The control API is for programs on this machine, by 127.0.0.1 or localhost.")
            .into_response()
    }
}

fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Some(
        host.rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|it| it.is_ascii_digit()))
            .map_or(host, |(name, _)| name),
    )
}

/// Whether the page that asks is of this machine; one without a name is not.
fn is_local_page(origin: &HeaderValue) -> bool {
    let page = origin.to_str().ok().and_then(|it| it.parse::<Uri>().ok());
    page.as_ref().and_then(Uri::host).is_some_and(is_loopback)
}

fn is_loopback(name: &str) -> bool {
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}
