//! Clocks as 'Clocks, exactly' has them, reckoned from the entries of a record and a count of minutes.

use std::collections::BTreeSet;

use model::Instant;
use model::definition::Category;
use model::id::RecordId;
use model::record::{Clock, ClockStatus, Verdict};

use super::check::Story;
use super::people::Sites;

const HOUR: i64 = 3_600_000;

/// A clock of a record, as far as its entries have brought it.
pub(crate) struct Reckoned {
    target: &'static str,
    /// Whose hours it is counted in; as time passes without.
    site: Option<usize>,
    goal: i64,
    started: Instant,
    status: ClockStatus,
    since: Instant,
    stretches: Vec<(Instant, Instant)>,
    warned: BTreeSet<&'static str>,
    breached: Option<Instant>,
    /// When it would be used up if it had run on from where it stopped.
    due_as_it_stopped: Option<Instant>,
}

/// Something that was due of a clock, and when.
type Given = (String, Instant);

impl Reckoned {
    pub(crate) fn is_of(&self, clock: &Clock) -> bool {
        clock.target.as_str() == self.target
    }

    /// What came due of the clocks up to an entry, as they stood before it.
    pub(crate) fn pass(clocks: &mut [Self], sites: &Sites, at: Instant) -> Vec<Given> {
        let mut given = Vec::new();
        for clock in clocks {
            if clock.status != ClockStatus::Running {
                continue;
            }
            for warning in clock.give_warnings(sites, at, &mut given) {
                assert_eq!(warning, at, "a warning is given when it is due");
            }
            if clock.breached.is_some() {
                continue;
            }
            let due = clock.instant_of(sites, clock.goal).expect("it runs");
            let breach = clock.next_open(sites, due.max(clock.since));
            if breach < at {
                assert_eq!(
                    breach.millis() + 1,
                    at.millis(),
                    "a breach is noted at once"
                );
                clock.breached = Some(breach);
                given.push((format!("{}/breach", clock.target), breach));
            }
        }
        given
    }

    /// What an entry does to the clocks, and what it puts into the past.
    pub(crate) fn turn(story: &mut Story, sites: &Sites, at: Instant) -> Vec<Given> {
        let mut clocks = std::mem::take(&mut story.clocks);
        for (target, warnings_of) in [
            ("response", "incident"),
            ("resolution", "incident"),
            ("delivery", "request"),
        ] {
            let starts = story.workflow == warnings_of
                && (target != "delivery" || story.state == "fulfilling");
            if starts && clocks.iter().all(|clock| clock.target != target) {
                clocks.push(Self::begin(target, story, at));
            }
        }
        let mut given = Vec::new();
        for clock in &mut clocks {
            clock.turn_one(story, sites, at, &mut given);
        }
        story.clocks = clocks;
        given
    }

    fn begin(target: &'static str, story: &Story, at: Instant) -> Self {
        Self {
            target,
            site: (target != "delivery").then_some(story.site),
            goal: goal(target, story),
            started: at,
            status: ClockStatus::Running,
            since: at,
            stretches: Vec::new(),
            warned: BTreeSet::new(),
            breached: None,
            due_as_it_stopped: None,
        }
    }

    fn turn_one(&mut self, story: &Story, sites: &Sites, at: Instant, given: &mut Vec<Given>) {
        let is_over = matches!(story.category, Category::Resolved | Category::Closed);
        let (stops, pauses) = match self.target {
            "response" => (story.state != "new", false),
            "resolution" => (is_over, story.category == Category::Waiting),
            _ => (is_over, false),
        };
        if self.status == ClockStatus::Stopped && (stops || self.target != "resolution") {
            return;
        }
        if stops {
            self.due_as_it_stopped = self.due(sites, at);
            self.rest(ClockStatus::Stopped, at);
            return;
        }
        if self.status != ClockStatus::Stopped {
            self.goal = goal(self.target, story);
        }
        if pauses {
            self.rest(ClockStatus::Paused, at);
        } else if self.status != ClockStatus::Running {
            self.status = ClockStatus::Running;
            self.since = at;
        }
        if self.status == ClockStatus::Running {
            self.give_warnings(sites, at, given);
            if self.breached.is_none() && self.elapsed(sites, at) > self.goal {
                self.breached = Some(at);
                given.push((format!("{}/breach", self.target), at));
            }
        }
    }

    fn rest(&mut self, status: ClockStatus, at: Instant) {
        if self.status == ClockStatus::Running {
            self.stretches.push((self.since, at));
            self.since = at;
        }
        self.status = status;
    }

    /// Gives the warnings that are due by then; says when each was.
    fn give_warnings(
        &mut self,
        sites: &Sites,
        at: Instant,
        given: &mut Vec<Given>,
    ) -> Vec<Instant> {
        let half = ("half", (self.goal + 1) / 2);
        let warnings = match self.target {
            "resolution" => vec![half, ("late", self.goal - HOUR)],
            _ => vec![half],
        };
        let mut times = Vec::new();
        for (warning, used) in warnings {
            let due = self.instant_of(sites, used).expect("it runs");
            if due <= at && self.warned.insert(warning) {
                given.push((format!("{}/{warning}", self.target), due));
                times.push(due);
            }
        }
        times
    }

    fn between(&self, sites: &Sites, from: Instant, to: Instant) -> i64 {
        match self.site {
            Some(site) => sites.minutes[site].between(from, to),
            None => to.millis() - from.millis(),
        }
    }

    fn add(&self, sites: &Sites, from: Instant, used: i64) -> Instant {
        match self.site {
            Some(site) => sites.minutes[site].add(from, used),
            None => Instant::from_millis(from.millis() + used),
        }
    }

    fn next_open(&self, sites: &Sites, from: Instant) -> Instant {
        match self.site {
            Some(site) => sites.minutes[site].next_open(from),
            None => from,
        }
    }

    /// What was used in the stretches that ended, and in the one that runs.
    fn elapsed(&self, sites: &Sites, now: Instant) -> i64 {
        let ended = self.stretches.iter();
        let ended: i64 = ended
            .map(|(from, to)| self.between(sites, *from, *to))
            .sum();
        match self.status {
            ClockStatus::Running => ended + self.between(sites, self.since, now),
            _ => ended,
        }
    }

    /// The earliest instant at which so much is used; unknown where it rests with some of it left.
    fn instant_of(&self, sites: &Sites, used: i64) -> Option<Instant> {
        if used == 0 {
            return Some(self.started);
        }
        let mut left = used;
        for (from, to) in &self.stretches {
            let stretch = self.between(sites, *from, *to);
            if left <= stretch {
                return Some(self.add(sites, *from, left));
            }
            left -= stretch;
        }
        (self.status == ClockStatus::Running).then(|| self.add(sites, self.since, left))
    }

    /// When its goal is used up; where it stops at `stop` while it rests, as if it ran from there.
    fn due(&self, sites: &Sites, stop: Instant) -> Option<Instant> {
        let left = self.goal - self.elapsed(sites, stop);
        self.instant_of(sites, self.goal)
            .or_else(|| Some(self.add(sites, stop, left)))
    }

    /// Holds a clock as it stands at the end to what was reckoned.
    pub(crate) fn check(&self, sites: &Sites, id: &RecordId, clock: &Clock, end: Instant) {
        assert_eq!(clock.status, self.status, "{id}: {clock:#?}");
        let counted = i64::try_from(clock.elapsed.millis()).expect("few");
        let counted = match clock.status {
            ClockStatus::Running => counted + self.between(sites, clock.since, end),
            _ => counted,
        };
        assert_eq!(
            counted,
            self.elapsed(sites, end),
            "{id}: elapsed of {clock:#?}"
        );
        let due = match self.status {
            ClockStatus::Stopped => self.due_as_it_stopped,
            _ => self.instant_of(sites, self.goal),
        };
        assert_eq!(clock.due, due, "{id}: due of {clock:#?}");
        assert_eq!(
            clock.breached_at, self.breached,
            "{id}: breach of {clock:#?}"
        );
        let verdict = match (self.breached, self.status) {
            (Some(_), _) => Verdict::Breached,
            (None, ClockStatus::Stopped) => Verdict::Met,
            _ => Verdict::Running,
        };
        assert_eq!(clock.verdict(), verdict, "{id}: verdict of {clock:#?}");
        let used_up = self.elapsed(sites, end) > self.goal;
        assert_eq!(
            self.breached.is_some(),
            used_up,
            "{id}: more than the goal is a breach, and nothing else"
        );
    }
}

fn goal(target: &str, story: &Story) -> i64 {
    match (target, story.priority.as_str()) {
        ("response", _) => 4 * HOUR,
        ("delivery", _) => 48 * HOUR,
        (_, "p1") => 8 * HOUR,
        (_, "p2") => 12 * HOUR,
        _ => 20 * HOUR,
    }
}
