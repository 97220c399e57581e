//! Turns: what is decided side by side is handed to the store one after the other, so that it stands
//! in the journal in the order of the row, and still shares its writes.

use std::future::Future;
use std::pin::pin;

use tokio::sync::oneshot;

/// A place in a row. It comes once all places before it are given up, whether their holders handed
/// anything over or not.
pub(crate) struct Turn {
    before: Option<oneshot::Receiver<Passed>>,
    after: Option<oneshot::Sender<Passed>>,
}

/// A place that was given up, and what it still waited for itself.
struct Passed(Option<oneshot::Receiver<Passed>>);

impl Turn {
    /// So many places, one behind the other.
    pub(crate) fn row(places: usize) -> Vec<Self> {
        let mut row: Vec<Self> = Vec::with_capacity(places);
        for _ in 0..places {
            let before = row.last_mut().map(|before| {
                let (after, passed) = oneshot::channel();
                before.after = Some(after);
                passed
            });
            row.push(Self {
                before,
                after: None,
            });
        }
        row
    }

    /// Waits until all places before this one are given up.
    async fn comes(&mut self) {
        while let Some(before) = &mut self.before {
            let passed = before.await;
            self.before = passed.ok().and_then(|passed| passed.0);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(after) = self.after.take() {
            // Whoever stood behind may have gone.
            let _ = after.send(Passed(self.before.take()));
        }
    }
}

/// Hands something over when its turn has come, and gives the place up as soon as it was begun. What
/// has no place is handed over at once.
pub(crate) async fn hand_over<T>(turn: &mut Option<Turn>, handed: impl Future<Output = T>) -> T {
    let Some(mut turn) = turn.take() else {
        return handed.await;
    };
    turn.comes().await;
    // The first look begins it; it must not be put off in favour of what stands behind.
    let mut handed = pin!(tokio::task::unconstrained(handed));
    let begun = futures::poll!(handed.as_mut());
    drop(turn);
    match begun {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => handed.await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::stream::{FuturesUnordered, StreamExt};

    use super::{Turn, hand_over};

    /// Has places hand over their number after so many looks each; none gives its place up instead.
    async fn handed(looks: &[Option<usize>]) -> Vec<usize> {
        let order = Mutex::new(Vec::new());
        let row = Turn::row(looks.len());
        let mut holders: FuturesUnordered<_> = (0..)
            .zip(looks)
            .zip(row)
            .map(|((number, looks), turn)| {
                let (order, mut turn) = (&order, Some(turn));
                async move {
                    for _ in 0..looks.unwrap_or(0) {
                        tokio::task::yield_now().await;
                    }
                    if looks.is_some() {
                        let hand = async { order.lock().expect("nobody panics").push(number) };
                        hand_over(&mut turn, hand).await;
                    }
                }
            })
            .collect();
        while holders.next().await.is_some() {}
        drop(holders);
        order.into_inner().expect("nobody panics")
    }

    #[tokio::test]
    async fn the_row_keeps_its_order_whoever_is_ready_first() {
        let looks = [9, 0, 5, 0, 7, 1].map(Some);
        assert_eq!(handed(&looks).await, [0, 1, 2, 3, 4, 5]);
    }

    #[tokio::test]
    async fn who_gives_up_holds_nobody_up_and_lets_nobody_past() {
        let looks = [Some(9), None, None, Some(0), None, Some(3)];
        assert_eq!(handed(&looks).await, [0, 3, 5]);
    }
}
