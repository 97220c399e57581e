//! What people do, and when: by a chance that is the same in every run, in their own hours.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use engine::port::{Clock as _, ManualClock, Store as _};
use engine::{EngineError, Rejection};
use futures::future::join_all;
use model::command::{Action, Create};
use model::definition::Choice;
use model::id::{EscalationStepId, PersonId, RecordId, StageId, StateId, TransitionId, WorkflowId};
use model::record::{Escalation, Record};
use model::{Duration, Instant};
use serde_json::{Map, Value as Json, json};

use super::people::{SITES, Sites};
use super::rotas::ANNOUNCED;
use crate::chance::Chance;
use crate::desk::Desk;

const MINUTE: i64 = 60_000;
const DAY: i64 = 1_440 * MINUTE;

pub(crate) struct Life<'d> {
    desk: &'d Desk,
    clock: &'d ManualClock,
    sites: &'d Sites,
    first: Instant,
    pub(crate) end: Instant,
    days: u32,
    records_a_day: u32,
    chance: Chance,
    agenda: BinaryHeap<Reverse<(Instant, u64)>>,
    deeds: HashMap<u64, Deed>,
    planned: u64,
    /// Where each record stood when something was last planned for it.
    seen: HashMap<RecordId, Standing>,
    /// The step in which somebody was last told that it waits.
    told: HashMap<RecordId, (EscalationStepId, u32)>,
}

/// The state, the stage that is open, and when it was come to.
type Standing = (StateId, Option<StageId>, Instant);

struct Deed {
    who: PersonId,
    record: Option<RecordId>,
    what: What,
}

enum What {
    Begin(&'static str),
    Take(&'static str),
    Vote(bool),
}

impl<'d> Life<'d> {
    pub(crate) fn new(
        desk: &'d Desk,
        clock: &'d ManualClock,
        sites: &'d Sites,
        first: Instant,
        days: u32,
        records_a_day: u32,
    ) -> Self {
        Self {
            desk,
            clock,
            sites,
            first,
            end: Instant::from_millis(first.millis() + i64::from(days) * DAY),
            days,
            records_a_day,
            chance: Chance(0x5eed),
            agenda: BinaryHeap::new(),
            deeds: HashMap::new(),
            planned: 0,
            seen: HashMap::new(),
            told: HashMap::new(),
        }
    }

    pub(crate) async fn run(&mut self) {
        for day in 0..self.days {
            self.begin_day(day).await;
            let next = Instant::from_millis(self.first.millis() + i64::from(day + 1) * DAY);
            self.live_until(next).await;
        }
    }

    /// What people will ask for on this day, each in the hours of their site; what is broken at night too.
    async fn begin_day(&mut self, day: u32) {
        let begins = Instant::from_millis(self.first.millis() + i64::from(day) * DAY);
        let lived = begins.since(self.first).millis();
        if lived.is_multiple_of(ANNOUNCED.millis()) {
            self.announce(begins).await;
        }
        for _ in 0..self.records_a_day {
            let person = self.chance.below(self.sites.people.len());
            let person = &self.sites.people[person];
            let minute = self.chance.below(1_440);
            let at = begins.millis() + i64::try_from(minute).expect("few") * MINUTE;
            let opens = self.sites.minutes[person.site].next_open(Instant::from_millis(at));
            let (workflow, at) = match self.chance.below(10) {
                0 => ("incident", Instant::from_millis(at)),
                1..=5 => ("incident", opens),
                6..=8 => ("request", opens),
                _ => ("change", opens),
            };
            let who = person.id.clone();
            self.put_down(at, who, None, What::Begin(workflow));
        }
    }

    /// On the first day of every four weeks it becomes known who is on call until the next.
    async fn announce(&self, begins: Instant) {
        self.clock.set(begins);
        self.sites.rotas.announce(self.desk, begins).await;
        let until = begins.saturating_add(ANNOUNCED);
        self.sites.rotas.check_schedules(self.desk, begins, until);
    }

    async fn live_until(&mut self, until: Instant) {
        loop {
            let due = self.desk.next_due();
            let planned = self.agenda.peek().map(|Reverse((at, _))| *at);
            let next = [due, planned].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next < until) else {
                return;
            };
            assert!(next >= self.clock.now(), "time goes on");
            self.clock.set(next);
            if due.is_some_and(|due| due <= next) {
                self.do_what_is_due(next).await;
            }
            self.do_what_is_planned(next).await;
        }
    }

    async fn do_what_is_due(&mut self, now: Instant) {
        let due = self.desk.store.due(now, usize::MAX).expect("it is read");
        let done = self.desk.engine.do_what_is_due_by_now().await;
        assert!(done.expect("the store answers") >= due.len());
        for due in due {
            let record = self.desk.store.record(&due.record).expect("it is read");
            self.plan(&record.expect("it is there"));
        }
    }

    /// Everyone acts at once who has planned to: each on another record.
    async fn do_what_is_planned(&mut self, now: Instant) {
        let mut deeds: Vec<Deed> = Vec::new();
        while let Some(Reverse((at, number))) = self.agenda.peek().copied() {
            if at > now {
                break;
            }
            self.agenda.pop();
            let deed = self.deeds.remove(&number).expect("it was put down");
            let same = |other: &Deed| deed.record.is_some() && other.record == deed.record;
            if deeds.iter().any(same) {
                let later = Instant::from_millis(now.millis() + MINUTE);
                self.put_down(later, deed.who, deed.record, deed.what);
            } else {
                deeds.push(deed);
            }
        }
        let acting = deeds.into_iter().map(|deed| self.act(deed));
        for record in join_all(acting).await.into_iter().flatten() {
            self.plan(&record);
        }
    }

    /// The record as it then stands; none where it had gone on without them.
    async fn act(&self, deed: Deed) -> Option<Arc<Record>> {
        let person = self.sites.person(&deed.who);
        let site = SITES[person.site];
        let action = match deed.what {
            What::Begin(workflow) => Action::Create(Create {
                workflow: WorkflowId::new(workflow).expect("a workflow"),
                item: None,
                via: None,
                requester: None,
                fields: fields(workflow, site, &deed.who, self.clock.now()),
                parent: None,
                link: None,
                reference: None,
            }),
            What::Take(transition) => Action::Transition {
                name: TransitionId::new(transition).expect("a transition"),
                input: Map::new(),
            },
            What::Vote(approves) => Action::Vote {
                choice: Choice::of(approves),
                comment: None,
                stage: None,
                instead_of: None,
                link: None,
            },
        };
        let acting = self
            .desk
            .act(&deed.who, person.is_agent, deed.record, action);
        match acting.await {
            Ok(executed) => Some(executed.record),
            Err(EngineError::Rejected(
                Rejection::NotPossible { .. }
                | Rejection::NotFound { .. }
                | Rejection::Forbidden { .. },
            )) => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// What will be done about a record next, once it stands somewhere new.
    fn plan(&mut self, record: &Record) {
        if let Some(open) = &record.escalation {
            self.answer(record, open);
        }
        let stage = record.approval.iter().flat_map(|it| &it.stages).next();
        let stage = stage.map(|stage| stage.plan.id.clone());
        let standing = (record.state.clone(), stage, record.state_since);
        if self.seen.get(&record.id) == Some(&standing) {
            return;
        }
        if record.category == model::definition::Category::Closed {
            self.seen.remove(&record.id);
            self.told.remove(&record.id);
            return;
        }
        self.seen.insert(record.id.clone(), standing);
        let requester = record.requester.clone().expect("somebody began it");
        let agent = self.agent_of(record, &requester);
        let percent = self.chance.below(100);
        match record.state.as_str() {
            "new" if percent < 6 => self.soon(record, requester, 5..200, What::Take("withdraw")),
            "new" if percent < 12 => self.soon(record, agent, 700..2_000, What::Take("take")),
            "new" => self.soon(record, agent, 5..300, What::Take("take")),
            "working" if percent < 30 => self.soon(record, agent, 5..200, What::Take("ask")),
            "working" => self.soon(record, agent, 10..900, What::Take("resolve")),
            "waiting" if percent < 70 => {
                self.soon(record, requester, 15..2_500, What::Take("answer"));
            }
            "resolved" if percent < 12 => {
                self.soon(record, requester, 10..1_200, What::Take("reopen"));
            }
            "resolved" if percent < 30 => {
                self.soon(record, requester, 10..900, What::Take("close"));
            }
            "fulfilling" => self.soon(record, agent, 20..2_500, What::Take("fulfil")),
            "implementing" => self.soon(record, agent, 20..600, What::Take("finish")),
            "asked" => self.ask_for_votes(record),
            _ => {}
        }
    }

    /// Of those who are told that it waits some take it before long, at any hour, and some too late.
    fn answer(&mut self, record: &Record, open: &Escalation) {
        let step = (open.step.clone(), open.round);
        if self.told.get(&record.id) == Some(&step) {
            return;
        }
        self.told.insert(record.id.clone(), step);
        if self.chance.below(100) < 25 {
            let told: Vec<_> = open.told.iter().collect();
            let who = told[self.chance.below(told.len())].clone();
            let wait = 1 + i64::try_from(self.chance.below(70)).expect("few");
            let now = self.clock.now().millis();
            let at = Instant::from_millis(now - now.rem_euclid(MINUTE) + wait * MINUTE);
            self.put_down(at, who, Some(record.id.clone()), What::Take("take"));
        }
    }

    /// Most approve, some reject, some never answer.
    fn ask_for_votes(&mut self, record: &Record) {
        let stages = record.approval.iter().flat_map(|it| &it.stages);
        for person in stages.flat_map(|stage| stage.entitled.clone()) {
            match self.chance.below(100) {
                0..75 => self.soon(record, person, 10..900, What::Vote(true)),
                75..88 => self.soon(record, person, 10..900, What::Vote(false)),
                _ => {}
            }
        }
    }

    fn agent_of(&mut self, record: &Record, requester: &PersonId) -> PersonId {
        if let Some(assignee) = &record.assignee {
            return assignee.clone();
        }
        let site = SITES[self.sites.person(requester).site];
        let agents: Vec<_> = self.sites.members(site).collect();
        agents[self.chance.below(agents.len())].id.clone()
    }

    /// Puts something down for so many minutes of the person's own working time from now.
    fn soon(
        &mut self,
        record: &Record,
        who: PersonId,
        minutes: std::ops::Range<usize>,
        what: What,
    ) {
        let wait = minutes.start + self.chance.below(minutes.len());
        let hours = &self.sites.minutes[self.sites.person(&who).site];
        let now = self.clock.now().millis();
        let minute = Instant::from_millis(now - now.rem_euclid(MINUTE));
        let at = hours.add(minute, i64::try_from(wait).expect("few") * MINUTE);
        let at = at.max(minute.saturating_add(Duration::from_secs(60)));
        self.put_down(at, who, Some(record.id.clone()), what);
    }

    fn put_down(&mut self, at: Instant, who: PersonId, record: Option<RecordId>, what: What) {
        self.planned += 1;
        self.deeds.insert(self.planned, Deed { who, record, what });
        self.agenda.push(Reverse((at, self.planned)));
    }
}

/// What a form is filled with: one in seven is urgent.
fn fields(workflow: &str, site: &str, who: &PersonId, now: Instant) -> Map<String, Json> {
    let number = who.as_str().trim_start_matches("person-");
    let number: i64 = number.parse().expect("a number");
    let mut fields = Map::from_iter([("site".to_owned(), json!(site))]);
    if workflow == "incident" && (now.millis() / MINUTE + number) % 7 == 0 {
        fields.insert("impact".to_owned(), json!("high"));
    }
    fields
}
