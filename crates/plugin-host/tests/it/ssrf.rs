//! Requests that a plugin must not make, and what it might try to make them after all. Each line is one
//! trick: what is granted, what is asked for, what the name resolves to, and what is said to it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::hook::{Failure, Hook};
use serde_json::json;
use servicewright_plugin_host::{Options, Resolver};

use crate::cases;
use crate::server::Server;
use crate::support::{Desk, ask, binding, host_with};

/// Refused because no grant covers it.
const NOT_GRANTED: &str = "does not grant requests to";
/// Refused because of the address that its name stands for.
const ADDRESS: &str = "DestinationIpProhibited";
/// Refused because it is no request at all.
const NO_AUTHORITY: &str = "no authority";
const NO_PATH: &str = "no path";
const NO_HEADER: &str = "no header";
const NO_METHOD: &str = "method";
/// Refused because it is another protocol.
const NO_HTTP: &str = "HttpProtocolError";

/// Tricks with what is written in a request: the grant, the address, and why it is refused.
const WRITTEN: &[(&str, &str, &str)] = &[
    // This machine, in all the ways in which it can be written.
    ("http://*.example", "http://127.0.0.1/", NOT_GRANTED),
    ("http://*.example", "http://localhost/", NOT_GRANTED),
    ("http://*.example", "http://LocalHost/", NOT_GRANTED),
    ("http://*.example", "http://localhost./", NOT_GRANTED),
    ("http://*.example", "http://127.1/", NOT_GRANTED),
    ("http://*.example", "http://127.0.1/", NOT_GRANTED),
    ("http://*.example", "http://2130706433/", NOT_GRANTED),
    ("http://*.example", "http://0x7f000001/", NOT_GRANTED),
    ("http://*.example", "http://0x7f.0.0.1/", NOT_GRANTED),
    ("http://*.example", "http://0177.0.0.1/", NOT_GRANTED),
    ("http://*.example", "http://017700000001/", NOT_GRANTED),
    ("http://*.example", "http://127.0.0.1./", NOT_GRANTED),
    ("http://*.example", "http://0/", NOT_GRANTED),
    ("http://*.example", "http://0.0.0.0/", NOT_GRANTED),
    ("http://*.example", "http://[::]/", NOT_GRANTED),
    ("http://*.example", "http://[::1]/", NOT_GRANTED),
    ("http://*.example", "http://[0:0:0:0:0:0:0:1]/", NOT_GRANTED),
    (
        "http://*.example",
        "http://[::ffff:127.0.0.1]/",
        NOT_GRANTED,
    ),
    ("http://*.example", "http://[::ffff:7f00:1]/", NOT_GRANTED),
    ("http://*.example", "http://[::127.0.0.1]/", NOT_GRANTED),
    ("http://*.example", "http://[64:ff9b::7f00:1]/", NOT_GRANTED),
    (
        "http://*.example",
        "http://[64:ff9b:1::7f00:1]/",
        NOT_GRANTED,
    ),
    ("http://*.example", "http://[2002:7f00:1::]/", NOT_GRANTED),
    // Written otherwise than it was granted.
    ("http://127.0.0.1:80", "http://127.1/", NOT_GRANTED),
    ("http://127.0.0.1:80", "http://127.0.0.2/", NOT_GRANTED),
    (
        "http://127.0.0.1:80",
        "http://[::ffff:127.0.0.1]/",
        NOT_GRANTED,
    ),
    ("http://[::1]:80", "http://[::]/", NOT_GRANTED),
    ("http://10.0.0.1", "http://10.0.0.2/", NOT_GRANTED),
    // Where clouds keep credentials.
    (
        "http://*.example",
        "http://169.254.169.254/latest/",
        NOT_GRANTED,
    ),
    (
        "http://*.example",
        "http://[fd00:ec2::254]/latest/",
        NOT_GRANTED,
    ),
    ("http://*.example", "http://100.100.100.200/", NOT_GRANTED),
    (
        "http://*.example",
        "http://metadata.google.internal/",
        NOT_GRANTED,
    ),
    // Zones, users, dots, digits and escapes.
    ("http://*.example", "http://[fe80::1%25eth0]/", "no"),
    ("http://*.example", "http://[::1%25lo]/", "no"),
    (
        "https://chat.example",
        "https://chat.example@127.0.0.1/",
        "a user in its address",
    ),
    (
        "https://chat.example",
        "https://chat.example:443@127.0.0.1/",
        "a user in its address",
    ),
    (
        "https://chat.example",
        "https://a:b@chat.example/",
        "a user in its address",
    ),
    (
        "https://chat.example",
        "https://127.0.0.1#@chat.example/",
        NO_AUTHORITY,
    ),
    (
        "https://chat.example",
        "https://127.0.0.1?@chat.example/",
        NO_AUTHORITY,
    ),
    (
        "https://chat.example",
        "https://127.0.0.1\\@chat.example/",
        NO_AUTHORITY,
    ),
    (
        "https://chat.example",
        "https://chat.example./",
        NOT_GRANTED,
    ),
    (
        "https://chat.example",
        "https://.chat.example/",
        NOT_GRANTED,
    ),
    ("https://chat.example", "https://ch%61t.example/", "no"),
    ("http://*.example", "http://%6c%6fcalhost/", "no"),
    ("http://*.example", "http://１２７.０.０.１/", NO_AUTHORITY),
    ("http://*.example", "http://①②⑦.⓪.⓪.①/", NO_AUTHORITY),
    (
        "http://*.example",
        "http://ｌｏｃａｌｈｏｓｔ/",
        NO_AUTHORITY,
    ),
    (
        "https://chat.example",
        "https://chаt.example/",
        NO_AUTHORITY,
    ),
    (
        "https://chat.example",
        "https://xn--cht-6cd.example/",
        NOT_GRANTED,
    ),
    ("https://chat.example", "https:///", "no"),
    // Near to what is granted.
    (
        "https://chat.example",
        "https://chat.example.evil.example/",
        NOT_GRANTED,
    ),
    (
        "https://chat.example",
        "https://evilchat.example/",
        NOT_GRANTED,
    ),
    (
        "https://chat.example",
        "https://a.chat.example/",
        NOT_GRANTED,
    ),
    ("https://chat.example", "https://example/", NOT_GRANTED),
    ("https://*.example", "https://example/", NOT_GRANTED),
    ("https://*.example", "https://evilexample/", NOT_GRANTED),
    (
        "https://*.chat.example",
        "https://evilchat.example/",
        NOT_GRANTED,
    ),
    ("https://*.example", "https://.example/", NOT_GRANTED),
    (
        "https://*.example",
        "https://chat.example.evil/",
        NOT_GRANTED,
    ),
    // Other ports and schemes.
    (
        "https://chat.example",
        "https://chat.example:8443/",
        NOT_GRANTED,
    ),
    (
        "https://chat.example",
        "https://chat.example:80/",
        NOT_GRANTED,
    ),
    ("https://chat.example", "https://chat.example:0/", "port"),
    ("https://chat.example", "https://chat.example:65979/", "no"),
    ("https://chat.example", "https://chat.example:443:22/", "no"),
    ("https://chat.example", "http://chat.example/", NOT_GRANTED),
    (
        "https://chat.example",
        "http://chat.example:443/",
        NOT_GRANTED,
    ),
    (
        "http://chat.example:8080",
        "http://chat.example/",
        NOT_GRANTED,
    ),
    ("https://chat.example", "ftp://chat.example/", NO_HTTP),
    (
        "https://chat.example",
        "file://chat.example/etc/passwd",
        NO_HTTP,
    ),
    ("https://chat.example", "gopher://chat.example/", NO_HTTP),
    // More than one line, or more than a path, in the head of the request.
    (
        "https://chat.example",
        "https://chat.example\r\nhost: evil.example/",
        NO_AUTHORITY,
    ),
    (
        "https://chat.example",
        "https://chat.example /",
        NO_AUTHORITY,
    ),
    (
        "https://chat.example",
        "https://chat.example/a\r\nhost: evil.example",
        NO_PATH,
    ),
    (
        "https://chat.example",
        "https://chat.example/a HTTP/1.1\r\n\r\nGET /b",
        NO_PATH,
    ),
    (
        "https://chat.example",
        "https://chat.example/|http://127.0.0.1/",
        "path",
    ),
    (
        "https://chat.example",
        "https://chat.example/|@127.0.0.1/",
        "path",
    ),
    (
        "https://chat.example",
        "https://chat.example/|.evil.example/",
        "path",
    ),
];

/// Tricks with methods and headers, where the address itself is granted.
const HEADS: &[(&str, &str, &str)] = &[
    ("CONNECT", "", NO_METHOD),
    ("TRACE", "", NO_METHOD),
    (
        "GET / HTTP/1.1\r\nhost: evil.example\r\n\r\nGET",
        "",
        NO_METHOD,
    ),
    ("GE T", "", NO_METHOD),
    ("", "host: evil.example", NO_HEADER),
    ("", "Host: 169.254.169.254", NO_HEADER),
    ("", "transfer-encoding: chunked", NO_HEADER),
    ("", "connection: upgrade", NO_HEADER),
    ("", "upgrade: h2c", NO_HEADER),
    ("", "proxy-authorization: Basic eDp5", NO_HEADER),
    ("", "x-a: b\r\nhost: evil.example", NO_HEADER),
    ("", "x-a\r\nhost: evil.example", NO_HEADER),
];

/// Addresses that no name may stand for, whatever the grant: nothing there wants a request.
const GUARDED: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fec0::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "ff02::1",
    "ff0e::1",
    "100::1",
    "2001:db8::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "3fff::1",
    "5f00::1",
    "2001:0:7f00:1::",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::ffff:0:169.254.169.254",
];

/// Addresses of this machine: for a grant that says so, and for no other.
const LOOPBACK: &[&str] = &[
    "127.0.0.1",
    "127.255.255.254",
    "::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
];

/// Addresses of private networks: for a grant that names its host, and not for one with a star.
const PRIVATE: &[&str] = &[
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "fc00::1",
    "fd12:3456:789a::1",
    "::ffff:10.0.0.1",
    "::ffff:192.168.1.1",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
];

/// A resolver whose names are addresses: `a-0a000001.example` has none but the one it is given.
fn always(addresses: &[&str]) -> Resolver {
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    Arc::new(move |_| {
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    })
}

/// What comes of a request of a plugin with this grant.
async fn sends(
    resolver: Resolver,
    grant: &str,
    url: &str,
    method: &str,
    header: &str,
) -> Option<Result<String, Failure>> {
    let component = cases::rust()?;
    let settings = json!({ "do": "raw", "url": url, "about": method, "header": header });
    let grants = json!({ "http": { grant: true } });
    let more = json!({ "settings": settings, "grants": grants, "limits": { "wall": "PT5S" } });
    let options = Options {
        resolver: Some(resolver),
        concurrent_calls: 2,
        ..Options::default()
    };
    let host = host_with(
        options,
        vec![binding("sender", &component, &["schedule"], more)],
    )
    .await;
    Some(ask(&host, Hook::Schedule, "sender", &Desk::shared()).await)
}

/// It is refused, and this is said to it.
async fn refused(
    resolver: Resolver,
    (grant, url): (&str, &str),
    (method, header): (&str, &str),
    says: &str,
) {
    let trick = format!("{method} {url:?} with {header:?} where {grant} is granted");
    let Some(sent) = sends(resolver, grant, url, method, header).await else {
        return;
    };
    let failure = sent.expect_err(&trick);
    assert!(failure.message.contains(says), "{trick}: {failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_written_to_go_elsewhere_is_refused() {
    for &(grant, url, says) in WRITTEN {
        // Were a name looked up, it would be found, and its address be one that is admitted.
        let resolver = always(&["8.8.8.8"]);
        refused(resolver, (grant, url), ("", ""), says).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_head_says_more_than_it_may_is_refused() {
    let port = Server::Echo.start().await;
    let origin = format!("http://127.0.0.1:{port}");
    for &(method, header, says) in HEADS {
        refused(always(&[]), (&origin, &origin), (method, header), says).await;
    }
    let sent = sends(always(&[]), &origin, &origin, "PROPFIND", "x-a: b").await;
    assert!(sent.is_none_or(|sent| sent.unwrap().contains("200")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_stands_for_a_guarded_address_is_refused() {
    for address in GUARDED.iter().chain(LOOPBACK) {
        for grant in ["http://chat.example", "http://*.example"] {
            let url = "http://chat.example/";
            refused(always(&[*address]), (grant, url), ("", ""), ADDRESS).await;
        }
    }
    for address in GUARDED.iter().chain(PRIVATE) {
        let here = ("http://localhost", "http://localhost/");
        refused(always(&[*address]), here, ("", ""), ADDRESS).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_star_reaches_no_private_network() {
    for address in PRIVATE {
        let below = ("http://*.example", "http://chat.example/");
        refused(always(&[*address]), below, ("", ""), ADDRESS).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_addresses_only_those_that_are_admitted_are_tried() {
    let port = Server::Echo.start().await;
    let origin = format!("http://localhost:{port}");
    let several = [
        "169.254.169.254",
        "10.0.0.1",
        "::ffff:10.0.0.1",
        "127.0.0.1",
    ];
    let Some(sent) = sends(always(&several), &origin, &origin, "", "").await else {
        return;
    };
    assert!(sent.unwrap().contains("200"));
    let all_refused = &several[..3];
    refused(always(all_refused), (&origin, &origin), ("", ""), ADDRESS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_resolved_once_and_the_connection_made_to_what_was_checked() {
    let port = Server::Echo.start().await;
    let origin = format!("http://localhost:{port}");
    // Good at first, and another one whenever it is asked again.
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let resolver: Resolver = Arc::new(move |_| {
        let first = counting.fetch_add(1, Ordering::SeqCst) == 0;
        let address = if first {
            "127.0.0.1"
        } else {
            "169.254.169.254"
        };
        Box::pin(async move { Ok(vec![address.parse().unwrap()]) })
    });
    let Some(sent) = sends(Arc::clone(&resolver), &origin, &origin, "", "").await else {
        return;
    };
    assert!(sent.unwrap().contains("200"));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    refused(resolver, (&origin, &origin), ("", ""), ADDRESS).await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
