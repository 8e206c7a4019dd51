//! The backend's address: TLS, or this very device.

/// The address of a backend, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

/// The address is none, or would send passwords in clear text over a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the backend's address must begin with https://, or with http:// on this very device, and be in ASCII"
)]
pub struct BadBaseUrl;

impl BaseUrl {
    /// Reads an address such as `https://api.example.com` or `http://127.0.0.1:8080`.
    pub fn parse(text: &str) -> Result<Self, BadBaseUrl> {
        let text = text.trim().trim_end_matches('/');
        let rest =
            text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(BadBaseUrl)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let plain = text.starts_with("http://");
        let odd = rest.contains(['?', '#', '@', '\\', ' '])
            || !rest.is_ascii()
            || rest.chars().any(char::is_control);
        if authority.is_empty() || odd || (plain && !is_loopback(authority)) {
            return Err(BadBaseUrl);
        }
        Ok(Self(text.to_owned()))
    }

    /// The whole address of a path, which begins with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_is_only_for_this_very_device() {
        for good in [
            "https://api.example.com",
            "http://127.0.0.1:8080/",
            "http://localhost:1",
            "http://[::1]:9",
            "https://xn--bcher-kva.example",
        ] {
            assert!(BaseUrl::parse(good).is_ok(), "{good}");
        }
        let bad = [
            "http://api.example.com",
            "ftp://x",
            "",
            "https://",
            "http://127.0.0.1@evil.example",
            "x",
            "https://bücher.example",
        ];
        for bad in bad {
            assert_eq!(BaseUrl::parse(bad), Err(BadBaseUrl), "{bad}");
        }
    }

    #[test]
    fn paths_join_without_a_double_slash() {
        let base = BaseUrl::parse("http://127.0.0.1:8080/").unwrap();
        assert_eq!(base.join("/v1/sync"), "http://127.0.0.1:8080/v1/sync");
    }
}
