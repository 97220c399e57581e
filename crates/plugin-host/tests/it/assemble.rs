//! Components from WebAssembly text. A `module.wat` is a core module that answers at a hook; it is
//! wrapped into a component by the contract itself. A `component.wat` is taken as it is written.
//!
//! Lines between `;; repeat N` and `;; end` stand there N times, with `#` for which time it is.

#![allow(clippy::unwrap_used, reason = "everything here helps tests")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The component of a case that is written as text; none where it is not.
pub(crate) fn assembled(folder: &Path) -> Option<Arc<[u8]>> {
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    if let Some(component) = text("component.wat") {
        return Some(wat::parse_str(repeated(&component)).unwrap().into());
    }
    text("module.wat").map(|module| wrapped(&repeated(&module)))
}

/// A core module at the routing hook of the contract, as a component.
fn wrapped(module: &str) -> Arc<[u8]> {
    let mut module = wat::parse_str(module).unwrap();
    let contract = include_str!("../../../../wit/v1/plugin.wit");
    let mut resolve = Resolve::default();
    let package = resolve.push_str("plugin.wit", contract).unwrap();
    let world = resolve.select_world(&[package], Some("router")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let encoder = ComponentEncoder::default().module(&module).unwrap();
    encoder.validate(true).encode().unwrap().into()
}

fn repeated(text: &str) -> String {
    let mut whole = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(times) = line.trim().strip_prefix(";; repeat ") else {
            whole.push_str(line);
            whole.push('\n');
            continue;
        };
        let part: Vec<&str> = lines
            .by_ref()
            .take_while(|line| line.trim() != ";; end")
            .collect();
        for time in 0..times.parse::<u32>().unwrap() {
            for line in &part {
                let _ = writeln!(whole, "{}", line.replace('#', &time.to_string()));
            }
        }
    }
    whole
}
