//! The cases of `tests/plugin-cases`: each folder with a `case.yaml`, read, given its component and
//! bound, so that a test has no more to do than ask.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::port::BindingSetup;
use model::hook::{FailureKind, Hook};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::assemble::assembled;
use crate::server::Server;
use crate::support::{binding, component, without_manifest};

/// What a case does wrong, and how that ends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    title: String,
    /// What the plugin is told to do, where that is not the name of the case.
    #[serde(rename = "do")]
    what: Option<String>,
    /// The hooks that it is tried at; without any, all of them.
    hooks: Option<Vec<Hook>>,
    #[serde(default)]
    settings: Map<String, Json>,
    /// Beside those for the servers that its settings name.
    #[serde(default)]
    grants: Map<String, Json>,
    #[serde(default)]
    limits: Map<String, Json>,
    /// Reckoning in calendars takes a while.
    #[serde(default)]
    slow_desk: bool,
    /// Of the plugin of all other cases, these shares in percent.
    #[serde(default)]
    cut: Vec<usize>,
    /// It cannot be set up, for this reason or one of these.
    refused: Option<OneOf<String>>,
    ends: Option<OneOf<FailureKind>>,
    says: Option<String>,
    answers: Option<String>,
    pure: Option<Outcome>,
    integration: Option<Outcome>,
}

/// How a call goes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outcome {
    ends: Option<OneOf<FailureKind>>,
    says: Option<String>,
    answers: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOf<T> {
    One(T),
    Either(Vec<T>),
}

impl<T> OneOf<T> {
    fn any(&self, fits: impl FnMut(&T) -> bool) -> bool {
        match self {
            Self::One(one) => std::slice::from_ref(one).iter().any(fits),
            Self::Either(several) => several.iter().any(fits),
        }
    }
}

impl Outcome {
    /// Whether that is what happened.
    pub(crate) fn is(&self, happened: &Result<String, model::hook::Failure>) -> bool {
        match (happened, &self.answers) {
            (Ok(answer), Some(part)) => answer.contains(part),
            (Err(failure), None) => {
                let ends = self.ends.as_ref();
                let ends = ends.expect("a case says how it ends or what it answers");
                let kind_fits = ends.any(|kind| failure.kind == *kind);
                let part = self.says.as_deref().expect("a failure has a message");
                let said = failure.message.to_lowercase();
                kind_fits && said.contains(&part.to_lowercase())
            }
            _ => false,
        }
    }
}

/// A case that is bound at one hook.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) setup: BindingSetup,
    pub(crate) slow_desk: bool,
    pub(crate) outcome: Outcome,
}

/// A case that cannot be set up, and what is said to that.
pub(crate) struct Refused {
    pub(crate) name: String,
    pub(crate) setup: BindingSetup,
    says: OneOf<String>,
}

impl Refused {
    /// Whether that is what was said.
    pub(crate) fn is(&self, error: &str) -> bool {
        self.says.any(|part| error.contains(part))
    }
}

/// The servers of all cases, by what their settings write.
pub(crate) struct Servers(BTreeMap<&'static str, String>);

impl Servers {
    pub(crate) async fn start() -> Self {
        let mut origins = BTreeMap::new();
        for server in Server::ALL {
            let origin = format!("http://127.0.0.1:{}", server.start().await);
            origins.insert(server.placeholder(), origin);
        }
        Self(origins)
    }

    fn grants(&self) -> Map<String, Json> {
        let granted = |origin: &String| (origin.clone(), json!(true));
        self.0.values().map(granted).collect()
    }

    fn put(&self, settings: &Map<String, Json>) -> Map<String, Json> {
        let put = |value: &Json| match value.as_str().and_then(|text| self.0.get(text)) {
            Some(origin) => json!(origin),
            None => value.clone(),
        };
        let settings = settings.iter();
        settings
            .map(|(name, value)| (name.clone(), put(value)))
            .collect()
    }
}

/// The folder of the cases.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/plugin-cases")
}

/// Every case: its name, and what it says of itself.
fn written() -> Vec<(String, Written)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if !entry.path().is_dir() || name == "src" {
            continue;
        }
        let text = std::fs::read_to_string(entry.path().join("case.yaml"));
        let text = text.unwrap_or_else(|error| panic!("{name} has no case.yaml: {error}"));
        let case: Written = serde_saphyr::from_str(&text)
            .unwrap_or_else(|error| panic!("{name}/case.yaml: {error}"));
        assert!(!case.title.is_empty(), "{name} has no title");
        found.push((name, case));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// The component that cases in Rust share, with nothing asked for: each gets what it is granted.
pub(crate) fn rust() -> Option<Arc<[u8]>> {
    component("hostile").map(|component| without_manifest(&component))
}

/// The cases that can be asked at this hook; none where the plugin has not been built.
pub(crate) fn at(hook: Hook, servers: &Servers) -> Option<Vec<Case>> {
    let rust = rust()?;
    let mut cases = Vec::new();
    for (name, case) in written() {
        let hooks = case.hooks.as_deref().unwrap_or(&Hook::ALL);
        if case.refused.is_some() || !hooks.contains(&hook) {
            continue;
        }
        let special = if hook.is_pure() {
            &case.pure
        } else {
            &case.integration
        };
        let outcome = special.clone().unwrap_or_else(|| Outcome {
            ends: case.ends.clone(),
            says: case.says.clone(),
            answers: case.answers.clone(),
        });
        let component = assembled(&folder().join(&name)).unwrap_or_else(|| Arc::clone(&rust));
        let setup = bind(&name, &case, &component, &[hook.as_str()], servers);
        let slow_desk = case.slow_desk;
        cases.push(Case {
            name,
            setup,
            slow_desk,
            outcome,
        });
    }
    Some(cases)
}

/// The cases that cannot be set up.
pub(crate) fn refused(servers: &Servers) -> Option<Vec<Refused>> {
    let rust = rust()?;
    let mut cases = Vec::new();
    for (name, case) in written() {
        let Some(says) = case.refused.clone() else {
            continue;
        };
        let whole = assembled(&folder().join(&name)).unwrap_or_else(|| Arc::clone(&rust));
        let shares = if case.cut.is_empty() {
            &[100][..]
        } else {
            &case.cut[..]
        };
        let hooks: Vec<&str> = case
            .hooks
            .iter()
            .flatten()
            .map(|hook| hook.as_str())
            .collect();
        for share in shares {
            let component: Arc<[u8]> = whole[..whole.len() * share / 100].into();
            cases.push(Refused {
                name: format!("{name} ({share} percent)"),
                setup: bind(&name, &case, &component, &hooks, servers),
                says: says.clone(),
            });
        }
    }
    Some(cases)
}

fn bind(
    name: &str,
    case: &Written,
    component: &Arc<[u8]>,
    hooks: &[&str],
    servers: &Servers,
) -> BindingSetup {
    let mut settings = servers.put(&case.settings);
    let what = case.what.as_deref().unwrap_or(name);
    settings.insert("do".to_owned(), json!(what));
    let http = servers.grants();
    let secrets = json!({ "key": { "sign": true }, "token": { "hosts": http } });
    let mut grants = json!({ "directory": { "team": true }, "http": http, "key-value": true, "secrets": secrets });
    let mut limits = json!({ "cpu": "PT0.05S", "wall": "PT0.8S" });
    for (whole, more) in [(&mut grants, &case.grants), (&mut limits, &case.limits)] {
        whole.as_object_mut().unwrap().extend(more.clone());
    }
    let more = json!({ "settings": settings, "grants": grants, "limits": limits });
    binding(name, component, hooks, more)
}
