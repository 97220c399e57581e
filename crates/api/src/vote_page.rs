//! The pages of a link for a vote: plain HTML, readable on a phone, without a script. What is shown is
//! escaped by the template's library, and the headers let a page load nothing and post to itself alone.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use engine::ballot::{Asked, Ballot, Given, Over};
use http::{HeaderName, HeaderValue, StatusCode, header};
use minijinja::{Environment, Value};
use model::definition::Choice;
use model::{Digest, Instant};
use serde::Serialize;

use crate::wire::record::title;
use crate::{Code, Problem};

/// Its name ends so that everything in it is escaped as HTML.
const NAME: &str = "page.html";
const STYLE: &str = include_str!("vote_page/page.css");
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    let page = include_str!("vote_page/page.html");
    pages
        .add_template(NAME, page)
        .expect("the page is a template, which its tests render");
    pages
});

/// The style is the one thing that a page may use; it is known by its digest.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = BASE64.encode(Digest::of(STYLE.as_bytes()).as_bytes());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    HeaderValue::try_from(policy).expect("base64 fits in a header")
});

/// What a page says.
#[derive(Default, Serialize)]
struct Page<'a> {
    heading: String,
    says: Vec<String>,
    facts: Vec<Fact<'a>>,
    form: Option<Form<'a>>,
    style: &'a str,
}

#[derive(Serialize)]
struct Fact<'a> {
    name: &'a str,
    value: String,
}

#[derive(Serialize)]
struct Form<'a> {
    /// What is wrong with what was sent.
    wrong: Option<String>,
    /// Which votes need a comment, in words.
    needed: Option<String>,
    /// Whether all of them do.
    always: bool,
    /// What was typed.
    comment: &'a str,
}

/// What was sent and is to be put right.
#[derive(Default)]
pub(crate) struct Again<'a> {
    pub(crate) wrong: Option<String>,
    pub(crate) comment: &'a str,
}

/// The form to vote by.
pub(crate) fn form(
    status: StatusCode,
    ballot: &Ballot,
    asked: &Asked,
    again: Again<'_>,
) -> Response {
    let Ballot {
        record,
        stage,
        whose,
        voter,
        ..
    } = ballot;
    let mut page = Page {
        heading: format!("{} {record} waits for your vote", asked.kind),
        ..Page::default()
    };
    let mut fact = |name, value| {
        page.facts.push(Fact { name, value });
    };
    if let Some(seen) = &asked.seen {
        if let Some(title) = title(seen) {
            fact("What", title.to_owned());
        }
        if let Some(requester) = &seen.requester {
            fact("Asked for by", requester.to_string());
        }
    }
    fact("Stage", stage.to_string());
    fact("You vote as", voter.to_string());
    if whose != voter {
        fact("In the place of", whose.to_string());
    }
    let approvals = if asked.needed == 1 {
        "approval"
    } else {
        "approvals"
    };
    fact(
        "It needs",
        format!("{} {approvals} of {}", asked.needed, asked.entitled),
    );
    if let Some(due) = asked.due {
        fact("Until", time(due));
    }
    page.form = Some(Form {
        wrong: again.wrong,
        needed: needed(&asked.comment),
        always: asked.comment.len() == CHOICES.len(),
        comment: again.comment,
    });
    rendered(status, page)
}

const CHOICES: [Choice; 3] = [Choice::Approve, Choice::Reject, Choice::Abstain];

/// Which votes need a comment: `needed to reject or abstain`.
fn needed(comment: &BTreeSet<Choice>) -> Option<String> {
    let of: Vec<&str> = CHOICES
        .into_iter()
        .filter(|choice| comment.contains(choice))
        .map(Choice::as_str)
        .collect();
    match of.len() {
        0 => None,
        all if all == CHOICES.len() => Some("needed".to_owned()),
        _ => Some(format!("needed to {}", of.join(" or "))),
    }
}

/// The vote is given; it can be taken back while its stage is open.
pub(crate) fn done(ballot: &Ballot, choice: Choice, is_open: bool) -> Response {
    let did = did(&ballot.voter, ballot, choice);
    let then = if is_open {
        "As long as the stage is not decided, you can take it back where you sign in."
    } else {
        "With it the stage is decided."
    };
    rendered(
        StatusCode::OK,
        Page {
            heading: "Your vote is given".to_owned(),
            says: vec![format!("{did}."), then.to_owned()],
            ..Page::default()
        },
    )
}

/// The link is good no more.
pub(crate) fn over(ballot: &Ballot, over: &Over) -> Response {
    let Ballot {
        record,
        stage,
        whose,
        voter,
        ..
    } = ballot;
    let why = match over {
        Over::Given(Given { by, choice, at }) => {
            let did = did(by, ballot, *choice);
            format!("The vote was given: {did}, on {}.", time(*at))
        }
        Over::TakenBack => {
            "The vote was given, and taken back or lost since. A link is good once: the next reminder brings a new one."
                .to_owned()
        }
        Over::HandedOn => format!("{whose} handed the vote on to somebody else."),
        Over::NotAsked => format!("{voter} is not asked any more in the stage {stage} of {record}."),
        Over::NotInstead => format!("{voter} does not stand in for {whose} any more."),
        Over::Decided => format!("The stage {stage} of {record} takes no votes any more."),
    };
    rendered(
        StatusCode::GONE,
        Page {
            heading: "This link is good no more".to_owned(),
            says: vec![why],
            ..Page::default()
        },
    )
}

/// What was not signed here leads nowhere, and nothing is said of it.
pub(crate) fn nothing() -> Response {
    rendered(
        StatusCode::NOT_FOUND,
        Page {
            heading: "Nothing here".to_owned(),
            says: vec!["There is nothing at this address.".to_owned()],
            ..Page::default()
        },
    )
}

/// The server cannot, now.
pub(crate) fn refused(problem: &Problem) -> Response {
    let code = problem.code();
    let page = Page {
        heading: code.title().to_owned(),
        says: vec![
            format!("{}.", problem.detail()),
            "Open the link again in a while.".to_owned(),
        ],
        ..Page::default()
    };
    let mut response = rendered(code.status(), page);
    response.headers_mut().extend(problem.headers().clone());
    response
}

/// `emma rejected CHG-7 in the stage manager, in the place of mona`.
fn did(by: &model::id::PersonId, ballot: &Ballot, choice: Choice) -> String {
    let Ballot {
        record,
        stage,
        whose,
        ..
    } = ballot;
    let (done, on) = match choice {
        Choice::Abstain => (choice.done(), " on"),
        Choice::Approve | Choice::Reject => (choice.done(), ""),
    };
    let instead = if by == whose {
        String::new()
    } else {
        format!(", in the place of {whose}")
    };
    format!("{by} {done}{on} {record} in the stage {stage}{instead}")
}

/// `2026-07-01 08:00:00 UTC`.
fn time(at: Instant) -> String {
    at.to_seconds_text().replace('T', " ").replace('Z', " UTC")
}

fn rendered(status: StatusCode, mut page: Page<'_>) -> Response {
    page.style = STYLE;
    let template = PAGES.get_template(NAME);
    let context = Value::from(minijinja::value::Serde(&page));
    let text = match template.and_then(|template| template.render(context)) {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a page is not rendered"
            );
            return Problem::new(Code::Internal, "the page cannot be shown").into_response();
        }
    };
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (ROBOTS, "noindex, nofollow"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::response::Response;
    use base64::Engine as _;
    use engine::ballot::{Asked, Ballot, Given, Over, Standing};
    use expect_test::expect;
    use http::StatusCode;
    use http_body_util::BodyExt as _;
    use model::definition::Choice;
    use model::record::Record;
    use model::{Digest, Instant};
    use serde_json::json;

    use super::{Again, BASE64, done, form, over, refused};
    use crate::{Code, Problem};

    const HOSTILE: &str = "<script>alert('1')</script>&\"{{ 7 * 7 }}";

    fn ballot(voter: &str) -> Ballot {
        Ballot {
            record: "CHG-7".parse().expect("a number"),
            stage: "manager".parse().expect("a stage"),
            whose: "mona".parse().expect("a person"),
            voter: voter.parse().expect("a person"),
            standing: Standing::Over(Over::Decided),
        }
    }

    fn asked(summary: &str, comment: &[Choice]) -> Asked {
        let record = json!({
            "id": "CHG-7", "workflow": "change", "definition": Digest::default(), "state": "asked",
            "category": "waiting", "version": 1, "created_at": Instant::EPOCH, "updated_at": Instant::EPOCH,
            "state_since": Instant::EPOCH, "head": Digest::default(), "requester": "rita",
            "fields": { "summary": { "text": summary } },
        });
        let record: Record = serde_json::from_value(record).expect("a record");
        Asked {
            kind: "Change".to_owned(),
            seen: Some(std::sync::Arc::new(record)),
            needed: 1,
            entitled: 2,
            due: Some(Instant::from_millis(1_790_000_000_123)),
            comment: comment.iter().copied().collect::<BTreeSet<_>>(),
        }
    }

    async fn text(page: Response) -> String {
        let body = page.into_body().collect().await.expect("it is in memory");
        String::from_utf8(body.to_bytes().to_vec()).expect("it is text")
    }

    /// What a page says between its `main`.
    async fn said(page: Response) -> String {
        let text = text(page).await;
        let (_, main) = text.split_once("<main>").expect("it has a main part");
        main.split_once("</main>").expect("it ends").0.to_owned()
    }

    #[tokio::test]
    async fn whoever_follows_a_link_reads_what_is_asked() {
        let asked = asked("A new disk", &[Choice::Reject, Choice::Abstain]);
        let again = Again {
            wrong: Some("Say why.".to_owned()),
            comment: "It is\n<late>",
        };
        let page = form(StatusCode::OK, &ballot("emma"), &asked, again);
        expect![[r#"

            <h1>Change CHG-7 waits for your vote</h1>
            <dl>
            <dt>What</dt><dd>A new disk</dd>
            <dt>Asked for by</dt><dd>rita</dd>
            <dt>Stage</dt><dd>manager</dd>
            <dt>You vote as</dt><dd>emma</dd>
            <dt>In the place of</dt><dd>mona</dd>
            <dt>It needs</dt><dd>1 approval of 2</dd>
            <dt>Until</dt><dd>2026-09-21 14:13:20 UTC</dd>
            </dl>
            <form method="post" accept-charset="utf-8">
            <p class="wrong" id="wrong" role="alert">Say why.</p>
            <label for="comment">Comment <span>(needed to reject or abstain)</span></label>
            <textarea id="comment" name="comment" rows="4" maxlength="10000" aria-describedby="wrong">
            It is
            &lt;late&gt;</textarea>
            <div class="buttons">
            <button type="submit" name="vote" value="approve">Approve</button>
            <button type="submit" name="vote" value="reject">Reject</button>
            <button type="submit" name="vote" value="abstain">Abstain</button>
            </div>
            </form>
        "#]].assert_eq(&said(page).await);
    }

    #[tokio::test]
    async fn nothing_that_people_wrote_is_more_than_text() {
        let asked = Asked {
            kind: HOSTILE.to_owned(),
            ..asked(HOSTILE, &[])
        };
        let again = Again {
            wrong: Some(HOSTILE.to_owned()),
            comment: HOSTILE,
        };
        let page = said(form(StatusCode::OK, &ballot(HOSTILE), &asked, again)).await;
        assert_eq!(page.matches("&lt;script&gt;").count(), 5, "{page}");
        assert!(!page.contains("<script") && !page.contains("49"), "{page}");
        let page = said(refused(&Problem::new(Code::Internal, HOSTILE))).await;
        assert!(!page.contains("<script"), "{page}");
    }

    #[tokio::test]
    async fn only_the_style_of_the_page_is_let_in() {
        let page = done(&ballot("mona"), Choice::Approve, true);
        let policy = page.headers()["content-security-policy"].clone();
        let text = text(page).await;
        let (_, style) = text.split_once("<style>").expect("it has a style");
        let style = style.split_once("</style>").expect("it ends").0;
        let digest = BASE64.encode(Digest::of(style.as_bytes()).as_bytes());
        let wanted = format!("style-src 'sha256-{digest}'");
        assert!(policy.to_str().expect("text").contains(&wanted));
    }

    #[tokio::test]
    async fn a_link_that_is_good_no_more_says_why() {
        let given = Given {
            by: "emma".parse().expect("a person"),
            choice: Choice::Abstain,
            at: Instant::EPOCH,
        };
        let mut all = Vec::new();
        for why in [
            Over::Given(given),
            Over::TakenBack,
            Over::HandedOn,
            Over::NotAsked,
            Over::NotInstead,
            Over::Decided,
        ] {
            let page = over(&ballot("emma"), &why);
            assert_eq!(page.status(), StatusCode::GONE);
            all.push(said(page).await.trim().to_owned());
        }
        expect![[r#"
            <h1>This link is good no more</h1>
            <p>The vote was given: emma abstained on CHG-7 in the stage manager, in the place of mona, on 1970-01-01 00:00:00 UTC.</p>
            <h1>This link is good no more</h1>
            <p>The vote was given, and taken back or lost since. A link is good once: the next reminder brings a new one.</p>
            <h1>This link is good no more</h1>
            <p>mona handed the vote on to somebody else.</p>
            <h1>This link is good no more</h1>
            <p>emma is not asked any more in the stage manager of CHG-7.</p>
            <h1>This link is good no more</h1>
            <p>emma does not stand in for mona any more.</p>
            <h1>This link is good no more</h1>
            <p>The stage manager of CHG-7 takes no votes any more.</p>"#]].assert_eq(&all.join("\n"));
    }
}
