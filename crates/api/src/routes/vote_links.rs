//! Votes by link: whoever holds a link that was given to somebody who is asked can vote as they. Looking,
//! by GET or HEAD, changes nothing, so that whatever follows the links of a mail votes for nobody; POST
//! votes. No token stands in a span, a log or an error.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use engine::Rejection;
use engine::ballot::{Ballot, Cast, Standing};
use http::{StatusCode, header};
use model::definition::Choice;
use tracing::Instrument as _;
use utoipa::openapi::path::HttpMethod::{Get, Post};

use super::{Access, Route};
use crate::api::finished;
use crate::ask::read_within;
use crate::vote_page::{self, Again};
use crate::{Api, Code, Problem};

const GROUP: &str = "vote-links";
const PAGE: &str = "text/html";
const FORM: &str = "application/x-www-form-urlencoded";

/// The most bytes of a form: a comment of the longest, each byte of it percent-encoded, and the vote.
const MOST_BYTES: usize = 32 * 1024;
/// How long a body may take: whoever sends it may be nobody we know, and holds a place meanwhile.
const BODY_TIME: Duration = Duration::from_secs(5);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Get, "/vote/{token}", show)
            .named("showVoteLink", GROUP, "See what a link for a vote is for")
            .open_to(Access::Link)
            .answers_as::<String>(
                StatusCode::OK,
                PAGE,
                "What is asked, and a form to vote by.",
            )
            .answers_as::<String>(StatusCode::NOT_FOUND, PAGE, "The link was not given here.")
            .answers_as::<String>(StatusCode::GONE, PAGE, "Why the link is good no more."),
        Route::new(Post, "/vote/{token}", vote)
            .named("voteByLink", GROUP, "Vote by a link")
            .open_to(Access::Link)
            .takes_form::<VoteForm>(FORM)
            .answers_as::<String>(StatusCode::OK, PAGE, "The vote is given.")
            .answers_as::<String>(StatusCode::NOT_FOUND, PAGE, "The link was not given here.")
            .answers_as::<String>(
                StatusCode::CONFLICT,
                PAGE,
                "The vote is not possible as it is, and why; the link is still good.",
            )
            .answers_as::<String>(
                StatusCode::GONE,
                PAGE,
                "Why the link is good no more: the vote was given, for one.",
            )
            .answers_as::<String>(
                StatusCode::UNPROCESSABLE_ENTITY,
                PAGE,
                "The form again, with what is to be put right.",
            ),
    ]
}

/// A vote as the form sends it.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it is read by hand, and described here")]
struct VoteForm {
    /// `approve`, `reject` or `abstain`.
    vote: String,
    /// Why.
    comment: Option<String>,
}

/// A vote as it was read from the form.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    choice: Option<Choice>,
    comment: String,
}

async fn show(State(api): State<Api>, request: Request) -> Response {
    let page = shown(&api, token(&request)).await;
    page.unwrap_or_else(|problem| vote_page::refused(&problem))
}

async fn vote(State(api): State<Api>, request: Request) -> Response {
    let page = voted(&api, request).await;
    page.unwrap_or_else(|problem| vote_page::refused(&problem))
}

async fn shown(api: &Api, token: String) -> Result<Response, Problem> {
    let Some(ballot) = ballot(api, token).await? else {
        return Ok(vote_page::nothing());
    };
    Ok(match &ballot.standing {
        Standing::Open(asked) => vote_page::form(StatusCode::OK, &ballot, asked, Again::default()),
        Standing::Over(over) => vote_page::over(&ballot, over),
    })
}

async fn voted(api: &Api, request: Request) -> Result<Response, Problem> {
    let token = token(&request);
    // Strangers are sent away before anything of what they send is read.
    let Some(ballot) = ballot(api, token.clone()).await? else {
        return Ok(vote_page::nothing());
    };
    let sent = sent(request).await?;
    let asked = match &ballot.standing {
        Standing::Open(asked) => asked,
        Standing::Over(over) => return Ok(vote_page::over(&ballot, over)),
    };
    let Some(choice) = sent.choice else {
        let again = Again {
            wrong: Some("Say how you vote: approve, reject or abstain.".to_owned()),
            comment: &sent.comment,
        };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(vote_page::form(status, &ballot, asked, again));
    };
    let comment = Some(sent.comment.clone()).filter(|comment| !comment.trim().is_empty());
    let engine = api.engine().clone();
    // Once begun it is finished, even if nobody waits for it any more.
    let work = async move { engine.vote_by_link(&token, choice, comment).await };
    let cast = finished(tokio::spawn(work.in_current_span()).await)??;
    Ok(match cast {
        None => vote_page::nothing(),
        Some(Cast::Done(ballot, choice, is_open)) => vote_page::done(&ballot, choice, is_open),
        Some(Cast::Over(ballot, over)) => vote_page::over(&ballot, &over),
        Some(Cast::Refused(ballot, asked, rejection)) => {
            let status = match &rejection {
                Rejection::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
                _ => StatusCode::CONFLICT,
            };
            let again = Again {
                wrong: Some(in_words(rejection)),
                comment: &sent.comment,
            };
            vote_page::form(status, &ballot, &asked, again)
        }
    })
}

/// What a link was given for; none where it was not given here.
async fn ballot(api: &Api, token: String) -> Result<Option<Ballot>, Problem> {
    let ballot = api.read(move |engine| engine.ballot(&token)).await?;
    if let Some(ballot) = &ballot {
        api.admit(&format!("vote:{}", ballot.voter))?;
    }
    Ok(ballot)
}

/// The token: the last part of the path, as it was sent.
fn token(request: &Request) -> String {
    let path = request.uri().path();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// What a form says.
async fn sent(request: Request) -> Result<Sent, Problem> {
    let (parts, body): (_, Body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(FORM) {
        let detail = format!("a vote comes as a form: `{FORM}`");
        return Err(Problem::new(Code::MediaType, detail));
    }
    let reading = read_within(MOST_BYTES, &parts.headers, body);
    let body = tokio::time::timeout(BODY_TIME, reading)
        .await
        .map_err(|_| {
            Problem::new(Code::Timeout, format!("no whole body within {BODY_TIME:?}"))
        })??;
    Ok(parsed(&body))
}

/// The vote that a form says. One that says several says none.
fn parsed(body: &[u8]) -> Sent {
    let mut sent = Sent::default();
    let mut votes = Vec::new();
    for (name, value) in form_urlencoded::parse(body) {
        match name.as_ref() {
            "vote" => votes.push(value.into_owned()),
            // Browsers end lines as mail does.
            "comment" => sent.comment = value.replace("\r\n", "\n"),
            _ => {}
        }
    }
    sent.choice = match votes.as_slice() {
        [one] => choice(one),
        _ => None,
    };
    sent
}

fn choice(name: &str) -> Option<Choice> {
    let mut choices = [Choice::Approve, Choice::Reject, Choice::Abstain].into_iter();
    choices.find(|choice| choice.as_str() == name)
}

/// Why a vote is refused.
fn in_words(rejection: Rejection) -> String {
    let said = match rejection {
        Rejection::Invalid { faults } => {
            let messages: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
            messages.join("; ")
        }
        other => other.to_string(),
    };
    // Names stand in backticks for programmers; the page is for people.
    let mut letters = said.chars().filter(|letter| *letter != '`');
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use model::definition::Choice;

    use super::{Sent, parsed};

    #[test]
    fn a_form_says_one_vote_or_none() {
        let said = |body: &str| parsed(body.as_bytes());
        let sent = |choice, comment: &str| Sent {
            choice,
            comment: comment.to_owned(),
        };
        assert_eq!(
            said("comment=No+need.%0D%0AReally+%E2%80%93+none&vote=reject"),
            sent(Some(Choice::Reject), "No need.\nReally – none")
        );
        assert_eq!(said("vote=abstain"), sent(Some(Choice::Abstain), ""));
        for none in [
            "",
            "vote=",
            "vote=Approve",
            "vote=approve&vote=reject",
            "vote",
        ] {
            assert_eq!(said(none), sent(None, ""), "{none}");
        }
        assert_eq!(said("comment=%FF%00&x=1"), sent(None, "\u{fffd}\0"));
    }
}
