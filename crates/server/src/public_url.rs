//! Where people find the desk: `https://desk.example`, perhaps with a path.

use std::str::FromStr;

/// The longest address, in bytes.
const LONGEST: usize = 500;

/// An address that links begin with: `http` or `https`, a host, perhaps a port and a path, and no `/` at
/// its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicUrl(String);

impl PublicUrl {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or("it begins with `https://` or `http://`")?;
        if text.len() > LONGEST {
            return Err(format!("it has at most {LONGEST} characters"));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        if !is_host(host) {
            return Err("after `//` stands the name of a host, such as `desk.example`".to_owned());
        }
        if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
            return Err("the port is a number from 1 to 65535".to_owned());
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte);
        if !path.bytes().all(is_plain) {
            return Err(
                "its path has letters, digits and `-._~%` only, without `?` and `#`".to_owned(),
            );
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

/// Whether a text is a name, or an address of IPv4 or, in brackets, of IPv6.
fn is_host(host: &str) -> bool {
    if let Some(inside) = host.strip_prefix('[') {
        let address = inside
            .strip_suffix(']')
            .map(str::parse::<std::net::Ipv6Addr>);
        return matches!(address, Some(Ok(_)));
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || it == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::PublicUrl;

    #[test]
    fn an_address_that_links_may_begin_with_is_taken() {
        for (given, kept) in [
            ("https://desk.example", "https://desk.example"),
            ("https://desk.example/", "https://desk.example"),
            ("http://127.0.0.1:8080/desk/", "http://127.0.0.1:8080/desk"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]"),
        ] {
            let url: PublicUrl = given.parse().expect(given);
            assert_eq!(url.as_str(), kept);
        }
    }

    #[test]
    fn what_is_no_such_address_is_refused_with_what_would_be_one() {
        for (wrong, part) in [
            ("desk.example", "begins with"),
            ("ftp://desk.example", "begins with"),
            ("javascript:alert(1)", "begins with"),
            ("https://", "name of a host"),
            ("https://ada@desk.example", "name of a host"),
            ("https://-desk.example", "name of a host"),
            ("https://[::1", "name of a host"),
            ("https://desk.example:0", "the port"),
            ("https://desk.example:http", "the port"),
            ("https://desk.example/?a=b", "its path"),
            ("https://desk.example/#top", "its path"),
            ("https://desk.example/a b", "its path"),
        ] {
            let said = wrong.parse::<PublicUrl>().expect_err(wrong);
            assert!(said.contains(part), "{wrong}: {said}");
        }
        let long = format!("https://desk.example/{}", "a".repeat(600));
        assert!(long.parse::<PublicUrl>().is_err());
    }
}
