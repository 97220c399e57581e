//! Origins as grants write them: `scheme://host[:port]`, with `*.` before the host for all below it.

use std::net::IpAddr;

use super::address::Trust;
use super::connect::Target;

/// Where a binding may send requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    tls: bool,
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Exact(String),
    /// What follows `*`, with its dot.
    Below(String),
}

impl Origin {
    /// Reads an origin, or says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            let text: String = text.chars().take(200).collect();
            format!(
                "`{text}` is not an origin such as https://chat.example or https://*.example: {what}"
            )
        };
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| wrong("it has no scheme"))?;
        let tls = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(wrong("its scheme is neither https nor http")),
        };
        let (host, port) = split_port(rest).ok_or_else(|| wrong("its port is no port"))?;
        let below = host.strip_prefix('*');
        let plain = below.map_or(host, |below| below.strip_prefix('.').unwrap_or_default());
        if !is_host(plain) {
            return Err(wrong("it names no host, or more than one"));
        }
        let host = host.to_ascii_lowercase();
        Ok(Self {
            tls,
            host: match host.strip_prefix('*') {
                Some(below) => Host::Below(below.to_owned()),
                None => Host::Exact(unbracketed(&host).to_owned()),
            },
            port: port.unwrap_or(if tls { 443 } else { 80 }),
        })
    }

    /// Whether requests to this target are within it.
    pub(crate) fn covers(&self, target: &Target) -> bool {
        let host_fits = match &self.host {
            Host::Exact(host) => *host == target.host,
            Host::Below(suffix) => target
                .host
                .strip_suffix(suffix.as_str())
                .is_some_and(|label| !label.is_empty()),
        };
        self.tls == target.tls && self.port == target.port && host_fits
    }

    pub(crate) const fn is_exact(&self) -> bool {
        matches!(self.host, Host::Exact(_))
    }

    /// Which addresses it lets its host resolve to.
    pub(crate) fn trust(&self) -> Trust {
        match &self.host {
            Host::Below(_) => Trust::Public,
            Host::Exact(host) if host == "localhost" => Trust::Loopback,
            Host::Exact(host) => match host.parse::<IpAddr>() {
                Ok(address) => Trust::Only(address),
                Err(_) => Trust::Private,
            },
        }
    }
}

/// A host, in brackets where it is an IPv6 address, and its port.
pub(super) fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let after_address = text.rfind(']').map_or(0, |end| end + 1);
    match text[after_address..].find(':') {
        None => Some((text, None)),
        Some(at) => {
            let (host, port) = text.split_at(after_address + at);
            let port = port[1..].parse().ok().filter(|port| *port != 0)?;
            Some((host, Some(port)))
        }
    }
}

pub(super) fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

fn is_host(host: &str) -> bool {
    if host.starts_with('[') {
        return unbracketed(host).parse::<std::net::Ipv6Addr>().is_ok();
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    !host.is_empty() && host.len() <= 253 && host.chars().all(fits) && !host.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::Origin;
    use crate::capability::http::connect::Target;

    fn covers(origin: &str, url: &str) -> bool {
        let target = Target::of(&url.parse().unwrap()).unwrap();
        Origin::parse(origin).unwrap().covers(&target)
    }

    #[test]
    fn an_origin_covers_itself_alone() {
        assert!(covers("https://chat.example", "https://chat.example/a?b"));
        assert!(covers("https://chat.example", "https://CHAT.example:443/"));
        assert!(covers("http://[::1]:8080", "http://[::1]:8080/"));
        for other in [
            "http://chat.example/",
            "https://chat.example:8443/",
            "https://chat.example.evil.example/",
            "https://evil-chat.example/",
            "https://a.chat.example/",
        ] {
            assert!(!covers("https://chat.example", other), "{other}");
        }
    }

    #[test]
    fn a_star_covers_what_is_below_and_not_the_host_itself() {
        assert!(covers(
            "https://*.chat.example",
            "https://a.b.chat.example/"
        ));
        assert!(!covers("https://*.chat.example", "https://chat.example/"));
        assert!(!covers(
            "https://*.chat.example",
            "https://evilchat.example/"
        ));
    }

    #[test]
    fn what_is_no_origin_says_why() {
        for text in [
            "chat.example",
            "ftp://a",
            "https://",
            "https://a:0",
            "https://*",
            "https://a/b",
            "https://*.*.a",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }
}
