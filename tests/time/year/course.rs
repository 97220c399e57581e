//! The course that a record takes: what is due of it, and what people do about it, by a chance that is
//! the same in every run, in their own hours.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use engine::{EngineError, Rejection};
use model::command::{Action, Create};
use model::definition::{Category, Choice};
use model::id::{EscalationStepId, PersonId, RecordId, StageId, StateId, TransitionId, WorkflowId};
use model::record::{Escalation, Record};
use model::{Duration, Instant};
use serde_json::{Map, Value as Json, json};

use super::life::MINUTE;
use super::people::{SITES, Sites};
use crate::chance::Chance;
use crate::desk::Desk;
use crate::own_time;

pub(crate) struct Course {
    pub(crate) id: RecordId,
    /// When something is due of it next.
    pub(crate) due: Option<Instant>,
    /// What people will do about it: when, and in which order where that is the same.
    planned: BTreeMap<(Instant, u32), Deed>,
    plans: u32,
    chance: Chance,
    /// Where it stood when something was last planned for it.
    seen: Option<Standing>,
    /// The step in which somebody was last told that it waits.
    told: Option<(EscalationStepId, u32)>,
}

/// The state, the stage that is open, and when it was come to.
type Standing = (StateId, Option<StageId>, Instant);

struct Deed {
    who: PersonId,
    what: What,
}

enum What {
    Take(&'static str),
    Vote(bool),
}

impl Course {
    pub(crate) async fn begin(
        desk: &Desk,
        sites: &Sites,
        at: Instant,
        who: PersonId,
        workflow: &str,
    ) -> Self {
        let person = sites.person(&who);
        let action = Action::Create(Create {
            workflow: WorkflowId::new(workflow).expect("a workflow"),
            item: None,
            via: None,
            requester: None,
            fields: fields(workflow, SITES[person.site], &who, at),
            parent: None,
            link: None,
            reference: None,
        });
        let acting = desk.act(&who, person.is_agent, None, action);
        let begun = own_time::at(at, acting).await.expect("it is carried out");
        let id = begun.record.id.clone();
        let seed = id.as_str().bytes();
        let seed = seed.fold(0x5eed, |seed: u64, byte| {
            seed.wrapping_mul(31) + u64::from(byte)
        });
        let mut course = Self {
            id,
            due: None,
            planned: BTreeMap::new(),
            plans: 0,
            chance: Chance(seed),
            seen: None,
            told: None,
        };
        course.stands(sites, &begun.record, at);
        course
    }

    /// When the next of it comes.
    pub(crate) fn next(&self) -> Option<Instant> {
        let planned = self.planned.keys().next().map(|(at, _)| *at);
        self.due.into_iter().chain(planned).min()
    }

    /// Goes on, one after the other. What is due comes before what somebody has planned for the same
    /// instant.
    pub(crate) async fn live(mut self, desk: &Desk, sites: &Sites, until: Instant) -> Self {
        while let Some(at) = self.next().filter(|at| *at < until) {
            let record = if self.due == Some(at) {
                let woken = own_time::at(at, desk.wake(&self.id)).await;
                let woken = woken.expect("it is carried out");
                assert!(woken.position > 0, "{}: something was due", self.id);
                Some(woken.record)
            } else {
                let (_, deed) = self.planned.pop_first().expect("it was planned");
                own_time::at(at, self.act(desk, sites, deed)).await
            };
            if let Some(record) = record {
                self.stands(sites, &record, at);
            }
        }
        self
    }

    /// The record as it then stands; none where it had gone on without them.
    async fn act(&self, desk: &Desk, sites: &Sites, deed: Deed) -> Option<Arc<Record>> {
        let action = match deed.what {
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
        let is_agent = sites.person(&deed.who).is_agent;
        let acting = desk.act(&deed.who, is_agent, Some(self.id.clone()), action);
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

    /// What is due next, and what people will do about it once it stands somewhere new.
    fn stands(&mut self, sites: &Sites, record: &Record, now: Instant) {
        self.due = record.next_due();
        let mut plan = Plan {
            course: self,
            sites,
            now,
        };
        if let Some(open) = &record.escalation {
            plan.answer(open);
        }
        plan.go_on(record);
    }
}

/// What people make up their minds to do about a record, at an instant.
struct Plan<'c> {
    course: &'c mut Course,
    sites: &'c Sites,
    now: Instant,
}

impl Plan<'_> {
    fn go_on(&mut self, record: &Record) {
        let stage = record.approval.iter().flat_map(|it| &it.stages).next();
        let stage = stage.map(|stage| stage.plan.id.clone());
        let standing = Some((record.state.clone(), stage, record.state_since));
        if self.course.seen == standing || record.category == Category::Closed {
            return;
        }
        self.course.seen = standing;
        let requester = record.requester.clone().expect("somebody began it");
        let agent = self.agent_of(record, &requester);
        let percent = self.course.chance.below(100);
        match record.state.as_str() {
            "new" if percent < 6 => self.soon(requester, 5..200, What::Take("withdraw")),
            "new" if percent < 12 => self.soon(agent, 700..2_000, What::Take("take")),
            "new" => self.soon(agent, 5..300, What::Take("take")),
            "working" if percent < 30 => self.soon(agent, 5..200, What::Take("ask")),
            "working" => self.soon(agent, 10..900, What::Take("resolve")),
            "waiting" if percent < 70 => self.soon(requester, 15..2_500, What::Take("answer")),
            "resolved" if percent < 12 => self.soon(requester, 10..1_200, What::Take("reopen")),
            "resolved" if percent < 30 => self.soon(requester, 10..900, What::Take("close")),
            "fulfilling" => self.soon(agent, 20..2_500, What::Take("fulfil")),
            "implementing" => self.soon(agent, 20..600, What::Take("finish")),
            "asked" => self.ask_for_votes(record),
            _ => {}
        }
    }

    /// Of those who are told that it waits some take it before long, at any hour, and some too late.
    fn answer(&mut self, open: &Escalation) {
        let step = Some((open.step.clone(), open.round));
        if self.course.told == step {
            return;
        }
        self.course.told = step;
        let chance = &mut self.course.chance;
        if chance.below(100) < 25 {
            let told: Vec<_> = open.told.iter().collect();
            let who = told[chance.below(told.len())].clone();
            let wait = 1 + i64::try_from(chance.below(70)).expect("few");
            let at = Instant::from_millis(self.minute().millis() + wait * MINUTE);
            self.put_down(at, who, What::Take("take"));
        }
    }

    /// Most approve, some reject, some never answer.
    fn ask_for_votes(&mut self, record: &Record) {
        let stages = record.approval.iter().flat_map(|it| &it.stages);
        for person in stages.flat_map(|stage| stage.entitled.clone()) {
            match self.course.chance.below(100) {
                0..75 => self.soon(person, 10..900, What::Vote(true)),
                75..88 => self.soon(person, 10..900, What::Vote(false)),
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
        agents[self.course.chance.below(agents.len())].id.clone()
    }

    /// Puts something down for so many minutes of the person's own working time from now.
    fn soon(&mut self, who: PersonId, minutes: Range<usize>, what: What) {
        let wait = minutes.start + self.course.chance.below(minutes.len());
        let hours = &self.sites.minutes[self.sites.person(&who).site];
        let minute = self.minute();
        let at = hours.add(minute, i64::try_from(wait).expect("few") * MINUTE);
        let at = at.max(minute.saturating_add(Duration::from_secs(60)));
        self.put_down(at, who, what);
    }

    /// The whole minute that it is.
    fn minute(&self) -> Instant {
        let now = self.now.millis();
        Instant::from_millis(now - now.rem_euclid(MINUTE))
    }

    fn put_down(&mut self, at: Instant, who: PersonId, what: What) {
        let course = &mut *self.course;
        course.plans += 1;
        course
            .planned
            .insert((at, course.plans), Deed { who, what });
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
