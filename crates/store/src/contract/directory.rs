//! The directory, configurations, content, key-value spaces and tokens.

use engine::port::{Commit, CommitError, SealedSecret, Store, TokenRecord};
use model::Digest;
use model::configuration::Provenance;
use model::definition::{Grants, KeyValueGrant};
use model::directory::Key;
use model::journal::{BoundPlugin, Item};
use serde_json::json;

use super::samples::{at, directory, id};
use super::{Case, Place, together, try_commit};

pub(super) const CASES: &[Case] = &[
    ("things are kept and listed by kind", things),
    ("people are found by role, teams by person", roles_and_teams),
    (
        "a configuration comes into force with its content",
        configuration,
    ),
    ("a value is written only over the expected one", values),
    ("a binding's space has a quota", quota),
    ("secrets are kept as they are sealed", secrets),
    ("the key of links is no secret of a binding", link_key),
    ("keys are listed within one binding", keys),
    ("a token is kept until it is revoked", tokens),
];

fn things(place: &dyn Place) {
    let store = place.open();
    let key = Key {
        kind: id("service"),
        id: id("vpn"),
    };
    assert_eq!(store.thing(&key).unwrap(), None);
    for (kind, thing) in [("service", "vpn"), ("service", "e-mail"), ("site", "ghent")] {
        let value = json!({ "name": thing });
        try_commit(&*store, directory(kind, thing, Some(value))).unwrap();
    }
    let thing = store.thing(&key).unwrap().unwrap();
    assert_eq!(thing.text("name"), Some("vpn"));
    let listed = |after: Option<&str>, limit| {
        let after = after.map(id);
        let things = store.things(&id("service"), after.as_ref(), limit).unwrap();
        things
            .iter()
            .map(|(id, _)| id.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(None, 10), ["e-mail", "vpn"]);
    assert_eq!(listed(None, 1), ["e-mail"]);
    assert_eq!(listed(Some("e-mail"), 10), ["vpn"]);
    let renamed = json!({ "name": "tunnel" });
    try_commit(&*store, directory("service", "vpn", Some(renamed))).unwrap();
    let thing = store.thing(&key).unwrap().unwrap();
    assert_eq!(thing.text("name"), Some("tunnel"));
    try_commit(&*store, directory("service", "vpn", None)).unwrap();
    assert_eq!(store.thing(&key).unwrap(), None);
    assert_eq!(listed(None, 10), ["e-mail"]);
    let journal = store.journal(4, 10).unwrap();
    let [(5, Item::Directory { change, actor, .. })] = &journal[..] else {
        panic!("{journal:?}");
    };
    assert_eq!((&change.key, &change.thing), (&key, &None));
    assert_eq!(actor, "operator");
}

fn roles_and_teams(place: &dyn Place) {
    let store = place.open();
    let roles = |roles: &[&str]| Some(json!({ "roles": roles }));
    let members = |members: serde_json::Value| Some(json!({ "members": members }));
    let all = vec![
        directory("user", "ada", roles(&["agent"])),
        directory("user", "bram", roles(&["agent", "approver"])),
        directory("user", "bram", roles(&["approver"])),
        directory("team", "desk", members(json!({ "ada": {}, "bram": {} }))),
        directory("team", "cab", members(json!({ "bram": {} }))),
        directory("service", "vpn", roles(&["agent"])),
    ];
    for answer in together(&*store, all) {
        answer.unwrap();
    }
    let with_role = |store: &dyn Store, role: &str| {
        let people = store.people_with_role(&id(role)).unwrap();
        people.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let teams = |store: &dyn Store, person: &str| {
        let teams = store.teams_of(&id(person)).unwrap();
        teams.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(with_role(&*store, "agent"), ["ada"]);
    assert_eq!(with_role(&*store, "approver"), ["bram"]);
    assert_eq!(teams(&*store, "bram"), ["cab", "desk"]);
    try_commit(
        &*store,
        directory("team", "desk", members(json!({ "ada": {} }))),
    )
    .unwrap();
    try_commit(&*store, directory("user", "ada", None)).unwrap();
    drop(store);
    let store = place.open();
    assert_eq!(with_role(&*store, "agent"), [""; 0]);
    assert_eq!(teams(&*store, "bram"), ["cab"]);
    assert_eq!(teams(&*store, "ada"), ["desk"]);
}

fn configuration(place: &dyn Place) {
    let store = place.open();
    assert_eq!(store.active().unwrap(), None);
    let content = b"a workflow".to_vec();
    let digest = Digest::of(&content);
    assert_eq!(store.blob(&digest).unwrap(), None);
    assert_eq!(store.signature(&digest).unwrap(), None);
    let bound = BoundPlugin {
        binding: id("webhook"),
        component: digest,
        provenance: Provenance::Signed {
            by: "acme".to_owned(),
            key: Digest::of(b"a key"),
        },
        grants: Grants {
            key_value: KeyValueGrant::Usual(true),
            ..Grants::default()
        },
    };
    let commit = Commit::Configuration {
        at: at(0),
        actor: "operator".to_owned(),
        what: "installed itil".to_owned(),
        active: Digest::of(b"all"),
        bindings: vec![bound.clone()],
        blobs: vec![(digest, content.clone())],
        signatures: vec![(digest, b"its signature".to_vec())],
    };
    let position = try_commit(&*store, commit).unwrap().position;
    assert_eq!(position, 1);
    let other = b"a component".to_vec();
    let loose = |signature: Option<&[u8]>| Commit::Component {
        digest: Digest::of(&other),
        component: other.clone(),
        signature: signature.map(<[u8]>::to_vec),
    };
    let signed = loose(Some(b"a signature"));
    assert_eq!(try_commit(&*store, signed).unwrap().position, 0);
    try_commit(&*store, loose(None)).unwrap();
    drop(store);
    let store = place.open();
    assert_eq!(store.active().unwrap(), Some(Digest::of(b"all")));
    assert_eq!(store.blob(&digest).unwrap(), Some(content));
    assert_eq!(
        store.blob(&Digest::of(&other)).unwrap(),
        Some(other.clone())
    );
    let kept = |digest: &Digest| store.signature(digest).unwrap();
    assert_eq!(kept(&digest), Some(b"its signature".to_vec()));
    assert_eq!(kept(&Digest::of(&other)), Some(b"a signature".to_vec()));
    let journal = store.journal(0, 10).unwrap();
    let [(1, item)] = &journal[..] else {
        panic!("{journal:?}");
    };
    let Item::Configuration {
        active,
        what,
        bindings,
        ..
    } = item
    else {
        panic!("{item:?}");
    };
    assert_eq!(*bindings, [bound]);
    assert_eq!(*active, Digest::of(b"all"));
    assert_eq!(what, "installed itil");
}

fn put(key: &str, expected: Option<&str>, value: Option<&str>, quota_bytes: u64) -> Commit {
    Commit::KeyValue {
        binding: id("webhook"),
        key: key.to_owned(),
        expected: expected.map(|text| text.as_bytes().to_vec()),
        value: value.map(|text| text.as_bytes().to_vec()),
        quota_bytes,
        quota_keys: 5,
    }
}

fn values(place: &dyn Place) {
    let store = place.open();
    try_commit(&*store, put("a", None, Some("1"), 100)).unwrap();
    let answer = try_commit(&*store, put("a", None, Some("2"), 100));
    assert!(matches!(answer, Err(CommitError::Conflict)), "{answer:?}");
    try_commit(&*store, put("a", Some("1"), Some("2"), 100)).unwrap();
    let read = |binding: &str| store.key_value(&id(binding), "a").unwrap();
    assert_eq!(read("webhook"), Some(b"2".to_vec()));
    assert_eq!(read("mail"), None);
    try_commit(&*store, put("a", Some("2"), None, 100)).unwrap();
    assert_eq!(read("webhook"), None);
    assert_eq!(store.position().unwrap(), 0);
}

fn quota(place: &dyn Place) {
    let store = place.open();
    try_commit(&*store, put("a", None, Some("123456789"), 20)).unwrap();
    try_commit(&*store, put("b", None, Some("123456789"), 20)).unwrap();
    let answer = try_commit(&*store, put("c", None, Some(""), 20));
    assert!(matches!(answer, Err(CommitError::Quota)), "{answer:?}");
    try_commit(&*store, put("a", Some("123456789"), None, 20)).unwrap();
    try_commit(&*store, put("c", None, Some("123456789"), 20)).unwrap();
    // A space that is over its quota may shrink.
    try_commit(&*store, put("c", Some("123456789"), Some("1"), 5)).unwrap();
    // Nor may it have more keys than its quota, of whatever size, before and after a restart.
    drop(store);
    let store = place.open();
    for key in ["d", "e", "f"] {
        try_commit(&*store, put(key, None, Some(""), 1_000)).unwrap();
    }
    let answer = try_commit(&*store, put("g", None, Some(""), 1_000));
    assert!(matches!(answer, Err(CommitError::Quota)), "{answer:?}");
    try_commit(&*store, put("d", Some(""), Some("more"), 1_000)).unwrap();
    try_commit(&*store, put("e", Some(""), None, 1_000)).unwrap();
    try_commit(&*store, put("g", None, Some(""), 1_000)).unwrap();
}

fn keys(place: &dyn Place) {
    let store = place.open();
    for key in ["seen/1", "seen/2", "seen/3", "sent/1", "s"] {
        try_commit(&*store, put(key, None, Some("x"), 1_000)).unwrap();
    }
    let keys = |binding: &str, prefix, after, limit| {
        store.keys(&id(binding), prefix, after, limit).unwrap()
    };
    assert_eq!(
        keys("webhook", "seen/", None, 10),
        ["seen/1", "seen/2", "seen/3"]
    );
    assert_eq!(keys("webhook", "seen/", Some("seen/1"), 1), ["seen/2"]);
    assert_eq!(keys("webhook", "seen/", Some("sent/1"), 10), [""; 0]);
    assert_eq!(keys("webhook", "", None, 10).len(), 5);
    assert_eq!(keys("mail", "", None, 10), [""; 0]);
}

fn tokens(place: &dyn Place) {
    let store = place.open();
    let secret = Digest::of(b"secret");
    let token = TokenRecord {
        actor: id("ada"),
        roles: [id("agent")].into(),
        created_at: at(0),
        expires_at: Some(at(60)),
        title: "for the demo".to_owned(),
    };
    let put = |token| Commit::Token { secret, token };
    assert_eq!(store.token(&secret).unwrap(), None);
    try_commit(&*store, put(Some(token.clone()))).unwrap();
    drop(store);
    let store = place.open();
    assert_eq!(store.token(&secret).unwrap(), Some(token));
    try_commit(&*store, put(None)).unwrap();
    assert_eq!(store.token(&secret).unwrap(), None);
}

fn secrets(place: &dyn Place) {
    let store = place.open();
    let sealed = |text: &str| SealedSecret {
        key: Digest::of(b"key"),
        set_at: at(0),
        sealed: text.as_bytes().to_vec(),
    };
    let read = |store: &dyn Store, binding: &str, secret: &str| {
        store.sealed_secret(&id(binding), &id(secret)).unwrap()
    };
    let set =
        |binding: &str, secret: &str, text: &str| (id(binding), id(secret), Some(sealed(text)));
    assert_eq!(read(&*store, "chat", "token"), None);
    let all = vec![
        set("chat", "token", "a"),
        set("chat", "key", "b"),
        set("cha", "x", "c"),
    ];
    assert_eq!(try_commit(&*store, secrets_alone(all)).unwrap().position, 0);
    drop(store);
    let store = place.open();
    assert_eq!(read(&*store, "chat", "token"), Some(sealed("a")));
    let named = |after: Option<(&str, &str)>, limit| {
        let after = after.map(|(binding, secret)| (id(binding), id(secret)));
        let after = after.as_ref().map(|(binding, secret)| (binding, secret));
        let found = store.sealed_secrets(after, limit).unwrap();
        let names = found
            .iter()
            .map(|(binding, secret, _)| format!("{binding} {secret}"));
        names.collect::<Vec<_>>()
    };
    assert_eq!(named(None, 10), ["cha x", "chat key", "chat token"]);
    assert_eq!(named(Some(("cha", "x")), 1), ["chat key"]);
    let gone = vec![(id("chat"), id("token"), None), set("chat", "key", "d")];
    try_commit(&*store, secrets_alone(gone)).unwrap();
    assert_eq!(read(&*store, "chat", "token"), None);
    assert_eq!(read(&*store, "chat", "key"), Some(sealed("d")));
}

fn secrets_alone(
    secrets: Vec<(
        model::id::BindingId,
        model::id::SecretId,
        Option<SealedSecret>,
    )>,
) -> Commit {
    let link_key = None;
    Commit::Secrets { secrets, link_key }
}

fn link_key(place: &dyn Place) {
    let store = place.open();
    let sealed = |text: &str| SealedSecret {
        key: Digest::of(b"key"),
        set_at: at(0),
        sealed: text.as_bytes().to_vec(),
    };
    let keep = |store: &dyn Store, text: &str| {
        let commit = Commit::Secrets {
            secrets: Vec::new(),
            link_key: Some(sealed(text)),
        };
        assert_eq!(try_commit(store, commit).unwrap().position, 0);
    };
    assert_eq!(store.sealed_link_key().unwrap(), None);
    keep(&*store, "first");
    drop(store);
    let store = place.open();
    assert_eq!(store.sealed_link_key().unwrap(), Some(sealed("first")));
    assert_eq!(store.sealed_secrets(None, 10).unwrap(), []);
    try_commit(&*store, secrets_alone(Vec::new())).unwrap();
    assert_eq!(store.sealed_link_key().unwrap(), Some(sealed("first")));
    keep(&*store, "second");
    assert_eq!(store.sealed_link_key().unwrap(), Some(sealed("second")));
}
