//! The plugins that ship, as the server runs them.

use engine::port::{Delivery, HttpRequest, Plugins as _};
use model::hook::{Answer, Ask};
use model::id::{BindingId, CalendarId, ServiceLevelId, TargetId};
use serde_json::json;

use crate::support::{Desk, binding, call, component, host, question, record, route};

#[tokio::test(flavor = "multi_thread")]
async fn skills_router_gives_work_to_whoever_has_least() {
    let Some(component) = component("skills-router") else {
        return;
    };
    let more =
        json!({ "grants": { "directory": { "team": true, "service": true, "user": true } } });
    let host = host(vec![binding("router", &component, &["routing"], more)]).await;
    let reply = route(&host, "router").await;
    let Ok(Answer::Assignment {
        team,
        assignee,
        reason,
    }) = &reply.answer
    else {
        panic!("{reply:?}");
    };
    assert_eq!(
        (team.as_str(), assignee.as_deref()),
        ("service-desk", Some("bo"))
    );
    assert!(!reason.is_empty());
    assert!(reply.component.is_some() && !reply.lookups.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn change_advisory_and_contract_hours_answer() {
    let Some(advisory) = component("change-advisory") else {
        return;
    };
    let Some(hours) = component("contract-hours") else {
        return;
    };
    let more = json!({ "grants": { "directory": { "user": true, "record": true, "organisation": true, "contract": true, "team": true, "service": true } } });
    let host = host(vec![
        binding("advisory", &advisory, &["approval"], more.clone()),
        binding("hours", &hours, &["service-level"], more),
    ])
    .await;
    let approve = Ask::Approve {
        transition: "submit".to_owned(),
        input: [].into(),
        votes: Vec::new(),
    };
    let targets = Ask::Targets {
        service_level: ServiceLevelId::new("standard").unwrap(),
        targets: vec![TargetId::new("resolution").unwrap()],
        calendar: CalendarId::new("office").unwrap(),
    };
    for (id, ask) in [("advisory", approve), ("hours", targets)] {
        let reply = host.ask(call(), &question(id, ask), Desk::shared()).await;
        // What they answer is their own tests' affair; that they do, or say why not, is this one's.
        assert!(reply.component.is_some());
        if let Err(failure) = reply.answer {
            assert!(
                matches!(
                    failure.kind,
                    model::hook::FailureKind::InvalidInput
                        | model::hook::FailureKind::Misconfigured
                ),
                "{id}: {failure:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_refuses_a_request_that_is_not_signed() {
    let Some(component) = component("webhook") else {
        return;
    };
    let more = json!({
        "settings": { "receive": { "secret": "key" }, "deliver": { "url": "http://127.0.0.1:9/in" } },
        "grants": {
            "http": { "http://127.0.0.1:9": true },
            "secrets": { "key": { "sign": true } },
            "commands": { "incident": { "create": true } },
        },
    });
    let host = host(vec![binding(
        "chat",
        &component,
        &["webhook", "delivery"],
        more,
    )])
    .await;
    let id = BindingId::new("chat").unwrap();
    let request = HttpRequest {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: b"{}".to_vec(),
    };
    let reply = host
        .receive(&id, call(), request, Desk::shared())
        .await
        .unwrap();
    assert!((400..500).contains(&reply.response.status), "{reply:?}");
    assert!(reply.commands.is_empty());

    let delivery = Delivery {
        id: "event-1".to_owned(),
        kind: "com.example.created".to_owned(),
        subject: record(),
        references: Vec::new(),
        data: json!({ "specversion": "1.0", "id": "event-1", "type": "a", "source": "b" })
            .to_string(),
        hidden: Vec::new(),
    };
    // Nobody listens there.
    let failure = host
        .deliver(&id, call(), delivery, Desk::shared())
        .await
        .unwrap_err();
    assert!(failure.kind.is_passing(), "{failure:?}");
}
