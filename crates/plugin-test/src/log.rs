//! The lines that a plugin writes for the operator, gathered while it is asked.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Event;
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// The target that the host writes plugins' lines to.
const TARGET: &str = "plugin";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

/// Waits for something, and gives what plugins wrote meanwhile beside it.
pub(crate) async fn gathered<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    let done = work.with_subscriber(subscriber).await;
    let mut lines = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
    (done, std::mem::take(&mut *lines))
}

impl<S: tracing::Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != TARGET {
            return;
        }
        let level = event.metadata().level().as_str().to_lowercase();
        let mut line = Line(format!("{level}: "));
        event.record(&mut line);
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}
