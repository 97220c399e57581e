//! Turns for calls that take long. Most calls are over before the processor's clock has ticked, and
//! those that are not must not keep them waiting: after its first ticks a call runs only while it has a
//! turn, a tick at a time, one after the other, on half of the processors.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Where calls that take long queue for their turns.
#[derive(Clone, Debug)]
pub(crate) struct Lane(Arc<Semaphore>);

/// A call's place in the lane.
#[derive(Debug)]
pub(crate) struct Turn {
    lane: Lane,
    held: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Lane {
    pub(crate) fn new() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new((processors / 2).max(1))))
    }

    pub(crate) fn turn(&self) -> Arc<Turn> {
        Arc::new(Turn {
            lane: self.clone(),
            held: Mutex::new(None),
        })
    }
}

impl Turn {
    /// Lets the next one have its turn: the call waits for something else, or its tick is over.
    pub(crate) fn give_back(&self) {
        self.hold(None);
    }

    /// Queues for the next turn.
    pub(crate) async fn next(self: Arc<Self>) {
        self.give_back();
        // Even where nobody waits for a turn: the deadline of the call is looked at meanwhile.
        tokio::task::yield_now().await;
        // The lane is never closed.
        let permit = Arc::clone(&self.lane.0).acquire_owned().await.ok();
        self.hold(permit);
    }

    fn hold(&self, permit: Option<OwnedSemaphorePermit>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;
    use tokio::task::{JoinHandle, yield_now};

    use super::{Lane, Turn};

    fn queue(turn: &Arc<Turn>) -> JoinHandle<()> {
        tokio::spawn(Arc::clone(turn).next())
    }

    async fn waits(queued: &JoinHandle<()>) -> bool {
        for _ in 0..10 {
            yield_now().await;
        }
        !queued.is_finished()
    }

    #[tokio::test]
    async fn turns_go_round() {
        let lane = Lane(Arc::new(Semaphore::new(1)));
        let (one, other) = (lane.turn(), lane.turn());
        queue(&one).await.unwrap();
        let queued = queue(&other);
        assert!(waits(&queued).await);
        // Whoever asks again gives its turn to those who wait.
        let again = queue(&one);
        queued.await.unwrap();
        assert!(waits(&again).await);
        // So does whoever waits for something else than the processor.
        other.give_back();
        again.await.unwrap();
        // And so does a call that ends.
        let last = queue(&other);
        assert!(waits(&last).await);
        drop(one);
        last.await.unwrap();
    }
}
