//! Where Portainer is: the checks of its URL, and the exact URL of each request.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use swarmsecrets_core::transport::RequestView;
use swarmsecrets_core::{Error, ErrorKind, Result, ids};

/// Everything but RFC 3986's unreserved characters: a space is `%20`, never `+`.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A checked base URL.
#[derive(Clone)]
pub(crate) struct Address {
    base: Url,
    /// The path before `/api`, without a slash at its end.
    prefix: String,
}

impl Address {
    /// Checks the URL that the user gave. Messages show it only once it is known to hold no credential.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| Err(Error::new(ErrorKind::Settings, format!("the URL of Portainer {why}")));
        if text.chars().any(|c| c.is_whitespace() || ids::is_unprintable(c)) {
            return bad("holds a space, a line break or a control character");
        }
        let Ok(base) = Url::parse(text) else {
            return bad("is not a URL: give it like `https://portainer.example.org:9443`");
        };
        if !matches!(base.scheme(), "http" | "https") {
            return bad("must begin with `https://` or `http://`, as in `https://portainer.example.org:9443`");
        }
        if !base.username().is_empty() || base.password().is_some() {
            return bad("holds a user name or a password: leave them out and give an API key");
        }
        if base.query().is_some() || base.fragment().is_some() {
            return bad("holds a `?` or a `#`: leave out what follows");
        }
        let prefix = base.path().trim_end_matches('/').to_owned();
        if prefix.ends_with("/api") {
            return bad("ends in `/api`: leave that out, it is added to each request");
        }
        Ok(Self { base, prefix })
    }

    /// The URL of a request, with its path exactly as it is and its query encoded.
    pub(crate) fn target(&self, request: &RequestView<'_>) -> Result<Url> {
        let path = format!("{}{}", self.prefix, request.path);
        let mut url = self.base.clone();
        url.set_path(&path);
        // The URL library resolves dots and encodes what may not stand in a path: then another object would be meant.
        if !request.path.starts_with('/') || url.path() != path {
            let what = request.what;
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("cannot {what}: its path cannot be sent as it is: {}", ids::quoted(request.path)),
            ));
        }
        if !request.query.is_empty() {
            url.set_query(Some(&encode(request.query)));
        }
        Ok(url)
    }

    /// Scheme, host and port, for messages.
    pub(crate) fn origin(&self) -> String {
        origin(&self.base)
    }

    /// Scheme, host, port and prefix, for messages.
    pub(crate) fn shown(&self) -> String {
        format!("{}{}", self.origin(), self.prefix)
    }

    /// Whether the way there is encrypted.
    pub(crate) fn is_https(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// Whether it is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.base)
    }
}

/// Scheme, host and port of a URL.
pub(crate) fn origin(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// Whether a URL's host is this machine by its name alone; nothing is looked up.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    ip.map_or(host == "localhost" || host.ends_with(".localhost"), |ip| ip.to_canonical().is_loopback())
}

fn encode(query: &[(&'static str, String)]) -> String {
    let mut out = String::new();
    for (key, value) in query {
        if !out.is_empty() {
            out.push('&');
        }
        out.extend(utf8_percent_encode(key, QUERY));
        out.push('=');
        out.extend(utf8_percent_encode(value, QUERY));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmsecrets_core::ids::EnvironmentId;
    use swarmsecrets_core::testing;
    use swarmsecrets_core::transport::Read;

    fn target(base: &str, path: &str) -> Result<String> {
        let read = testing::read(path, vec![], "look");
        Address::parse(base)?.target(&read.view()).map(String::from)
    }

    #[test]
    fn bad_urls_are_refused_without_being_shown() {
        for bad in [
            "",
            "portainer",
            "ftp://h",
            "file:///etc/passwd",
            "https://",
            "https://us3r@h",
            "https://us3r:pa55@h",
            "https://:pa55@h",
            "https://h?us3r=1",
            "https://h/#us3r",
            "https://h /",
            "https://h\n",
            "https://h\u{202e}",
            "https://h/api",
            "https://h/portainer/api/",
            "https://us3r:pa55@h:99999",
        ] {
            let error = Address::parse(bad).err().unwrap_or_else(|| panic!("{bad:?} was taken"));
            assert_eq!(error.kind(), ErrorKind::Settings, "{bad:?}");
            let shown = format!("{error:?}");
            assert!(!shown.contains("us3r") && !shown.contains("pa55"), "{shown}");
        }
    }

    #[test]
    fn a_prefix_and_slashes_are_kept_apart_from_the_path() {
        for (base, url) in [
            ("https://h", "https://h/api/x"),
            ("https://h/", "https://h/api/x"),
            ("https://h:9443", "https://h:9443/api/x"),
            ("https://h:443/portainer", "https://h/portainer/api/x"),
            ("http://h/portainer//", "http://h/portainer/api/x"),
            ("https://[::1]:9443/a/b/", "https://[::1]:9443/a/b/api/x"),
        ] {
            assert_eq!(target(base, "/api/x").unwrap(), url);
        }
    }

    #[test]
    fn a_path_is_sent_as_it_is_or_not_at_all() {
        for same in [
            "/api/a%2Fb",
            "/api/a%20b",
            "/api/a+b",
            "/api/a.b",
            "/api/a//b",
            "/api/%C3%A9",
            "/api/a%3Fb",
            "/api/A~b;c=d:e@f",
        ] {
            assert_eq!(target("http://h/p", same).unwrap(), format!("http://h/p{same}"));
        }
        for changed in [
            "api/x",
            "/api/../x",
            "/api/./x",
            "/api/%2e%2e/x",
            "/api/a b",
            "/api/é",
            "/api/a?b",
            "/api/a#b",
            "/api/a\\b",
            "/api/a\tb",
        ] {
            let error = target("http://h/p", changed).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{changed}");
        }
    }

    #[test]
    fn a_query_is_encoded_to_the_last_character() {
        let read =
            testing::read("/api/x", vec![("filters", r#"{"names":["a b+c&d=é'"]}"#.into()), ("n", "1".into())], "look");
        let url = Address::parse("http://h").unwrap().target(&read.view()).unwrap();
        assert_eq!(
            url.as_str(),
            "http://h/api/x?filters=%7B%22names%22%3A%5B%22a%20b%2Bc%26d%3D%C3%A9%27%22%5D%7D&n=1"
        );
        let named = Read::secret_named(EnvironmentId(3), &"db.v2_x-1".parse().unwrap());
        let url = Address::parse("http://h").unwrap().target(&named.view()).unwrap();
        assert_eq!(url.query(), Some("filters=%7B%22names%22%3A%5B%22db.v2_x-1%22%5D%7D"));
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for (base, here) in [
            ("http://localhost:9000", true),
            ("http://a.localhost", true),
            ("http://127.0.0.1", true),
            ("http://127.8.8.8", true),
            ("http://[::1]", true),
            ("http://[::ffff:127.0.0.1]", true),
            ("http://0x7f.1", true),
            ("http://localhost.example.org", false),
            ("http://10.0.0.1", false),
            ("http://[fe80::1]", false),
        ] {
            assert_eq!(Address::parse(base).unwrap().is_loopback(), here, "{base}");
        }
    }
}
