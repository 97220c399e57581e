//! Plugins that were built with the released SDKs, kept as they were: asked at every hook, they answer
//! as they always did, and alike in every language.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use expect_test::expect_file;
use model::hook::Hook;
use serde_json::json;

use crate::support::{Desk, ask, binding, host};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

/// Every component that is kept, by the name of its file.
fn kept() -> Vec<(String, Arc<[u8]>)> {
    let mut kept: Vec<(String, Arc<[u8]>)> = std::fs::read_dir(folder())
        .unwrap()
        .filter_map(|file| {
            let path = file.unwrap().path();
            let name = path
                .file_name()?
                .to_str()?
                .strip_suffix(".wasm.gz")?
                .to_owned();
            let mut component = Vec::new();
            let file = std::fs::File::open(&path).unwrap();
            let read = flate2::read::GzDecoder::new(file).read_to_end(&mut component);
            assert!(read.is_ok(), "{name}: {read:?}");
            Some((name, component.into()))
        })
        .collect();
    kept.sort();
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_built_then_answers_as_it_did() {
    let kept = kept();
    assert!(kept.len() >= 3, "one in each language");
    for (name, component) in kept {
        let hooks: Vec<&str> = Hook::ALL.iter().map(|hook| hook.as_str()).collect();
        let more = json!({
            "settings": { "team": "desk" },
            "grants": {
                "directory": { "user": true, "team": true },
                "key-value": true,
                "secrets": { "key": { "sign": true } },
                "commands": { "incident": { "create": true, "transition": true, "comment": true } },
                "act-as": true,
            },
        });
        let host = host(vec![binding("golden", &component, &hooks, more)]).await;
        let desk = Desk::shared();
        let mut answers = String::new();
        // An event comes twice: what was remembered is there the second time.
        for hook in Hook::ALL.into_iter().chain([Hook::Delivery]) {
            let answer = ask(&host, hook, "golden", &desk).await;
            let answer = answer.unwrap_or_else(|failure| panic!("{name}, {hook:?}: {failure:?}"));
            writeln!(answers, "{}: {answer}", hook.as_str()).unwrap();
        }
        // Of one release, all say the same.
        let (_, version) = name.split_once('-').unwrap();
        expect_file![folder().join(format!("answers-{version}.txt"))].assert_eq(&answers);
    }
}
