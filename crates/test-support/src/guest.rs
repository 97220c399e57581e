//! The smallest plugins: components written as WebAssembly text, each of which does one thing at one
//! hook. They carry no manifest, and work with any settings and grants.

use std::fmt::Write as _;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::server::repository;

/// Where a guest's answer stands in its memory; texts stand further up.
const ANSWER: u32 = 1024;

/// A plugin that routes everything to a team, for a reason.
pub fn router(team: &str, reason: &str) -> Vec<u8> {
    // An assignment follows the case of the result, on the next multiple of eight; nobody in person.
    let (team_at, reason_at) = (2048, 4096);
    let numbers = [team_at, length(team), 0, 0, 0, reason_at, length(reason)];
    let answer = format!("(i32.const {ANSWER})");
    let body = format!(
        "{}\n{}\n{}\n{}",
        route(&answer),
        data(ANSWER + 8, &numbers.map(u32::to_le_bytes).concat()),
        data(team_at, team.as_bytes()),
        data(reason_at, reason.as_bytes()),
    );
    component("router", "", &body)
}

/// A plugin that traps whenever it is asked where to route something.
pub fn trapping_router() -> Vec<u8> {
    component("router", "", &route("unreachable"))
}

/// A plugin that does nothing when it is its time.
pub fn poller() -> Vec<u8> {
    // All zeros: well, and without commands.
    component("poller", "", &run(&format!("(i32.const {ANSWER})")))
}

/// A plugin that traps when it is its time.
pub fn trapping_poller() -> Vec<u8> {
    component("poller", "", &run("unreachable"))
}

/// A plugin that writes to its key-value space when it is its time, and waits until that is done.
pub fn waiting_poller() -> Vec<u8> {
    let import = r#"(import "servicewright:plugin/key-value@1.0.0" "compare-and-set"
        (func $write (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;
    // The key, nothing expected, a value of nothing; the answer to it goes where nobody looks.
    let zeros = "(i32.const 0) ".repeat(3);
    let body = run(&format!(
        "(call $write (i32.const 2048) (i32.const 1) {zeros} (i32.const 1) (i32.const 2048) (i32.const 0) (i32.const 512))
         (i32.const {ANSWER})"
    ));
    component("poller", import, &format!("{body}\n{}", data(2048, b"k")))
}

/// A plugin that keeps what it is sent: each request's body as a key of its key-value space. Where
/// that is refused, it fails with what it was told.
pub fn keeper() -> Vec<u8> {
    let import = r#"(import "servicewright:plugin/key-value@1.0.0" "compare-and-set"
        (func $write (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;
    // The body stands at the end of the request, and that after the call. A refusal is handed on as it
    // is: errors of imports and of hooks have one type, and stand in the same place.
    let (well, status) = (8192, 200_u32);
    let body = format!(
        r#"(func (export "servicewright:plugin/webhook@1.0.0#receive") (param $asked i32) (result i32)
            (call $write
                (i32.load offset=80 (local.get $asked)) (i32.load offset=84 (local.get $asked))
                (i32.const 0) (i32.const 0) (i32.const 0)
                (i32.const 1) (i32.const 2048) (i32.const 0)
                (i32.const {ANSWER}))
            (select (i32.const {ANSWER}) (i32.const {well}) (i32.load8_u (i32.const {ANSWER}))))
        {}"#,
        data(well + 8, &status.to_le_bytes())
    );
    component("receiver", import, &body)
}

fn route(body: &str) -> String {
    format!(
        r#"(func (export "servicewright:plugin/routing@1.0.0#route") (param i32) (result i32)
            {body})"#
    )
}

fn run(body: &str) -> String {
    format!(
        r#"(func (export "servicewright:plugin/schedule@1.0.0#run")
            (param i32 i32 i32 i64 i64 i32 i32 i32 i32 i32 i32) (result i32)
            {body})"#
    )
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).expect("a short text")
}

fn data(at: u32, bytes: &[u8]) -> String {
    let escaped = bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:02x}");
        text
    });
    format!(r#"(data (i32.const {at}) "{escaped}")"#)
}

/// Wraps a core module of these parts into a component of this world of the contract.
fn component(world: &str, imports: &str, body: &str) -> Vec<u8> {
    let module = format!(
        r#"(module
        {imports}
        (memory (export "memory") 16)
        (global $free (mut i32) (i32.const 65536))
        (func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and
                (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get $align))))
            (global.set $free (i32.add (local.get $at) (local.get $size)))
            (local.get $at))
        {body})"#
    );
    let mut module = wat::parse_str(module).expect("the text is WebAssembly");
    let mut resolve = Resolve::default();
    let contract = repository().join("wit/v1/plugin.wit");
    let (package, _) = resolve.push_path(contract).expect("the contract reads");
    let world = resolve.select_world(&[package], Some(world));
    let world = world.expect("the contract has such a world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the module takes its types");
    let encoder = ComponentEncoder::default().module(&module);
    let mut encoder = encoder.expect("the module has the shape of its world");
    encoder.encode().expect("it becomes a component")
}
