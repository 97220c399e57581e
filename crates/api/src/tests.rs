//! What the interface does before the engine is asked: who may come, what is refused and how.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, StatusCode};
use expect_test::{Expect, expect};
use futures::stream;
use tokio_util::sync::CancellationToken;

use crate::testing::{PANICS, TOKEN, UNREADABLE, desk, get, post, send};
use crate::{Limits, routes};

async fn check(request: Request<Body>, expected: &Expect) {
    let desk = desk(Limits::default(), CancellationToken::new()).await;
    expected.assert_eq(&send(&desk, request).await.said());
}

/// A path of the route with something in the place of each parameter.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{binding}" => "webhook",
        "{name}" | "{kind}" => "start",
        part if part.starts_with('{') => "INC-1.1.1",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn nothing_but_health_hooks_and_links_is_open() {
    let desk = desk(Limits::default(), CancellationToken::new()).await;
    let mut open = Vec::new();
    for route in routes::all() {
        for path in route.paths() {
            for authorization in ["", "Basic YTpi", "Bearer", "Bearer wrong"] {
                let request = Request::builder().method(route.method()).uri(filled(path));
                let request = request
                    .header("authorization", authorization)
                    .body(Body::empty())
                    .expect("a request");
                let answer = send(&desk, request).await;
                if answer.status == StatusCode::UNAUTHORIZED {
                    assert!(answer.headers.contains_key("www-authenticate"), "{path}");
                } else {
                    open.push(format!("{} {path}", route.method()));
                    break;
                }
            }
        }
    }
    expect![[r"
        POST /api/v1/hooks/{binding}/{*path}
        POST /api/v1/hooks/{binding}
        POST /hooks/{binding}
        POST /hooks/{binding}/{*path}
        GET /vote/{token}
        POST /vote/{token}
        GET /health/live
        GET /api/v1/health/live
        GET /health/ready
        GET /api/v1/health/ready"]]
    .assert_eq(&open.join("\n"));
}

#[tokio::test]
async fn an_address_or_method_that_does_not_exist_is_said_to() {
    check(
        get("/api/v2/records"),
        &expect!["404 not-found: there is nothing at this address"],
    )
    .await;
    check(get("/api/v1/records/inc-1"), &expect!["404 not-found: there is no such address: `inc-1` is not the number of a record: a prefix of 2 to 8 capitals, `-` and a number, such as INC-1042"]).await;
    check(
        get("/api/v1/records/%FF"),
        &expect!["404 not-found: there is no such address: Invalid UTF-8 in `id`"],
    )
    .await;
    let desk = desk(Limits::default(), CancellationToken::new()).await;
    let mut request = get("/api/v1/records/INC-1");
    *request.method_mut() = Method::DELETE;
    let answer = send(&desk, request).await;
    expect!["405 method-not-allowed: this address does not know DELETE"].assert_eq(&answer.said());
    expect![[r#"Some("GET,HEAD,PATCH")"#]].assert_eq(&format!("{:?}", answer.headers.get("allow")));
}

#[tokio::test]
async fn a_query_is_held_to_what_is_known() {
    check(
        get("/api/v1/records?workflow=incident&limit=2"),
        &expect![[r#"200 {"records":[]}"#]],
    )
    .await;
    check(get("/api/v1/records?stat=new"), &expect!["400 malformed: the query does not read: stat: unknown field `stat`, expected one of `workflow`, `state`, `category`, `team`, `assignee`, `requester`, `filter`, `sort`, `limit`, `cursor`"]).await;
    check(get("/api/v1/records?category=opened"), &expect!["400 malformed: the query does not read: category: unknown variant `opened`, expected one of `open`, `waiting`, `resolved`, `closed`"]).await;
    check(
        get("/api/v1/records?limit=0"),
        &expect!["400 malformed: the query does not read: limit: a limit is 1 to 200, not 0"],
    )
    .await;
    check(
        get("/api/v1/records?limit=1000000"),
        &expect!["400 malformed: the query does not read: limit: a limit is 1 to 200, not 1000000"],
    )
    .await;
    check(get("/api/v1/records?cursor=x"), &expect!["400 malformed: the query does not read: cursor: a cursor is what the part before gave as `next`"]).await;
    check(get("/api/v1/records?sort=name"), &expect!["400 malformed: the query does not read: sort: unknown variant `name`, expected `-updated` or `updated`"]).await;
    check(
        get("/api/v1/records?state=new&state=old"),
        &expect!["400 malformed: the query does not read: duplicate field `state`"],
    )
    .await;
}

#[tokio::test]
async fn a_body_that_does_not_read_is_refused_at_its_place() {
    let records = "/api/v1/records";
    check(
        post(records, "{\"workflow\":\n \"incident\",,}"),
        &expect!["400 malformed: the body does not read: key must be a string at line 2 column 13"],
    )
    .await;
    check(
        post(records, ""),
        &expect!["400 malformed: the body is empty, and is said to be JSON"],
    )
    .await;
    check(
        post(records, "{} {}"),
        &expect!["400 malformed: the body does not read: trailing characters at line 1 column 4"],
    )
    .await;
    check(
        post(records, &b"{\"workflow\": \"\xff\"}"[..]),
        &expect![
            "400 malformed: the body does not read: invalid unicode code point at line 1 column 15"
        ],
    )
    .await;
    check(
        post(records, r#"{"workflow":"incident","workflow":"request"}"#),
        &expect![
            "400 malformed: the body does not read: `workflow` is given twice at line 1 column 33"
        ],
    )
    .await;
    let deep = format!(
        r#"{{"workflow":"incident","fields":{{"a":{}1{}}}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    check(post(records, deep), &expect!["400 malformed: the body does not read: nested more than 32 levels deep at line 1 column 68"]).await;
    let long = format!(
        r#"{{"workflow":"incident","fields":{{"a":[{}0]}}}}"#,
        "0,".repeat(10_000)
    );
    check(post(records, long), &expect!["400 malformed: the body does not read: a list has more than 10000 items at line 1 column 20040"]).await;
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused_field_by_field() {
    check(
        post("/api/v1/records", r#"{"workflow":"incident","feilds":{}}"#),
        &expect!["422 invalid: /feilds: unknown field `feilds`, expected one of `workflow`, `item`, `create`, `requester`, `fields`, `link`"],
    )
    .await;
    check(
        post("/api/v1/records", r#"{"workflow":"Incident"}"#),
        &expect!["422 invalid: /workflow: `Incident` is not the id of a workflow: up to 64 lower-case letters and digits, in words joined by `-`, a letter first"],
    )
    .await;
    check(
        post("/api/v1/records/INC-1/votes", r#"{"approves":"yes"}"#),
        &expect![[r#"422 invalid: /approves: invalid type: string "yes", expected a boolean"#]],
    )
    .await;
    check(
        post(
            "/api/v1/records/INC-1/links",
            r#"{"kind":"caused_by","target":"nowhere"}"#,
        ),
        &expect!["422 invalid: /target: `nowhere` is not the number of a record: a prefix of 2 to 8 capitals, `-` and a number, such as INC-1042"],
    )
    .await;
    check(
        post("/api/v1/records", r#"{"workflow":"incident"}"#),
        &expect!["404 not-found: there is no workflow `incident`"],
    )
    .await;
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let typed = |kind: &str| {
        let mut request = post("/api/v1/records", r#"{"workflow":"incident"}"#);
        request
            .headers_mut()
            .insert("content-type", kind.parse().expect("a header"));
        request
    };
    for accepted in ["application/json", "Application/JSON; charset=UTF-8"] {
        check(
            typed(accepted),
            &expect!["404 not-found: there is no workflow `incident`"],
        )
        .await;
    }
    for refused in [
        "text/plain",
        "application/json; charset=latin1",
        "application/merge-patch+json",
        "",
    ] {
        check(
            typed(refused),
            &expect![
                "415 media-type: the body should be JSON in UTF-8: `Content-Type: application/json`"
            ],
        )
        .await;
    }
    let mut untyped = typed("application/json");
    untyped.headers_mut().remove("content-type");
    check(
        untyped,
        &expect![
            "415 media-type: the body should be JSON in UTF-8: `Content-Type: application/json`"
        ],
    )
    .await;
    let mut packed = typed("application/json");
    packed
        .headers_mut()
        .insert("content-encoding", "gzip".parse().expect("a header"));
    check(
        packed,
        &expect![
            "415 media-type: the body should be JSON in UTF-8: `Content-Type: application/json`"
        ],
    )
    .await;
}

#[tokio::test]
async fn a_body_past_the_limit_is_refused_without_being_read() {
    let mut announced = post("/api/v1/records", Body::empty());
    announced
        .headers_mut()
        .insert("content-length", "100000000".parse().expect("a header"));
    check(
        announced,
        &expect!["413 too-large: a body has at most 1048576 bytes"],
    )
    .await;
    let endless =
        stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 16_384])));
    let sent = post("/api/v1/records", Body::from_stream(endless));
    check(
        sent,
        &expect!["413 too-large: a body has at most 1048576 bytes"],
    )
    .await;
}

#[tokio::test]
async fn headers_that_guard_a_change_are_held_to_their_form() {
    let with = |name: &'static str, value: String| {
        let mut request = post("/api/v1/records/INC-1/transitions/start", "{}");
        request
            .headers_mut()
            .insert(name, value.parse().expect("a header"));
        request
    };
    check(with("if-match", "7".into()), &expect![[r#"400 malformed: `If-Match` takes the one ETag that the record came with, such as "v7", or *"#]]).await;
    check(
        with("if-match", "\"v7\"".into()),
        &expect!["404 not-found: there is no record `INC-1`"],
    )
    .await;
    check(
        with("idempotency-key", "k".repeat(201)),
        &expect!["400 malformed: an `Idempotency-Key` has 1 to 200 characters"],
    )
    .await;
    check(
        with("idempotency-key", String::new()),
        &expect!["400 malformed: an `Idempotency-Key` has 1 to 200 characters"],
    )
    .await;
}

#[tokio::test]
async fn a_failure_inside_says_nothing_of_the_inside() {
    check(
        get(&format!("/api/v1/records/{UNREADABLE}")),
        &expect!["503 unavailable: the server cannot reach its data"],
    )
    .await;
    check(
        get(&format!("/api/v1/records/{PANICS}")),
        &expect!["500 internal: the server failed in a way it should not; its log says more"],
    )
    .await;
    check(
        get(&format!("/api/v1/records/{PANICS}/history")),
        &expect!["500 internal: the server failed in a way it should not; its log says more"],
    )
    .await;
}

#[tokio::test]
async fn a_server_with_too_much_to_do_says_so_and_when_to_come_back() {
    let limits = Limits {
        concurrent_requests: 0,
        streams: 0,
        ..Limits::default()
    };
    let busy = desk(limits, CancellationToken::new()).await;
    let answer = send(&busy, get("/api/v1/workflows")).await;
    expect!["503 overloaded: as many requests are under way as the server takes at once"]
        .assert_eq(&answer.said());
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(
        send(&busy, get("/health/live")).await.status,
        StatusCode::OK
    );

    let limits = Limits {
        concurrent_hooks: 0,
        ..Limits::default()
    };
    let busy = desk(limits, CancellationToken::new()).await;
    expect!["503 overloaded: as many requests are under way as the server takes at once"]
        .assert_eq(&send(&busy, post("/hooks/webhook", "{}")).await.said());
    assert_eq!(
        send(&busy, get("/api/v1/workflows")).await.status,
        StatusCode::OK,
        "strangers take no place from those with a token"
    );

    let limits = Limits {
        streams: 0,
        ..Limits::default()
    };
    let busy = desk(limits, CancellationToken::new()).await;
    expect!["503 overloaded: as many event streams are open as the server takes"]
        .assert_eq(&send(&busy, get("/api/v1/events")).await.said());

    let limits = Limits {
        timeout: Duration::from_millis(20),
        ..Limits::default()
    };
    let slow = desk(limits, CancellationToken::new()).await;
    let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    expect!["503 timeout: not done within 20ms"]
        .assert_eq(&send(&slow, post("/api/v1/records", never)).await.said());
}

#[tokio::test]
async fn an_actor_who_asks_too_often_waits() {
    let limits = Limits {
        requests_per_second: NonZeroU32::new(2),
        ..Limits::default()
    };
    let desk = desk(limits, CancellationToken::new()).await;
    for _ in 0..2 {
        assert_eq!(
            send(&desk, get("/api/v1/workflows")).await.status,
            StatusCode::OK
        );
    }
    let answer = send(&desk, get("/api/v1/workflows")).await;
    expect!["429 too-many-requests: more requests a second than one actor may make"]
        .assert_eq(&answer.said());
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn once_told_to_stop_streams_end_and_the_server_is_not_ready() {
    let stop = CancellationToken::new();
    let desk = desk(Limits::default(), stop.clone()).await;
    expect![[r#"200 {"status":"ready"}"#]]
        .assert_eq(&send(&desk, get("/health/ready")).await.said());
    let request = Request::get("/api/v1/events").header("authorization", format!("bearer {TOKEN}"));
    let stream = send(&desk, request.body(Body::empty()).expect("a request"));
    let stopped = async {
        tokio::task::yield_now().await;
        stop.cancel();
    };
    let (answer, ()) = tokio::join!(stream, stopped);
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    assert_eq!(answer.text, "");
    expect!["503 unavailable: the server is ending"]
        .assert_eq(&send(&desk, get("/health/ready")).await.said());
    expect![[r#"200 {"status":"live"}"#]].assert_eq(&send(&desk, get("/health/live")).await.said());
}

#[tokio::test]
async fn a_stream_goes_on_from_a_position_only() {
    let mut request = get("/api/v1/events");
    request
        .headers_mut()
        .insert("last-event-id", "yesterday".parse().expect("a header"));
    check(
        request,
        &expect!["400 malformed: `Last-Event-ID` is the `id` of an event"],
    )
    .await;
}

#[tokio::test]
async fn an_outside_request_needs_a_binding() {
    let request = |path: &str| {
        Request::post(path)
            .body(Body::from("x"))
            .expect("a request")
    };
    check(
        request("/hooks/webhook"),
        &expect!["404 not-found: there is no binding `webhook`"],
    )
    .await;
    check(
        request("/api/v1/hooks/webhook/deliveries"),
        &expect!["404 not-found: there is no binding `webhook`"],
    )
    .await;
}

#[tokio::test]
async fn the_document_is_served() {
    let desk = desk(Limits::default(), CancellationToken::new()).await;
    let answer = send(&desk, get("/api/openapi.json")).await;
    assert_eq!(answer.text, crate::document());
    assert_eq!(answer.headers["cache-control"], "no-store");
}
