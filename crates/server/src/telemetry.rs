//! What the program tells about itself: log lines on standard error always; traces, metrics and logs
//! by OTLP over HTTP where somebody listens.

use std::io::IsTerminal as _;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

pub(crate) mod figures;

use figures::SpanFigures;

/// What goes out by OTLP. What sends it is left out: it would tell about itself without end.
const SENT: &str = "info,hyper=off,hyper_util=off,reqwest=off,opentelemetry=off,opentelemetry_sdk=off,opentelemetry_otlp=off";
/// The variables by which the parts of OTLP are sent to different places.
const ENDPOINTS: [&str; 4] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
];

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// What is running of it. It must be started and ended outside of the asynchronous runtime.
#[derive(Default)]
pub(crate) struct Telemetry {
    otlp: Option<Otlp>,
}

struct Otlp {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    logs: SdkLoggerProvider,
}

impl Telemetry {
    /// Starts logging by a filter; where none is given, by `RUST_LOG`, else by `usual`. Sends by OTLP
    /// where an address is given here or in the environment.
    ///
    /// # Errors
    /// Where the filter or the address is not one.
    pub(crate) fn start(filter: Option<&str>, usual: &str, endpoint: Option<&str>) -> Result<Self> {
        let mut layers = vec![lines(filter, usual)?];
        let is_wanted = endpoint.is_some() || ENDPOINTS.iter().any(|name| is_set(name));
        let otlp = is_wanted.then(|| Otlp::start(endpoint)).transpose()?;
        if let Some(otlp) = &otlp {
            layers.extend(otlp.layers()?);
        }
        set_up(layers)?;
        Ok(Self { otlp })
    }

    /// Log lines alone, for commands that end soon.
    ///
    /// # Errors
    /// Where the filter is not one.
    pub(crate) fn lines(filter: Option<&str>, usual: &str) -> Result<Self> {
        set_up(vec![lines(filter, usual)?])?;
        Ok(Self::default())
    }

    /// What to make instruments with, where metrics are sent.
    pub(crate) fn meter(&self) -> Option<Meter> {
        Some(self.otlp.as_ref()?.metrics.meter("servicewright"))
    }

    /// Joins requests to the traces of those who send them, where traces are sent.
    pub(crate) fn trace(&self) -> Option<api::Trace> {
        self.otlp.as_ref()?;
        let propagator = TraceContextPropagator::new();
        Some(Arc::new(move |span, headers| {
            let context = propagator.extract(&Headers(headers));
            // It fails only for a span that nobody records.
            let _ = span.set_parent(context);
        }))
    }

    /// Sends what is left.
    pub(crate) fn end(self) {
        let Some(otlp) = self.otlp else {
            return;
        };
        for ended in [
            otlp.traces.shutdown(),
            otlp.metrics.shutdown(),
            otlp.logs.shutdown(),
        ] {
            if let Err(error) = ended {
                tracing::warn!(%error, "the last telemetry was not sent");
            }
        }
    }
}

impl Otlp {
    fn start(endpoint: Option<&str>) -> Result<Self> {
        let resource = resource();
        let at = |signal: &str| {
            let base = endpoint?.trim_end_matches('/');
            Some(format!("{base}/v1/{signal}"))
        };
        let mut spans = SpanExporter::builder().with_http();
        if let Some(endpoint) = at("traces") {
            spans = spans.with_endpoint(endpoint);
        }
        let mut metrics = MetricExporter::builder().with_http();
        if let Some(endpoint) = at("metrics") {
            metrics = metrics.with_endpoint(endpoint);
        }
        let mut logs = LogExporter::builder().with_http();
        if let Some(endpoint) = at("logs") {
            logs = logs.with_endpoint(endpoint);
        }
        Ok(Self {
            traces: SdkTracerProvider::builder()
                .with_resource(resource.clone())
                .with_batch_exporter(spans.build().context("cannot send traces")?)
                .build(),
            metrics: SdkMeterProvider::builder()
                .with_resource(resource.clone())
                .with_periodic_exporter(metrics.build().context("cannot send metrics")?)
                .build(),
            logs: SdkLoggerProvider::builder()
                .with_resource(resource)
                .with_batch_exporter(logs.build().context("cannot send logs")?)
                .build(),
        })
    }

    fn layers(&self) -> Result<Vec<BoxedLayer>> {
        let filter = || EnvFilter::try_new(SENT).context("a filter of ours");
        let scope = InstrumentationScope::builder("servicewright")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        let spans = tracing_opentelemetry::layer()
            .with_tracer(self.traces.tracer_with_scope(scope))
            .with_filter(filter()?);
        let logs = OpenTelemetryTracingBridge::new(&self.logs).with_filter(filter()?);
        let figures = SpanFigures::new(&self.metrics.meter("servicewright")).with_filter(filter()?);
        Ok(vec![Box::new(spans), Box::new(logs), Box::new(figures)])
    }
}

/// Log lines on standard error.
fn lines(filter: Option<&str>, usual: &str) -> Result<BoxedLayer> {
    let from_environment = std::env::var("RUST_LOG").ok();
    let filter = filter.or(from_environment.as_deref()).unwrap_or(usual);
    let filter = EnvFilter::try_new(filter)
        .with_context(|| format!("`{filter}` does not say what is to be logged"))?;
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_filter(filter);
    Ok(Box::new(lines))
}

fn set_up(layers: Vec<BoxedLayer>) -> Result<()> {
    tracing_subscriber::registry()
        .with(layers)
        .try_init()
        .context("logging was set up before")?;
    log_panics();
    Ok(())
}

fn resource() -> Resource {
    let mut resource = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if !is_set("OTEL_SERVICE_NAME") {
        resource = resource.with_service_name("servicewright");
    }
    resource.build()
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// A panic is logged like everything else, so that it is seen where the rest is.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no message");
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(message, place, %backtrace, "a task panicked");
    }));
}

/// The headers of a request, for whoever looks for a trace in them.
struct Headers<'a>(&'a axum::http::HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}
