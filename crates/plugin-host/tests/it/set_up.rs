//! Setting bindings up: what does not fit is a clear error then, and changes nothing.

use std::sync::Arc;

use engine::port::{InspectError, Plugins as _};
use model::hook::Hook;
use serde_json::{Value as Json, json};
use servicewright_plugin_host::{Options, WasmPlugins};

use crate::support::{all_grants, binding, component, host, hostile, reason};

/// Why a binding of the hostile plugin with these entries cannot be set up.
async fn refused(hooks: &[&str], more: Json) -> Option<String> {
    let component = component("hostile")?;
    let host = host(vec![hostile(&component, "answer")]).await;
    let setups = vec![binding("new", &component, hooks, more)];
    let (id, error) = host.set_up(setups).await.unwrap_err();
    assert_eq!(id.as_str(), "new");
    assert_eq!(
        reason(&host, "answer").await,
        "record of incident",
        "nothing changed"
    );
    Some(error.to_string())
}

fn settings() -> Json {
    json!({ "do": "answer" })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_has_to_be_granted() {
    let more = json!({ "settings": settings(), "grants": { "directory": { "user": true } } });
    let Some(error) = refused(&["routing"], more).await else {
        return;
    };
    assert_eq!(
        error,
        "it asks for what the binding does not grant: directory.team, http, key-value, a secret with sign, commands"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_have_to_fit() {
    let more = json!({ "settings": { "do": 1, "more": 2 }, "grants": all_grants() });
    let Some(error) = refused(&["routing"], more).await else {
        return;
    };
    assert!(error.contains("`do`") && error.contains("more"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_has_to_be_exported() {
    let Some(router) = component("skills-router") else {
        return;
    };
    let host = WasmPlugins::new(Options::default()).unwrap();
    let setups = vec![binding("new", &router, &["approval"], json!({}))];
    let (_, error) = host.set_up(setups).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "it exports routing; the binding uses approval"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_has_to_start_within_its_memory() {
    let more = json!({
        "settings": settings(),
        "grants": all_grants(),
        "limits": { "memory_mib": 1 },
    });
    let Some(error) = refused(&["routing"], more).await else {
        return;
    };
    assert!(error.contains("it does not start"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_name_origins() {
    let mut grants = all_grants();
    grants["http"] = json!({ "chat.example": true });
    let more = json!({ "settings": settings(), "grants": grants });
    let Some(error) = refused(&["routing"], more).await else {
        return;
    };
    assert!(error.contains("`chat.example` is not an origin"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_component_is_refused() {
    let host = WasmPlugins::new(Options::default()).unwrap();
    for bytes in [
        &b"nonsense"[..],
        b"\0asm\x01\0\0\0",
        b"\0asm\x0d\0\x01\0\x00\x50abc",
    ] {
        let component: Arc<[u8]> = bytes.into();
        let error = host.inspect(&component).unwrap_err();
        assert!(matches!(error, InspectError::NotAComponent(_)), "{error}");
        let setups = vec![binding("new", &component, &["routing"], json!({}))];
        let (_, error) = host.set_up(setups).await.unwrap_err();
        assert!(matches!(error, InspectError::NotAComponent(_)), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_says_what_it_is() {
    let Some(component) = component("hostile") else {
        return;
    };
    let host = WasmPlugins::new(Options::default()).unwrap();
    let inspection = host.inspect(&component).unwrap();
    assert_eq!(inspection.hooks, Hook::ALL);
    assert!(
        inspection
            .imports
            .iter()
            .any(|import| import.contains("directory"))
    );
    assert_eq!(inspection.manifest.unwrap()["id"], "hostile");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_compiler_is_ended_when_its_time_is_over_and_heard_when_it_fails() {
    let Some(component) = component("hostile") else {
        return;
    };
    for (does, time, said) in [
        ("exec sleep 60", 1, "it took longer than 1 s"),
        ("cat >/dev/null; echo too deep >&2; exit 1", 60, "too deep"),
        ("kill -9 $$", 60, "the compiler had to be ended"),
        ("cat >/dev/null; echo nonsense", 60, "ELF"),
    ] {
        let compiler = move || {
            let mut command = std::process::Command::new("sh");
            command.args(["-c", does]);
            Ok(command)
        };
        let host = WasmPlugins::new(Options {
            compiler: Some(Arc::new(compiler)),
            compile_time: std::time::Duration::from_secs(time),
            ..Options::default()
        });
        let begun = std::time::Instant::now();
        let setups = vec![binding("new", &component, &["routing"], json!({}))];
        let (_, error) = host.unwrap().set_up(setups).await.unwrap_err();
        assert!(matches!(error, InspectError::Compile(_)), "{error}");
        assert!(error.to_string().contains(said), "{does}: {error}");
        assert!(begun.elapsed() < std::time::Duration::from_secs(30));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn compiled_components_are_kept_and_only_our_own_are_loaded() {
    let Some(component) = component("hostile") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        cache: Some(folder.path().to_owned()),
        ..Options::default()
    };
    let compiled = || {
        let files = std::fs::read_dir(folder.path()).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        let compiled: Vec<_> = paths
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "compiled")
            })
            .collect();
        assert_eq!(compiled.len(), 1);
        compiled[0].clone()
    };
    let set_up = || async {
        let host = crate::support::host_with(options(), vec![hostile(&component, "answer")]).await;
        assert_eq!(reason(&host, "answer").await, "record of incident");
    };
    set_up().await;
    let first = std::fs::read(compiled()).unwrap();
    // Loaded, and so not written again.
    let modified = std::fs::metadata(compiled()).unwrap().modified().unwrap();
    set_up().await;
    assert_eq!(
        std::fs::metadata(compiled()).unwrap().modified().unwrap(),
        modified
    );
    // Changed by someone else, and so made anew.
    let mut changed = first.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let path = compiled();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, changed).unwrap();
    set_up().await;
    assert_ne!(
        std::fs::metadata(compiled()).unwrap().modified().unwrap(),
        modified
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let key = std::fs::metadata(folder.path().join("key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
        // It is mapped where it lies, so that nobody may write to it, not even whoever made it.
        let compiled = std::fs::metadata(compiled()).unwrap();
        assert_eq!(compiled.permissions().mode() & 0o777, 0o400);
    }
}
