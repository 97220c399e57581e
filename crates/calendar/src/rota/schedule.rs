//! The schedule of a rota: time cut into stretches, each with who is on call in it.

use model::id::LayerId;
use model::{Duration, Instant};

use super::{Away, OnCall, Rota, Span};

/// How far ahead the end of somebody's time on call is looked for, the nearest stretch first.
const LOOKED_AHEAD: [Duration; 3] = [
    Duration::from_secs(2 * 86_400),
    Duration::from_secs(31 * 86_400),
    Duration::from_secs(366 * 86_400),
];

impl Rota {
    /// Who is on call from one instant until another, without holes or overlaps: gaps are spans too.
    /// Nothing where `to` is not after `from`. Takes time by how much changes in between; whoever asks
    /// bounds it.
    pub fn schedule(&self, from: Instant, to: Instant, away: &Away) -> Vec<Span> {
        let mut edges = Vec::new();
        for layer in &self.layers {
            layer.edges(from, to, &mut edges);
        }
        self.overrides.edges(from, to, &mut edges);
        spans(from, to, edges, away, |at| self.at(at, away))
    }

    /// The same for one layer, whatever lies over it.
    pub fn layer_schedule(
        &self,
        layer: &LayerId,
        from: Instant,
        to: Instant,
        away: &Away,
    ) -> Vec<Span> {
        let mut edges = Vec::new();
        if let Some(layer) = self.layers.iter().find(|known| known.id == *layer) {
            layer.edges(from, to, &mut edges);
        }
        spans(from, to, edges, away, |at| self.layer_at(layer, at, away))
    }

    /// Who is on call at an instant, and until when; without an end where nothing changes for a year.
    pub fn until(&self, at: Instant, away: &Away) -> (Option<OnCall>, Option<Instant>) {
        for ahead in LOOKED_AHEAD {
            let end = at.saturating_add(ahead);
            let spans = self.schedule(at, end, away);
            if let Some(first) = spans.into_iter().next().filter(|span| span.to < end) {
                return (first.on_call, Some(first.to));
            }
        }
        (self.at(at, away), None)
    }
}

/// One span for each stretch in which the answer is the same.
fn spans(
    from: Instant,
    to: Instant,
    mut edges: Vec<Instant>,
    away: &Away,
    at: impl Fn(Instant) -> Option<OnCall>,
) -> Vec<Span> {
    if from >= to {
        return Vec::new();
    }
    let periods = away.values().flat_map(|absences| absences.periods.values());
    edges.extend(periods.flat_map(|period| [period.from, period.to]));
    edges.retain(|edge| from < *edge && *edge < to);
    edges.push(from);
    edges.sort_unstable();
    edges.dedup();
    let mut spans: Vec<Span> = Vec::new();
    for edge in edges {
        let on_call = at(edge);
        match spans.last_mut() {
            Some(last) if last.on_call == on_call => {}
            last => {
                if let Some(last) = last {
                    last.to = edge;
                }
                spans.push(Span {
                    from: edge,
                    to,
                    on_call,
                });
            }
        }
    }
    spans
}
