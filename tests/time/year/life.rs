//! The days of the desk: what people ask for on each, and how everything that is open goes on.
//!
//! Nothing of one record bears on another, so that all of them go on side by side, a stretch of time
//! after the other; each does so in its own time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use engine::port::Store as _;
use futures::future::{FutureExt as _, join_all};
use model::Instant;
use model::id::{PersonId, RecordId};
use tokio::task::unconstrained;

use super::Span;
use super::course::Course;
use super::people::Sites;
use super::rotas::ANNOUNCED;
use crate::chance::Chance;
use crate::desk::Desk;
use crate::own_time;

pub(crate) const MINUTE: i64 = 60_000;
const DAY: i64 = 1_440 * MINUTE;

pub(crate) struct Life<'d> {
    desk: &'d Desk,
    sites: &'d Sites,
    first: Instant,
    pub(crate) end: Instant,
    span: &'d Span,
    chance: Chance,
    /// What people will ask for: when, who, and by which workflow.
    asked: BTreeMap<(Instant, u32), (PersonId, &'static str)>,
    ever_asked: u32,
    /// Records of which something is to come, and when the next of it.
    next: BTreeSet<(Instant, RecordId)>,
    open: HashMap<RecordId, Course>,
}

impl<'d> Life<'d> {
    pub(crate) fn new(desk: &'d Desk, sites: &'d Sites, span: &'d Span) -> Self {
        let first: Instant = span.first.parse().expect("a time");
        Self {
            desk,
            sites,
            first,
            end: Instant::from_millis(first.millis() + i64::from(span.days) * DAY),
            span,
            chance: Chance(0x5eed),
            asked: BTreeMap::new(),
            ever_asked: 0,
            next: BTreeSet::new(),
            open: HashMap::new(),
        }
    }

    pub(crate) async fn run(&mut self) {
        for day in 0..self.span.days {
            let begins = self.first.millis() + i64::from(day) * DAY;
            self.begin_day(Instant::from_millis(begins)).await;
            let ends = Instant::from_millis(begins + DAY);
            while let Some(next) = self.next().filter(|next| *next < ends) {
                let until = next.saturating_add(self.span.stretch);
                self.live_until(until.min(ends)).await;
            }
        }
        self.check_what_is_due();
    }

    /// What people will ask for on this day, each in the hours of their site; what is broken at night too.
    async fn begin_day(&mut self, begins: Instant) {
        let lived = begins.since(self.first).millis();
        if lived.is_multiple_of(ANNOUNCED.millis()) {
            self.check_what_is_due();
            self.announce(begins).await;
        }
        for _ in 0..self.span.records_a_day {
            let person = self.chance.below(self.sites.people.len());
            let person = &self.sites.people[person];
            let minute = self.chance.below(1_440);
            let at = begins.millis() + i64::try_from(minute).expect("few") * MINUTE;
            let at = Instant::from_millis(at);
            let opens = self.sites.minutes[person.site].next_open(at);
            let (workflow, at) = match self.chance.below(10) {
                0 => ("incident", at),
                1..=5 => ("incident", opens),
                6..=8 => ("request", opens),
                _ => ("change", opens),
            };
            self.ever_asked += 1;
            let asked = (person.id.clone(), workflow);
            self.asked.insert((at, self.ever_asked), asked);
        }
    }

    /// On the first day of every four weeks it becomes known who is on call until the next.
    async fn announce(&self, begins: Instant) {
        own_time::at(begins, self.sites.rotas.announce(self.desk, begins)).await;
        let until = begins.saturating_add(ANNOUNCED);
        self.sites.rotas.check_schedules(self.desk, begins, until);
    }

    /// When anything comes next.
    fn next(&self) -> Option<Instant> {
        let asked = self.asked.keys().next().map(|(at, _)| *at);
        let next = self.next.first().map(|(at, _)| *at);
        asked.into_iter().chain(next).min()
    }

    /// What is asked for until then begins, and what is open goes on, that of which something comes
    /// first before the others.
    async fn live_until(&mut self, until: Instant) {
        let later = self.asked.split_off(&(until, 0));
        let asked = std::mem::replace(&mut self.asked, later);

        let mut living = Vec::new();
        let (desk, sites) = (self.desk, self.sites);
        while self.next.first().is_some_and(|(at, _)| *at < until) {
            let (at, id) = self.next.pop_first().expect("it is there");
            let course = self.open.remove(&id).expect("something is to come of it");
            living.push((at, course.live(desk, sites, until).boxed_local()));
        }
        for ((at, _), (who, workflow)) in asked {
            let beginning = async move {
                let course = Course::begin(desk, sites, at, who, workflow).await;
                course.live(desk, sites, until).await
            };
            living.push((at, beginning.boxed_local()));
        }
        living.sort_by_key(|(at, _)| *at);
        let living = join_all(living.into_iter().map(|(_, living)| living));
        // All of them hand over what they decide at once, instead of making way for each other.
        for course in unconstrained(living).await {
            if let Some(next) = course.next() {
                self.next.insert((next, course.id.clone()));
                self.open.insert(course.id.clone(), course);
            }
        }
    }

    /// What the store has in its queue is what the records say.
    fn check_what_is_due(&self) {
        let all = Instant::from_millis(i64::MAX);
        let queue = self.desk.store.due(all, usize::MAX).expect("it is read");
        let queue: BTreeMap<_, _> = queue.into_iter().map(|it| (it.record, it.due)).collect();
        let open = self.open.values();
        let due = open.filter_map(|course| Some((course.id.clone(), course.due?)));
        assert_eq!(queue, due.collect());
    }
}
