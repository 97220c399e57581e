//! A wall clock that jumps: timers go by the time that passes, so that none fires early and none
//! twice, and all fire once it has come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use engine::port::{Clock as _, Machine, SteadyClock, Store as _};
use model::command::{Action, Create};
use model::event::Event;
use model::id::{PersonId, WorkflowId};
use model::journal::Item;
use model::{Duration, Instant};
use serde_json::{Map, json};

use crate::chance::Chance;
use crate::desk::Desk;

const BEGUN: i64 = 1_772_409_600_000;
/// Two days in steps of so many seconds.
const STEP: u64 = 10;
const STEPS: u64 = 8_640 * 2;
const RECORDS: u64 = 40;

/// A machine whose hands are moved by hand. Clones are the same machine.
#[derive(Clone, Default)]
struct Hands {
    running: Arc<AtomicU64>,
    off: Arc<AtomicI64>,
}

impl Hands {
    fn time(&self) -> Instant {
        Instant::from_millis(BEGUN).saturating_add(self.running())
    }
}

impl Machine for Hands {
    fn wall(&self) -> Instant {
        Instant::from_millis(self.time().millis() + self.off.load(Ordering::SeqCst))
    }

    fn running(&self) -> Duration {
        Duration::from_millis(self.running.load(Ordering::SeqCst))
    }

    fn suspended(&self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn timers_go_by_the_time_that_passes_however_the_wall_clock_jumps() {
    let hands = Hands::default();
    let clock = Arc::new(SteadyClock::new(hands.clone()));
    let desk = Desk::open(clock.clone()).await;
    let mut chance = Chance(7);
    let (mut jumped, mut doubted, mut lasts) = (0, 0, 0);
    for step in 0..STEPS {
        hands.running.fetch_add(STEP * 1_000, Ordering::SeqCst);
        // It goes wrong now and then, by hours or days, and is put right within minutes.
        match chance.below(60) {
            _ if lasts > 25 => hands.off.store(0, Ordering::SeqCst),
            0 if hands.off.load(Ordering::SeqCst) == 0 => {
                let off = 200_000 + i64::try_from(chance.below(300_000_000)).expect("it fits");
                let off = if chance.below(2) == 0 { off } else { -off };
                hands.off.store(off, Ordering::SeqCst);
                jumped += 1;
            }
            1..=6 => hands.off.store(0, Ordering::SeqCst),
            _ => {}
        }
        lasts = match hands.off.load(Ordering::SeqCst) {
            0 => 0,
            _ => lasts + 1,
        };
        assert_eq!(
            clock.now(),
            hands.time(),
            "the time that counts is the one that passes"
        );
        doubted += u64::from(desk.engine.clock_doubt().is_some());
        if step % (STEPS / RECORDS) == 0 {
            begin(&desk).await;
        }
        let done = desk.engine.do_what_is_due_by_now().await;
        done.expect("the store answers");
    }
    assert!(
        jumped > 50 && doubted > 300,
        "{jumped} jumps, doubted {doubted} times"
    );
    check(&desk, hands.time());
}

async fn begin(desk: &Desk) {
    let create = Create {
        workflow: WorkflowId::new("incident").expect("a workflow"),
        item: None,
        via: None,
        requester: None,
        fields: Map::from_iter([
            ("site".to_owned(), json!("brussels")),
            ("impact".to_owned(), json!("high")),
        ]),
        parent: None,
        link: None,
        reference: None,
    };
    let eve = PersonId::new("eve").expect("a person");
    let begun = desk.act(&eve, false, None, Action::Create(create));
    begun.await.expect("it is carried out");
}

/// Each timer fired once for each time it was set, within a step of its time.
fn check(desk: &Desk, now: Instant) {
    let mut set: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    let (mut fired, mut last) = (0, Instant::EPOCH);
    for (_, item) in desk.journal() {
        assert!(item.at() >= last, "recorded time never goes back");
        last = item.at();
        let Item::Record { id, entry, .. } = item else {
            continue;
        };
        for event in &entry.events {
            match event {
                Event::TimerSet { timer, due } => {
                    set.entry(format!("{id} {timer}")).or_default().push(*due);
                }
                Event::TimerFired { timer, due } => {
                    let waits = set.get_mut(&format!("{id} {timer}")).expect("it was set");
                    let place = waits.iter().position(|waits| waits == due);
                    waits.remove(place.expect("it fires once"));
                    let late = entry.command.at.millis() - due.millis();
                    let step = i64::try_from(STEP * 1_000).expect("it fits");
                    assert!(
                        (0..=step).contains(&late),
                        "{id}: {timer} is {late} ms late"
                    );
                    fired += 1;
                }
                Event::TimerCleared { timer } => {
                    set.remove(&format!("{id} {timer}"));
                }
                _ => {}
            }
        }
    }
    assert!(fired > 100, "{fired} fired");
    let mut left = set.values().flatten();
    assert!(left.all(|due| *due > now), "none is lost");
    assert!(desk.store.due(now, 1).expect("it is read").is_empty());
}
