//! Versions as entity tags: a record of version 7 has the tag `"v7"`.

use http::{HeaderMap, HeaderValue, header};

use crate::{Code, Problem};

/// The tag of a version.
pub(crate) fn of_version(version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"v{version}\"")).expect("a number in quotes is a header value")
}

/// The version that `If-Match` asks for; none where it is absent or `*`.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = one(headers, &header::IF_MATCH)? else {
        return Ok(None);
    };
    if value == "*" {
        return Ok(None);
    }
    let version = version(value).ok_or_else(|| {
        Problem::new(
            Code::Malformed,
            "`If-Match` takes the one ETag that the record came with, such as \"v7\", or *",
        )
    })?;
    Ok(Some(version))
}

/// Whether `If-None-Match` names this version, so that the client has it already.
pub(crate) fn is_known(headers: &HeaderMap, present: u64) -> bool {
    let named = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    named.is_some_and(|list| {
        list.split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == "*" || version(tag) == Some(present))
    })
}

/// The one value of a header that may stand once, as text.
pub(crate) fn one<'a>(
    headers: &'a HeaderMap,
    name: &header::HeaderName,
) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let wrong = || {
        Problem::new(
            Code::Malformed,
            format!("the header `{name}` must stand once, in printable ASCII"),
        )
    };
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value
            .to_str()
            .map(|text| Some(text.trim()))
            .map_err(|_| wrong()),
        (Some(_), Some(_)) => Err(wrong()),
    }
}

fn version(tag: &str) -> Option<u64> {
    let digits = tag.strip_prefix("\"v")?.strip_suffix('"')?;
    let is_plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::{if_match, is_known, of_version};

    fn asked(value: &'static str) -> Result<Option<u64>, crate::Code> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static(value));
        if_match(&headers).map_err(|problem| problem.code())
    }

    #[test]
    fn a_tag_gives_back_its_version() {
        let mut headers = HeaderMap::new();
        assert_eq!(
            if_match(&headers).map_err(|problem| problem.code()),
            Ok(None)
        );
        headers.insert(header::IF_MATCH, of_version(7));
        assert_eq!(
            if_match(&headers).map_err(|problem| problem.code()),
            Ok(Some(7))
        );
        assert_eq!(asked("*"), Ok(None));
        for wrong in [
            "v7",
            "\"7\"",
            "\"v7\", \"v8\"",
            "W/\"v7\"",
            "\"v\"",
            "\"v+7\"",
        ] {
            assert_eq!(asked(wrong), Err(crate::Code::Malformed), "{wrong}");
        }
    }

    #[test]
    fn a_client_that_has_the_version_is_told_so() {
        let mut headers = HeaderMap::new();
        assert!(!is_known(&headers, 7));
        headers.insert(
            header::IF_NONE_MATCH,
            HeaderValue::from_static("\"v6\", W/\"v7\""),
        );
        assert!(is_known(&headers, 7));
        assert!(!is_known(&headers, 8));
    }
}
