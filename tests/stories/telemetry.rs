//! Traces, metrics and logs reach whoever listens: one trace goes from the request of a client,
//! through the hook that was asked and the commit, to the effect that came of it.

use axum::body::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Attribute;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use reqwest::Method;
use serde_json::json;
use std::fmt::Write as _;
use test_support::{Answer, Setup};

use crate::listener::Listener;
use crate::packs;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_goes_from_the_request_to_the_effect() {
    let collector = Listener::start().await;
    let outside = Listener::start().await;
    let mut server = Setup::new()
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.origin)
        .start();
    let folder = packs::told(&outside.origin);
    let folder = folder.path().to_str().expect("a path of text");
    let installed = server.wright(&["pack", "install", folder]);
    assert!(
        installed.status.success(),
        "{}",
        String::from_utf8_lossy(&installed.stderr)
    );

    let ada = server.client("ada", "agent");
    let request = ada
        .request(Method::POST, "/api/v1/records")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    let body = json!({ "workflow": "note", "create": "write", "fields": { "summary": "Traced" } });
    let created = Answer::of(request.json(&body)).await.expect(201);
    let told = outside.wait_for("/told", |heard| !heard.is_empty()).await;
    assert!(String::from_utf8_lossy(&told[0]).contains(&created.id()));
    // What is left is sent at the end.
    assert!(server.stop().success());

    let spans = spans(&collector.heard("/v1/traces"));
    let ours: Vec<&Span> = spans
        .iter()
        .filter(|span| hexadecimal(&span.trace_id) == TRACE)
        .collect();
    let names: Vec<_> = ours.iter().map(|span| span.name.as_str()).collect();
    let one = |what: &str, fits: &dyn Fn(&Span) -> bool| -> &Span {
        let found: Vec<_> = ours.iter().filter(|span| fits(span)).collect();
        assert_eq!(found.len(), 1, "{what} among {names:?}");
        found[0]
    };
    let request = one("the request", &|span| span.name == "POST /api/v1/records");
    assert_eq!(hexadecimal(&request.parent_span_id), PARENT);
    let command = one("the command", &|span| {
        span.name == "command" && attribute(span, "action") == "create"
    });
    assert_eq!(command.parent_span_id, request.span_id);
    let commit = one("the commit", &|span| {
        span.name == "commit" && span.parent_span_id == command.span_id
    });
    let routed = one("the routing hook", &|span| {
        attribute(span, "hook") == "routing"
    });
    assert_eq!(routed.parent_span_id, command.span_id);
    assert_eq!(attribute(routed, "plugin"), "note-router");
    assert!(attribute(routed, "component").starts_with("sha256:"));
    assert_eq!(attribute(routed, "outcome"), "answered");
    let (took, worked) = (number(routed, "micros"), number(routed, "cpu_micros"));
    assert!(0 < worked && worked <= took, "{worked} of {took} µs");
    assert!(
        number(routed, "memory_bytes") >= 64 << 10,
        "a page at least"
    );
    let effect = one("the effect", &|span| span.name == "effect");
    assert_eq!(effect.parent_span_id, command.span_id);
    let delivered = one("the delivery", &|span| {
        attribute(span, "hook") == "delivery"
    });
    assert_eq!(delivered.parent_span_id, effect.span_id);
    assert!(
        routed.end_time_unix_nano <= commit.start_time_unix_nano,
        "asked before the commit"
    );
    assert!(
        commit.end_time_unix_nano <= effect.start_time_unix_nano,
        "told after it"
    );

    let metrics = metrics(&collector.heard("/v1/metrics"));
    for name in [
        "http.server.request.duration",
        "servicewright.command.duration",
        "servicewright.commit.duration",
        "servicewright.effect.duration",
        "servicewright.plugin.calls",
        "servicewright.plugin.duration",
    ] {
        assert!(
            metrics.iter().any(|metric| metric == name),
            "{name} among {metrics:?}"
        );
    }
    let logs = logs(&collector.heard("/v1/logs"));
    assert!(!logs.is_empty(), "log lines are sent too");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_logs_belongs_to_its_call() {
    let collector = Listener::start().await;
    let mut server = Setup::new()
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.origin)
        .start();
    let folder = packs::misrouted("chatter");
    let folder = folder.path().to_str().expect("a path of text");
    assert!(server.wright(&["pack", "install", folder]).status.success());
    let ada = server.client("ada", "agent");
    let note = json!({ "summary": "Talked about" });
    let _ = ada.create("note", "write", note).await;
    assert!(server.stop().success());

    let spans = spans(&collector.heard("/v1/traces"));
    let routed = spans
        .iter()
        .find(|span| attribute(span, "plugin") == "note-router");
    let routed = routed.expect("it was asked");
    let logs = logs(&collector.heard("/v1/logs"));
    let line = logs.iter().find(|line| said(line) == "line 0");
    let line = line.expect("what the plugin logged is sent");
    assert_eq!(line.trace_id, routed.trace_id);
    assert_eq!(line.span_id, routed.span_id);
}

fn spans(sent: &[Bytes]) -> Vec<Span> {
    let requests = sent
        .iter()
        .map(|body| ExportTraceServiceRequest::decode(body.clone()).expect("OTLP"));
    let scopes = requests
        .flat_map(|request| request.resource_spans)
        .flat_map(|it| it.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn metrics(sent: &[Bytes]) -> Vec<String> {
    let requests = sent
        .iter()
        .map(|body| ExportMetricsServiceRequest::decode(body.clone()).expect("OTLP"));
    let scopes = requests
        .flat_map(|request| request.resource_metrics)
        .flat_map(|it| it.scope_metrics);
    scopes
        .flat_map(|scope| scope.metrics)
        .map(|metric| metric.name)
        .collect()
}

fn logs(sent: &[Bytes]) -> Vec<LogRecord> {
    let requests = sent
        .iter()
        .map(|body| ExportLogsServiceRequest::decode(body.clone()).expect("OTLP"));
    let scopes = requests
        .flat_map(|request| request.resource_logs)
        .flat_map(|it| it.scope_logs);
    scopes.flat_map(|scope| scope.log_records).collect()
}

/// What a log line says.
fn said(line: &LogRecord) -> &str {
    match line.body.as_ref().and_then(|body| body.value.as_ref()) {
        Some(Attribute::StringValue(text)) => text,
        _ => "",
    }
}

/// A text attribute of a span; empty where it has none.
fn attribute<'a>(span: &'a Span, name: &str) -> &'a str {
    let found = span
        .attributes
        .iter()
        .find(|attribute| attribute.key == name);
    match found.and_then(|found| found.value.as_ref()?.value.as_ref()) {
        Some(Attribute::StringValue(text)) => text,
        _ => "",
    }
}

/// A number among the attributes of a span; 0 where it has none.
fn number(span: &Span, name: &str) -> i64 {
    let found = span
        .attributes
        .iter()
        .find(|attribute| attribute.key == name);
    match found.and_then(|found| found.value.as_ref()?.value.as_ref()) {
        Some(Attribute::IntValue(number)) => *number,
        _ => 0,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
