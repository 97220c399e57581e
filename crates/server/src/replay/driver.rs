//! Drives all cases of a log through the engine, many at a time: the steps of one case one after the
//! other, those of different cases as they come, begun in the order of their times.
//!
//! Cases do not touch each other's records, so what becomes of a case does not depend on which other
//! steps happen to be under way. Numbers are given in the order in which cases begin: the first
//! stretch of a creation, in which its number is reserved, is carried out before the next event is
//! looked at.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::task::Poll;

use engine::{Engine, EngineError};
use model::Instant;
use tokio::task::JoinSet;

use super::ReplayError;
use super::case::{Case, Step};
use super::log::{Event, LogError};
use super::mapping::Mapping;

/// So many steps are under way or wait behind another of their case.
const MOST_PENDING: usize = 512;

type Finished = (usize, Box<Case>, Result<(), EngineError>);

/// The cases of a log in the order in which they began.
pub(super) struct Driver {
    engine: Engine,
    mapping: Arc<Mapping>,
    slots: Vec<Slot>,
    by_name: HashMap<String, usize>,
    /// When something is due of a case; out of date where the case has moved on.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    running: JoinSet<Finished>,
    pending: usize,
    last: Option<Instant>,
}

enum Slot {
    Idle(Box<Case>),
    /// A step is under way; these come after it.
    Busy(VecDeque<Step>),
}

impl Driver {
    pub(super) fn new(engine: Engine, mapping: Arc<Mapping>) -> Self {
        Self {
            engine,
            mapping,
            slots: Vec::new(),
            by_name: HashMap::new(),
            due: BinaryHeap::new(),
            running: JoinSet::new(),
            pending: 0,
            last: None,
        }
    }

    /// Puts all events through, then lets time run on to that of the last one. Returns the cases and
    /// that time.
    pub(super) async fn run(
        mut self,
        events: impl Iterator<Item = Result<Event, LogError>>,
        mut progress: impl FnMut(u64),
    ) -> Result<(Vec<Case>, Instant), ReplayError> {
        let mut count = 0;
        for event in events {
            let event = event?;
            let time = event.time;
            self.wake(|due| due < time).await?;
            self.last = Some(time);
            let index = self.index(&event.case);
            self.push(index, Step::Event(event)).await?;
            count += 1;
            progress(count);
        }
        while self.pending > 0 {
            self.finish_one().await?;
        }
        let end = self.last.unwrap_or(Instant::EPOCH);
        self.wake(|due| due <= end).await?;
        while self.pending > 0 {
            self.finish_one().await?;
            self.wake(|due| due <= end).await?;
        }
        let cases = self.slots.into_iter().filter_map(|slot| match slot {
            Slot::Idle(case) => Some(*case),
            Slot::Busy(_) => None,
        });
        Ok((cases.collect(), end))
    }

    fn index(&mut self, name: &str) -> usize {
        if let Some(index) = self.by_name.get(name) {
            return *index;
        }
        let index = self.slots.len();
        self.slots
            .push(Slot::Idle(Box::new(Case::new(name.to_owned()))));
        self.by_name.insert(name.to_owned(), index);
        index
    }

    /// Has done what is due, in order. A case with a step under way does it by itself.
    async fn wake(&mut self, is_time: impl Fn(Instant) -> bool) -> Result<(), ReplayError> {
        while let Some(Reverse((due, index))) = self
            .due
            .peek()
            .copied()
            .filter(|Reverse((due, _))| is_time(*due))
        {
            self.due.pop();
            let still =
                matches!(&self.slots[index], Slot::Idle(case) if case.next_due() == Some(due));
            if still {
                self.push(index, Step::Wake(due)).await?;
            }
        }
        Ok(())
    }

    async fn push(&mut self, index: usize, step: Step) -> Result<(), ReplayError> {
        self.pending += 1;
        match std::mem::replace(&mut self.slots[index], Slot::Busy(VecDeque::new())) {
            Slot::Idle(case) => self.start(index, case, step)?,
            Slot::Busy(mut waiting) => {
                waiting.push_back(step);
                self.slots[index] = Slot::Busy(waiting);
            }
        }
        while self.pending >= MOST_PENDING {
            self.finish_one().await?;
        }
        // What has finished meanwhile need not wait for the limit.
        while let Some(finished) = self.running.try_join_next() {
            self.finished(joined(finished))?;
        }
        Ok(())
    }

    fn start(&mut self, index: usize, mut case: Box<Case>, step: Step) -> Result<(), ReplayError> {
        let (engine, mapping) = (self.engine.clone(), self.mapping.clone());
        let begins = case.record.is_none();
        let mut future = Box::pin(async move {
            let result = case.take(&engine, &mapping, step).await;
            (index, case, result)
        });
        if begins {
            let waker = std::task::Waker::noop();
            if let Poll::Ready(finished) = future
                .as_mut()
                .poll(&mut std::task::Context::from_waker(waker))
            {
                return self.finished(finished);
            }
        }
        self.running.spawn(future);
        Ok(())
    }

    async fn finish_one(&mut self) -> Result<(), ReplayError> {
        match self.running.join_next().await {
            Some(finished) => self.finished(joined(finished)),
            None => Ok(()),
        }
    }

    fn finished(&mut self, (index, case, result): Finished) -> Result<(), ReplayError> {
        self.pending -= 1;
        result?;
        let waiting = std::mem::replace(&mut self.slots[index], Slot::Busy(VecDeque::new()));
        if let Slot::Busy(mut waiting) = waiting
            && let Some(step) = waiting.pop_front()
        {
            self.slots[index] = Slot::Busy(waiting);
            return self.start(index, case, step);
        }
        if let Some(due) = case.next_due() {
            self.due.push(Reverse((due, index)));
        }
        self.slots[index] = Slot::Idle(case);
        Ok(())
    }
}

/// A step that panics takes the replay with it: its case would be lost.
fn joined(finished: Result<Finished, tokio::task::JoinError>) -> Finished {
    match finished {
        Ok(finished) => finished,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
