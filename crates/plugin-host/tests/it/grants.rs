//! Every grant that the plugin host enforces: with it a plugin does its work, and without it the same
//! plugin is refused and told why. Commands and `act-as` are the engine's to enforce; the stories
//! `grants` show them.

use model::hook::{FailureKind, Hook};
use serde_json::{Value as Json, json};

use crate::cases;
use crate::server::Server;
use crate::support::{Desk, SECRET, all_grants, ask, binding, component, host};

/// One grant: what a plugin does with it, and what comes of that with it and without it.
struct Grant {
    /// What it is told to do.
    does: &'static str,
    /// The `authorization` that its request carries.
    header: &'static str,
    given: Json,
    /// What is in its answer then.
    answers: &'static str,
    /// Grants that are near to it, and not it.
    withheld: Vec<Json>,
    /// What is in the message then.
    says: &'static str,
    hooks: &'static [Hook],
}

const INTEGRATION: &[Hook] = &[Hook::Delivery, Hook::Webhook, Hook::Schedule];

/// The grants, for a server at this origin.
fn grants(origin: &str) -> Vec<Grant> {
    let elsewhere = "https://chat.example";
    let http = json!({ origin: true });
    let mut grants = vec![
        Grant {
            does: "request",
            header: "plain",
            given: json!({ "http": http }),
            answers: "200 POST / HTTP/1.1",
            withheld: vec![
                json!({}),
                json!({ "http": { origin: false } }),
                json!({ "http": { elsewhere: true } }),
            ],
            says: "does not grant requests to http://127.0.0.1",
            hooks: INTEGRATION,
        },
        Grant {
            does: "request",
            header: "Bearer {{secret:token}}",
            given: json!({ "http": http, "secrets": { "token": { "hosts": http } } }),
            answers: "authorization: Bearer [secret]",
            withheld: vec![
                json!({ "http": http, "secrets": { "token": { "hosts": { elsewhere: true } } } }),
                json!({ "http": http, "secrets": { "token": { "hosts": { origin: false } } } }),
                json!({ "http": http, "secrets": { "token": { "sign": true } } }),
            ],
            says: "the secret is not bound to this host",
            hooks: INTEGRATION,
        },
        Grant {
            does: "request",
            header: "Bearer {{secret:token}}",
            given: json!({ "http": http, "secrets": { "token": { "hosts": http } } }),
            answers: "authorization: Bearer [secret]",
            withheld: vec![
                json!({ "http": http }),
                json!({ "http": http, "secrets": { "key": { "hosts": http } } }),
            ],
            says: "does not grant the secret",
            hooks: INTEGRATION,
        },
    ];
    grants.extend(signing_and_values(origin));
    grants.extend(directory());
    grants
}

fn signing_and_values(origin: &str) -> Vec<Grant> {
    let sign = json!({ "secrets": { "key": { "sign": true } } });
    let no_sign = vec![
        json!({}),
        json!({ "secrets": { "key": { "sign": false, "hosts": { origin: true } } } }),
        json!({ "secrets": { "token": { "sign": true } } }),
    ];
    let no_values = vec![json!({}), json!({ "key-value": false })];
    let of = |does, given: &Json, answers, withheld: &Vec<Json>, says| Grant {
        does,
        header: "",
        given: given.clone(),
        answers,
        withheld: withheld.clone(),
        says,
        hooks: INTEGRATION,
    };
    let values = json!({ "key-value": true });
    let no_signing = "grants no signing with a secret `key`";
    let no_space = "grants no key-value space";
    vec![
        // RFC 4231, test case 2.
        of(
            "sign",
            &sign,
            "5bdcc146bf60754e6a042426089575c75a003f08",
            &no_sign,
            no_signing,
        ),
        of("verify", &sign, "false", &no_sign, no_signing),
        of("compare", &sign, "true false false", &no_sign, no_signing),
        of("key-value", &values, "Some([120])", &no_values, no_space),
        of("keys", &values, "[]", &no_values, no_space),
    ]
}

/// Each kind of thing in the directory is a grant of its own, and the same for every hook.
fn directory() -> Vec<Grant> {
    let all = ["team", "user", "organisation", "record"];
    let of = |does: &'static str, kind: &'static str, answers: &'static str, says: &'static str| {
        let all_others: serde_json::Map<String, Json> = all
            .iter()
            .map(|other| ((*other).to_owned(), json!(*other != kind)))
            .collect();
        Grant {
            does,
            header: "",
            given: json!({ "directory": { kind: true } }),
            answers,
            withheld: vec![json!({}), json!({ "directory": all_others })],
            says,
            hooks: &Hook::ALL,
        }
    };
    vec![
        of("teams", "team", "desk service-desk", "looking up `team`"),
        of("members", "team", "2", "looking up `team`"),
        of("users", "user", "Ann", "looking up `user`"),
        of(
            "organisation",
            "organisation",
            "true",
            "looking up `organisation`",
        ),
        of("linked", "record", "0", "looking up `record`"),
        of("alike", "record", "0", "looking up `record`"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_grant_is_needed_and_enough() {
    let Some(component) = cases::rust() else {
        return;
    };
    let origin = format!("http://127.0.0.1:{}", Server::Echo.start().await);
    for grant in grants(&origin) {
        let settings = json!({ "do": grant.does, "url": origin, "header": grant.header });
        let setup = |id: &str, hook: Hook, grants: &Json| {
            let more = json!({ "settings": settings, "grants": grants });
            binding(id, &component, &[hook.as_str()], more)
        };
        for hook in grant.hooks {
            let given = setup("given", *hook, &grant.given);
            let withheld = grant.withheld.iter().enumerate();
            let withheld =
                withheld.map(|(n, grants)| setup(&format!("withheld-{n}"), *hook, grants));
            let host = host(withheld.chain([given]).collect()).await;
            let desk = Desk::shared();
            let what = format!("{} at {}", grant.does, hook.as_str());
            let answer = ask(&host, *hook, "given", &desk).await;
            let answer = answer.unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
            assert!(answer.contains(grant.answers), "{what}: {answer}");
            assert!(!answer.contains(SECRET), "{what}: {answer}");
            for (n, grants) in grant.withheld.iter().enumerate() {
                let refused = ask(&host, *hook, &format!("withheld-{n}"), &desk).await;
                let refused = refused.expect_err(&format!("{what} with {grants}"));
                assert!(
                    refused.message.contains(grant.says),
                    "{what} with {grants}: {refused:?}"
                );
                assert_ne!(refused.kind, FailureKind::Trap, "{what} with {grants}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pure_hook_has_nothing_of_an_integration_whatever_is_granted() {
    let Some(component) = cases::rust() else {
        return;
    };
    let origin = format!("http://127.0.0.1:{}", Server::Echo.start().await);
    let secret = json!({ "sign": true, "hosts": { &origin: true } });
    let grants = json!({
        "http": { &origin: true },
        "key-value": true,
        "secrets": { "key": secret, "token": secret },
    });
    for (does, says) in [
        ("request", "wasi:http"),
        ("key-value", "key-value"),
        ("keys", "key-value"),
        ("sign", "signing"),
        ("verify", "signing"),
        ("compare", "signing"),
        ("nap", "wanted to sleep"),
    ] {
        let settings = json!({ "do": does, "url": origin, "header": "plain" });
        let more = json!({ "settings": settings, "grants": grants });
        let hooks = ["routing", "approval", "service-level", "schedule"];
        let host = host(vec![binding("mixed", &component, &hooks, more)]).await;
        for hook in [Hook::Routing, Hook::Approval, Hook::ServiceLevel] {
            let refused = ask(&host, hook, "mixed", &Desk::shared())
                .await
                .unwrap_err();
            assert_eq!(refused.kind, FailureKind::Trap, "{does}: {refused:?}");
            assert!(refused.message.contains(says), "{does}: {refused:?}");
        }
        // The very same binding may, where it is an integration.
        let answer = ask(&host, Hook::Schedule, "mixed", &Desk::shared()).await;
        assert!(answer.is_ok(), "{does}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_and_not_asked_for_is_not_given() {
    let Some(component) = component("hostile") else {
        return;
    };
    let mut grants = all_grants();
    // Its manifest asks for teams.
    grants["directory"]["user"] = json!(true);
    let more = json!({ "settings": { "do": "users" }, "grants": grants });
    let host = host(vec![binding("nosy", &component, &["routing"], more)]).await;
    let refused = ask(&host, Hook::Routing, "nosy", &Desk::shared())
        .await
        .unwrap_err();
    assert_eq!(refused.kind, FailureKind::Misconfigured);
    assert!(refused.message.contains("looking up `user`"), "{refused:?}");
}
