//! Every error that this interface knows: one table of code, status, title and what to do about it.
//! `docs/errors.md` is written from it.

use std::fmt::Write as _;

use http::StatusCode;

/// What went wrong, as clients tell it apart. A code keeps its meaning for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The request does not read.
    Malformed,
    /// Nobody known asks.
    Unauthenticated,
    /// Who asks may not.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The address does not know the method.
    MethodNotAllowed,
    /// The record is not of the version that was meant.
    Version,
    /// The idempotency key stands for another request.
    Idempotency,
    /// The record is not where the request needs it.
    NotPossible,
    /// The body is too large.
    TooLarge,
    /// The body is of another type.
    MediaType,
    /// The input is not accepted.
    Invalid,
    /// The actor asks too often.
    TooManyRequests,
    /// The server failed.
    Internal,
    /// The server has too much to do.
    Overloaded,
    /// The server was not done in time.
    Timeout,
    /// The server is starting, ending, or cannot reach its data.
    Unavailable,
}

/// What the table says of a code.
struct Row {
    name: &'static str,
    status: StatusCode,
    title: &'static str,
    advice: &'static str,
}

impl Code {
    /// Every code, in order of status.
    pub const ALL: [Self; 16] = [
        Self::Malformed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Version,
        Self::Idempotency,
        Self::NotPossible,
        Self::TooLarge,
        Self::MediaType,
        Self::Invalid,
        Self::TooManyRequests,
        Self::Internal,
        Self::Overloaded,
        Self::Timeout,
        Self::Unavailable,
    ];

    const fn row(self) -> Row {
        match self {
            Self::Malformed => Row {
                name: "malformed",
                status: StatusCode::BAD_REQUEST,
                title: "The request does not read",
                advice: "The detail says what is wrong and, for a body, at which line and column. \
                         JSON nested too deeply, lists that are too long and members given twice are refused here too.",
            },
            Self::Unauthenticated => Row {
                name: "unauthenticated",
                status: StatusCode::UNAUTHORIZED,
                title: "A valid token is needed",
                advice: "Send `Authorization: Bearer TOKEN` with a token that exists and has not ended. \
                         `wright token create` makes one.",
            },
            Self::Forbidden => Row {
                name: "forbidden",
                status: StatusCode::FORBIDDEN,
                title: "The actor lacks a right",
                advice: "The detail names what it takes: a role, or a relation to the record.",
            },
            Self::NotFound => Row {
                name: "not-found",
                status: StatusCode::NOT_FOUND,
                title: "There is no such thing",
                advice: "What the actor may not see is not found either.",
            },
            Self::MethodNotAllowed => Row {
                name: "method-not-allowed",
                status: StatusCode::METHOD_NOT_ALLOWED,
                title: "The address does not know this method",
                advice: "The `Allow` header names those it knows.",
            },
            Self::Version => Row {
                name: "version",
                status: StatusCode::CONFLICT,
                title: "The record has changed",
                advice: "Its version is not the one in `If-Match`. Read it again, look at what changed, and repeat.",
            },
            Self::Idempotency => Row {
                name: "idempotency",
                status: StatusCode::CONFLICT,
                title: "The idempotency key was used for another request",
                advice: "A key stands for one method, address and body. Use a new key for a new request.",
            },
            Self::NotPossible => Row {
                name: "not-possible",
                status: StatusCode::CONFLICT,
                title: "Not possible where the record is now",
                advice: "The detail says why. `GET /api/v1/records/{id}/transitions` lists what is possible.",
            },
            Self::TooLarge => Row {
                name: "too-large",
                status: StatusCode::PAYLOAD_TOO_LARGE,
                title: "The body is too large",
                advice: "The detail names the limit.",
            },
            Self::MediaType => Row {
                name: "media-type",
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                title: "The body is of another type",
                advice: "Send JSON, and say so: `Content-Type: application/json`.",
            },
            Self::Invalid => Row {
                name: "invalid",
                status: StatusCode::UNPROCESSABLE_ENTITY,
                title: "The input is not accepted",
                advice: "`errors` lists each fault with a JSON pointer into what was sent, and a message.",
            },
            Self::TooManyRequests => Row {
                name: "too-many-requests",
                status: StatusCode::TOO_MANY_REQUESTS,
                title: "Too many requests",
                advice: "Wait as long as `Retry-After` says.",
            },
            Self::Internal => Row {
                name: "internal",
                status: StatusCode::INTERNAL_SERVER_ERROR,
                title: "The server failed",
                advice: "The server's log says more. A request with an `Idempotency-Key` may be repeated safely.",
            },
            Self::Overloaded => Row {
                name: "overloaded",
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "The server has too much to do",
                advice: "A limit protects the server; nothing was done. Repeat after `Retry-After`.",
            },
            Self::Timeout => Row {
                name: "timeout",
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "The server was not done in time",
                advice: "What was asked may still be carried out. Repeat it with the same `Idempotency-Key`.",
            },
            Self::Unavailable => Row {
                name: "unavailable",
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "The server cannot serve now",
                advice: "It is starting, ending, or cannot reach its data; `GET /health/ready` says when it is back.",
            },
        }
    }

    /// The code as clients see it.
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The status that goes with it.
    pub const fn status(self) -> StatusCode {
        self.row().status
    }

    /// What it means, in a few words.
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// The URI of its kind of problem. `docs/errors.md` has a heading for each.
    pub fn uri(self) -> String {
        format!("urn:servicewright:problem:{}", self.as_str())
    }
}

/// The page `docs/errors.md`.
#[must_use]
pub fn error_page() -> String {
    let mut page = String::from(
        "# Errors of the HTTP interface\n\n\
         Every refusal is `application/problem+json` (RFC 9457): `type` (`urn:servicewright:problem:CODE`), `title`, \
         `status`, `code`, `detail` and, for faults of the input, `errors`. Decide by `code`: it keeps its meaning, \
         while titles and details may read differently tomorrow. This page is written from the table of codes in \
         `crates/api/src/code.rs`.\n",
    );
    for code in Code::ALL {
        let row = code.row();
        let _ = write!(
            page,
            "\n## {}\n\n{} · {}\n\n{}\n",
            row.name,
            row.status.as_u16(),
            row.title,
            row.advice
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::{Code, error_page};

    #[test]
    fn codes_are_told_apart_and_ordered_by_status() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.is_sorted_by_key(|code| code.status().as_u16()));
    }

    #[test]
    fn the_page_of_errors_is_up_to_date() {
        crate::openapi::tests::check_file("docs/errors.md", &error_page());
    }
}
