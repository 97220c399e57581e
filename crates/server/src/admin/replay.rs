//! Asking again what plugins decided, beside whatever else the data folder is used for.

use std::sync::Arc;

use anyhow::Result;
use engine::Wanted;
use model::Instant;
use model::id::BindingId;
use plugin_host::{Options, WasmPlugins};
use serde_json::Value;
use tracing::Instrument as _;

use crate::desk::Desk;

/// How many calls run at once: they are made one after the other.
const CALLS: u32 = 2;

/// What came of asking again. The plugins have a host of their own, under the same limits, whose calls
/// count for no figures and no breaker of those in use.
pub(super) async fn told(
    desk: &Desk,
    binding: Option<BindingId>,
    component: Option<Vec<u8>>,
    since: Option<Instant>,
) -> Result<Value> {
    let wanted = Wanted {
        binding,
        component: component.map(Into::into),
        since,
    };
    let plugins = WasmPlugins::new(Options {
        concurrent_calls: CALLS,
        breakers: false,
        ..desk.plugin_options().clone()
    })?;
    let asked = engine::replay(desk.store.clone(), Arc::new(plugins), wanted);
    let replayed = asked.instrument(tracing::info_span!("replay")).await?;
    Ok(serde_json::to_value(replayed)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engine::port::{Commit, RecordCommit, Store as _};
    use engine::{Replayed, Wanted, fold};
    use model::command::{Action, Actor, Command, Create};
    use model::definition::Category;
    use model::event::Event;
    use model::hook::{Answer, Ask, Failure, FailureKind, Hook, Question, RecordView};
    use model::id::RecordId;
    use model::journal::{Decision, Entry, HookDecision, encode};
    use model::{Digest, Instant};
    use plugin_host::{Options, WasmPlugins};
    use store::RedbStore;

    /// A record that was begun with this decision.
    fn begun(number: u64, decision: HookDecision, blobs: Vec<(Digest, Vec<u8>)>) -> Commit {
        let id = RecordId::numbered("NTE", number).unwrap();
        let at = Instant::from_millis(1_000 * i64::try_from(number).unwrap());
        let entry = Entry {
            version: 1,
            previous: Digest::default(),
            command: Command {
                actor: Actor::timer(),
                at,
                action: Action::Create(Create {
                    workflow: "note".parse().unwrap(),
                    item: None,
                    parent: None,
                    via: None,
                    requester: None,
                    fields: serde_json::Map::new(),
                    link: None,
                    reference: None,
                }),
            },
            idempotency: None,
            configuration: Digest::of(b"definitions that are lost"),
            lookups: Vec::new(),
            decisions: vec![Decision::Hook(decision)],
            events: vec![Event::Created {
                workflow: "note".parse().unwrap(),
                definition: Digest::default(),
                via: "write".parse().unwrap(),
                state: "open".parse().unwrap(),
                category: Category::Open,
                outcome: None,
                requester: None,
                item: None,
                parent: None,
            }],
        };
        let encoded_entry = encode(&entry);
        let after = fold(None, &id, &entry, &encoded_entry).unwrap();
        Commit::Record(Box::new(RecordCommit {
            before: None,
            after: Arc::new(after),
            entry,
            encoded_entry,
            blobs,
            windows_as_of: None,
        }))
    }

    fn decision(input: Digest, failure: Option<FailureKind>) -> HookDecision {
        HookDecision {
            hook: Hook::Routing,
            binding: "router".parse().unwrap(),
            component: Some(Digest::of(b"component")),
            input,
            answer: failure.is_none().then(|| Answer::Assignment {
                team: "writers".to_owned(),
                assignee: None,
                reason: String::new(),
            }),
            failure: failure.map(|kind| Failure {
                kind,
                message: "it used up its time".to_owned(),
                retry_after: None,
            }),
            micros: 1,
        }
    }

    fn question() -> (Digest, Vec<u8>) {
        let at = Instant::from_millis(0);
        let question = encode(&Question {
            binding: "router".parse().unwrap(),
            subject: RecordView {
                id: None,
                workflow: "note".parse().unwrap(),
                state: "open".to_owned(),
                category: Category::Open,
                version: 0,
                requester: None,
                assignee: None,
                team: None,
                opened_at: at,
                updated_at: at,
                state_since: at,
                fields: std::collections::BTreeMap::new(),
            },
            ask: Ask::Route,
        });
        (Digest::of(&question), question)
    }

    async fn replayed(store: &Arc<RedbStore>, wanted: Wanted) -> Replayed {
        let plugins = WasmPlugins::new(Options {
            concurrent_calls: super::CALLS,
            ..Options::default()
        });
        let plugins = Arc::new(plugins.unwrap());
        engine::replay(store.clone(), plugins, wanted)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn what_cannot_be_asked_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let store = RedbStore::open(folder.path(), store::Options::default()).unwrap();
        let store = Arc::new(store);
        let (known, text) = question();
        let unread = (Digest::of(b"no question"), b"no question".to_vec());
        let nobody = HookDecision {
            component: None,
            ..decision(known, Some(FailureKind::Unavailable))
        };
        for (number, decision, blobs) in [
            (1, nobody, Vec::new()),
            (2, decision(known, Some(FailureKind::Timeout)), Vec::new()),
            (3, decision(known, None), Vec::new()),
            (4, decision(unread.0, None), vec![unread]),
            (5, decision(known, None), vec![(known, text)]),
        ] {
            store.commit(begun(number, decision, blobs)).await.unwrap();
        }
        let all = replayed(&store, Wanted::default()).await;
        assert_eq!((all.total.decisions, all.total.not_asked), (5, 5));
        let reasons = all.bindings.iter().flat_map(|of| &of.reasons);
        let mut reasons: Vec<_> = reasons
            .map(|(why, reason)| (*why, reason.count, reason.record.as_str()))
            .collect();
        reasons.sort_unstable();
        assert_eq!(
            reasons,
            [
                // The question is stored by its digest, whichever decision brought it.
                ("definitions-missing", 2, "NTE-3"),
                ("ended-by-a-limit", 1, "NTE-2"),
                ("nobody-asked", 1, "NTE-1"),
                ("question-missing", 1, "NTE-4"),
            ]
        );

        let later = Wanted {
            since: Some(Instant::from_millis(4_000)),
            ..Wanted::default()
        };
        assert_eq!(replayed(&store, later).await.total.decisions, 2);
        let other = Wanted {
            binding: Some("another".parse().unwrap()),
            ..Wanted::default()
        };
        let none = replayed(&store, other).await;
        assert_eq!((none.total.decisions, none.position), (0, 5));
        store.close();
    }
}
