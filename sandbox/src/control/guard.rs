//! Keeps web pages of other origins away from the control API: they share the machine's loopback with it.

use axum::{
    extract::Request,
    http::{HeaderMap, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::answers::Trouble;

/// Lets through what is addressed to this machine by a loopback name, and comes from no foreign page.
pub async fn only_this_machine(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let by_name = host(headers).is_some_and(is_loopback);
    let from_here = origin(headers).is_none_or(|origin| origin.as_deref().is_some_and(is_loopback));
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

/// The page that asks, where one does; its inner nothing is a page without a name.
fn origin(headers: &HeaderMap) -> Option<Option<String>> {
    let origin = headers.get(header::ORIGIN)?;
    let name = origin
        .to_str()
        .ok()
        .and_then(|it| it.parse::<Uri>().ok())
        .and_then(|it| it.host().map(str::to_owned));
    Some(name)
}

fn is_loopback(name: &str) -> bool {
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}
