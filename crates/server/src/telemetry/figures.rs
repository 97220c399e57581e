//! Metrics: how long requests, commands, commits and effects take, and what plugins do.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Histogram, Meter};
use plugin_host::{BreakerState, HookFigures, WasmPlugins};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// From a quarter of a millisecond to ten seconds.
const SECONDS: [f64; 14] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

fn durations(meter: &Meter, name: &'static str, what: &'static str) -> Histogram<f64> {
    meter
        .f64_histogram(name)
        .with_unit("s")
        .with_description(what)
        .with_boundaries(SECONDS.to_vec())
        .build()
}

/// How long commands, commits and effects take, taken from their spans.
pub(crate) struct SpanFigures {
    commands: Histogram<f64>,
    commits: Histogram<f64>,
    effects: Histogram<f64>,
}

/// A span that is measured.
struct Measured {
    action: Option<String>,
    begun: Instant,
    left: Option<Instant>,
}

impl SpanFigures {
    pub(crate) fn new(meter: &Meter) -> Self {
        Self {
            commands: durations(
                meter,
                "servicewright.command.duration",
                "From a command to its durable end, or its refusal.",
            ),
            commits: durations(
                meter,
                "servicewright.commit.duration",
                "Until a commit is durable.",
            ),
            effects: durations(
                meter,
                "servicewright.effect.duration",
                "One attempt at an effect.",
            ),
        }
    }

    fn histogram(&self, span: &str) -> Option<&Histogram<f64>> {
        match span {
            "command" => Some(&self.commands),
            "commit" => Some(&self.commits),
            "effect" => Some(&self.effects),
            _ => None,
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanFigures {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if self.histogram(attributes.metadata().name()).is_none() {
            return;
        }
        let Some(span) = context.span(id) else {
            return;
        };
        let mut action = Action(None);
        attributes.record(&mut action);
        span.extensions_mut().insert(Measured {
            action: action.0,
            begun: Instant::now(),
            left: None,
        });
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(measured) = span.extensions_mut().get_mut::<Measured>()
        {
            // What follows from a command may hold its span long after it was done.
            measured.left = Some(Instant::now());
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(histogram) = self.histogram(span.name()) else {
            return;
        };
        let extensions = span.extensions();
        let Some(measured) = extensions.get::<Measured>() else {
            return;
        };
        let took = measured.left.unwrap_or_else(Instant::now) - measured.begun;
        let action = measured.action.clone();
        let action = action.map(|action| KeyValue::new("servicewright.action", action));
        histogram.record(took.as_secs_f64(), action.as_slice());
    }
}

/// The field `action` of a span.
struct Action(Option<String>);

impl Visit for Action {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "action" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// Measures requests, as OpenTelemetry's conventions for HTTP have it.
pub(crate) fn measure(router: axum::Router, meter: &Meter) -> axum::Router {
    let durations = durations(
        meter,
        "http.server.request.duration",
        "Until an answer begins.",
    );
    router.layer(axum::middleware::from_fn_with_state(durations, measured))
}

async fn measured(
    State(durations): State<Histogram<f64>>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let method = request.method().as_str().to_owned();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let response = next.run(request).await;
    let mut attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new(
            "http.response.status_code",
            i64::from(response.status().as_u16()),
        ),
    ];
    attributes.extend(route.map(|route| KeyValue::new("http.route", route)));
    durations.record(begun.elapsed().as_secs_f64(), &attributes);
    response
}

/// Tells what each hook of each binding has done whenever metrics are sent. Attributes are bindings,
/// hooks and outcomes, of which there are few.
pub(crate) fn observe_plugins(meter: &Meter, plugins: &Arc<WasmPlugins>) {
    let each = |of: fn(&HookFigures) -> u64| {
        let plugins = Arc::clone(plugins);
        move |observer: &dyn AsyncInstrument<u64>| {
            for figures in plugins.figures() {
                observer.observe(of(&figures), &hook(&figures));
            }
        }
    };
    let calls = Arc::clone(plugins);
    meter
        .u64_observable_counter("servicewright.plugin.calls")
        .with_description("Calls of a hook, by outcome: `answered`, or why there was no answer.")
        .with_callback(move |observer| {
            for figures in calls.figures() {
                for (outcome, count) in &figures.outcomes {
                    let outcome = KeyValue::new("servicewright.outcome", *outcome);
                    let [plugin, hook] = hook(&figures);
                    observer.observe(*count, &[plugin, hook, outcome]);
                }
            }
        })
        .build();
    meter
        .u64_observable_counter("servicewright.plugin.time")
        .with_unit("us")
        .with_description("How long the calls of a hook took together.")
        .with_callback(each(|figures| figures.micros))
        .build();
    let times = Arc::clone(plugins);
    meter
        .u64_observable_gauge("servicewright.plugin.duration")
        .with_unit("us")
        .with_description(
            "What this share of the calls of a hook stayed within, since its version is in use.",
        )
        .with_callback(move |observer| {
            for figures in times.figures() {
                for (share, micros) in [(0.5, figures.p50_micros), (0.99, figures.p99_micros)] {
                    let [plugin, hook] = hook(&figures);
                    let share = KeyValue::new("servicewright.quantile", share);
                    if let Some(micros) = micros {
                        observer.observe(micros, &[plugin, hook, share]);
                    }
                }
            }
        })
        .build();
    meter
        .u64_observable_gauge("servicewright.plugin.paused")
        .with_description("1 while a hook is not asked, as it failed too often.")
        .with_callback(each(|figures| {
            u64::from(figures.breaker != BreakerState::Closed)
        }))
        .build();
}

/// Which hook of which binding.
fn hook(figures: &HookFigures) -> [KeyValue; 2] {
    [
        KeyValue::new("servicewright.plugin", figures.binding.to_string()),
        KeyValue::new("servicewright.hook", figures.hook.as_str()),
    ]
}
