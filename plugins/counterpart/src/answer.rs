//! What a refusal of an API means: try again, set it up rightly, or give up.

use std::time::Duration;

use servicewright_sdk::http::Response;
use servicewright_sdk::{Error, Instant};

/// Of a refusal, as much as this is worth keeping, in characters.
const MAX_EXPLANATION_CHARS: usize = 300;

/// Why an API did not do what it was asked, and whether trying again may help.
///
/// Busy and broken servers are tried again, after the time they ask for. A token that is not taken, and
/// an address that is not there, are a matter of how the binding is set up. Anything else would be
/// refused again.
pub fn refusal(who: &str, doing: &str, response: &Response, now: Instant) -> Error {
    let status = response.status;
    let body = String::from_utf8_lossy(&response.body);
    let said: String = body.trim().chars().take(MAX_EXPLANATION_CHARS).collect();
    let message = if said.is_empty() {
        format!("{who} answered {status} to {doing}")
    } else {
        format!("{who} answered {status} to {doing}: {said}")
    };
    let is_limited = status == 429 || status == 403 && is_rate_limit(response);
    match status {
        408 | 425 | 500.. => Error::Unavailable {
            message,
            after: response.retry_after(),
        },
        _ if is_limited => Error::Unavailable {
            message,
            after: Some(rest(response, now)),
        },
        300..=399 => Error::misconfigured(format!(
            "{message}; it is somewhere else now: correct the address in the settings"
        )),
        401 | 403 | 404 => Error::misconfigured(format!(
            "{message}; check the address, the token, and what the token may do"
        )),
        _ => Error::invalid_input(message),
    }
}

/// GitHub says 403 for a limit too, and shows it by these headers.
fn is_rate_limit(response: &Response) -> bool {
    response.retry_after().is_some() || response.header("x-ratelimit-remaining") == Some("0")
}

/// How long to leave it alone: as it says, until its limit is reset, or a minute.
fn rest(response: &Response, now: Instant) -> Duration {
    let reset = || {
        let at: i64 = response
            .header("x-ratelimit-reset")
            .or_else(|| response.header("ratelimit-reset"))?
            .trim()
            .parse()
            .ok()?;
        Some(Instant::from_millis(at.checked_mul(1000)?).since(now))
    };
    response
        .retry_after()
        .or_else(reset)
        .unwrap_or(Duration::from_mins(1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use servicewright_sdk::Error;
    use servicewright_sdk::http::Response;
    use servicewright_sdk::testing::NOW;

    use super::refusal;

    fn refused(status: u16, headers: &[(&str, &str)]) -> Error {
        let mut response = Response::new(status, "no");
        for (name, value) in headers {
            response = response.with_header(*name, *value);
        }
        refusal("GitHub", "a comment", &response, NOW)
    }

    fn after(status: u16, headers: &[(&str, &str)]) -> Option<Duration> {
        match refused(status, headers) {
            Error::Unavailable { after, message } => {
                assert!(message.ends_with("to a comment: no"), "{message}");
                after
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_busy_api_is_left_alone_for_as_long_as_it_asks() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(after(429, &[("Retry-After", "30")]), seconds(30));
        assert_eq!(after(429, &[]), seconds(60));
        assert_eq!(after(503, &[("retry-after", "5")]), seconds(5));
        assert_eq!(after(500, &[]), None);
        let reset = (NOW.millis() / 1000 + 90).to_string();
        let limited = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", reset.as_str()),
        ];
        assert_eq!(after(403, &limited), seconds(90));
        assert_eq!(after(403, &[("retry-after", "7")]), seconds(7));
    }

    #[test]
    fn what_would_be_refused_again_is_given_up() {
        for status in [301, 401, 403, 404] {
            assert!(matches!(refused(status, &[]), Error::Misconfigured(_)));
        }
        for status in [400, 410, 422] {
            assert!(matches!(refused(status, &[]), Error::InvalidInput(_)));
        }
    }
}
