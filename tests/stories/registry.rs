//! A plugin goes from its vendor to an operator who takes only what is signed: by way of a real
//! registry, by digest, with the key that the operator trusts; and nothing else does.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use test_support::{Server, Setup, binary, plugin_case, repository};

use crate::packs;

/// How long a registry may take until it answers.
const READY: Duration = Duration::from_secs(30);
/// What the registry is called, as Debian has it and as its own makers do.
const PROGRAMS: [&str; 2] = ["docker-registry", "registry"];
const PASSPHRASE: &str = "correct horse battery staple";

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_plugin_goes_through_a_registry_into_use() {
    let Some(registry) = Registry::start() else {
        return;
    };
    let vendor = Vendor::new();
    let component = vendor.component("acme-router", "1.0.0");
    let tag = format!("{}/acme/router:1.0.0", registry.host);

    // Signed and pushed; what comes back by digest is the same to the byte, its signature with it.
    vendor.signs(&component, "acme");
    let verified = vendor.wright(&["plugin", "verify", &component, "--key", "acme.pub"]);
    assert!(said(&verified).contains("signed with the key sha256:"));
    let pushed = json_of(&vendor.wright(&["plugin", "push", &component, &tag]));
    assert_eq!(pushed["signed"], true);
    let pinned = pushed["reference"]
        .as_str()
        .expect("a reference")
        .to_owned();
    let pulled = vendor.wright(&["plugin", "pull", &pinned, "--out", "pulled.wasm"]);
    let pulled = json_of(&pulled);
    assert_eq!(pulled["component"], pushed["component"]);
    assert_eq!(vendor.bytes("pulled.wasm"), vendor.bytes(&component));
    let bundle = |name: &str| vendor.bytes(&format!("{name}.sigstore.json"));
    assert_eq!(bundle("pulled.wasm"), bundle(&component));
    // Pushed again, it is the same artifact.
    let again = json_of(&vendor.wright(&["plugin", "push", &component, &tag]));
    assert_eq!(again["reference"], pinned.as_str());

    // The operator trusts acme, refuses everything else, and keeps what the registry has.
    let server = operator(&vendor);
    let digest = pushed["component"].as_str().expect("a digest");
    let kept = json_of(&server.wright(&["plugin", "install", &pinned, "--format", "json"]));
    assert_eq!(kept["digest"], digest);
    assert_eq!(kept["provenance"]["signed"]["by"], "acme");
    let pack = pack(&format!("digest: {digest}"), None);
    said(&installed(&server, &pack));

    // It routes, the record's history names its digest, and the audit who signed it and what it may.
    let ada = server.client("ada", "agent");
    let note = ada
        .create("note", "write", json!({ "summary": "By acme" }))
        .await;
    assert_eq!(note.body["team"], "writers");
    let history = ada.history(&note.id()).await;
    let decisions = history[0]["decisions"].as_array().expect("decisions");
    let asked = decisions.iter().find(|it| it["binding"] == "acme-router");
    assert_eq!(asked.expect("it was asked")["component"], digest);
    let changes = json_of(&server.wright(&["pack", "history", "--format", "json"]));
    let change = changes["changes"].as_array().and_then(|all| all.last());
    let bound = &change.expect("a change")["bindings"][0];
    assert_eq!(bound["binding"], "acme-router");
    assert_eq!(bound["component"], digest);
    assert_eq!(bound["provenance"]["signed"]["by"], "acme");
    assert_eq!(
        bound["grants"]["directory"],
        json!({ "team": true, "service": true })
    );
    let shipped = &changes["changes"][0]["bindings"][0];
    assert_eq!(shipped["provenance"], "shipped");
    let listed = server.wright(&["plugin", "list"]);
    assert!(said(&listed).contains("signed by acme"));
    let inspected = vendor.wright(&["plugin", "inspect", &component, "--signers", "trusted"]);
    let inspected = json_of(&inspected);
    assert_eq!(inspected["vouched"], "signed by acme");
    assert_eq!(inspected["metadata"]["version"], "0.1.0");
    assert_eq!(inspected["metadata"]["licenses"], "Apache-2.0");
    said(&server.wright(&["verify"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_comes_into_use_that_nobody_trusted_signed() {
    let Some(registry) = Registry::start() else {
        return;
    };
    let vendor = Vendor::new();
    let server = operator(&vendor);
    let good = vendor.component("good", "1.0.0");
    vendor.signs(&good, "acme");

    // A pack that brings a component without a signature, with a stranger's, with one of another
    // component, and in the end with the right one.
    let bad = vendor.component("bad", "6.6.6");
    let refusals = [
        (
            None,
            "is not signed, and only what is signed by acme is used here",
        ),
        (Some("stranger"), "which is not trusted"),
        (Some("acme"), "one of them was changed since"),
    ];
    for (signer, says) in refusals {
        let brought = pack("file: acme-router.wasm", Some(&vendor.path(&bad)));
        let beside = brought
            .path()
            .join("plugins/acme-router.wasm.sigstore.json");
        match signer {
            Some("acme") => {
                fs::copy(vendor.path(&format!("{good}.sigstore.json")), beside).expect("copied");
            }
            Some(stranger) => {
                vendor.signs(&bad, stranger);
                fs::copy(vendor.path(&format!("{bad}.sigstore.json")), beside).expect("copied");
            }
            None => {}
        }
        refused_as_told(&installed(&server, &brought), says);
    }
    let brought = pack("file: acme-router.wasm", Some(&vendor.path(&good)));
    let beside = brought
        .path()
        .join("plugins/acme-router.wasm.sigstore.json");
    fs::copy(vendor.path(&format!("{good}.sigstore.json")), beside).expect("copied");
    said(&installed(&server, &brought));

    tried_only_where_signed(&vendor, &server, &bad);

    // A byte changed on the way.
    let mut tampered = vendor.bytes(&good);
    *tampered.last_mut().expect("a byte") ^= 1;
    fs::write(vendor.path("tampered.wasm"), &tampered).expect("written");
    fs::copy(
        vendor.path(&format!("{good}.sigstore.json")),
        vendor.path("tampered.wasm.sigstore.json"),
    )
    .expect("copied");
    let file = vendor.path("tampered.wasm");
    let file = file.to_str().expect("a path");
    let kept = server.wright(&["plugin", "install", file]);
    refused(&kept, "one of them was changed since");

    // A tag that was moved after the component had been signed: what was meant is had by its digest,
    // and what the tag names now is not used.
    let tag = format!("{}/acme/router:1.0.0", registry.host);
    let pushed = json_of(&vendor.wright(&["plugin", "push", &good, &tag]));
    let pinned = pushed["reference"].as_str().expect("a reference");
    let manifest = pinned.rsplit_once('@').expect("a digest").1;
    fs::remove_file(vendor.path(&format!("{bad}.sigstore.json"))).expect("removed");
    json_of(&vendor.wright(&["plugin", "push", &bad, &tag]));
    let both = format!("{tag}@{manifest}");
    refused(
        &server.wright(&["plugin", "install", &both]),
        "the tag `1.0.0` names sha256:",
    );
    refused(
        &server.wright(&["plugin", "install", &tag]),
        "is not signed",
    );
    said(&server.wright(&["plugin", "install", pinned]));

    // What is not there, and what is no component.
    let missing = format!("{}/acme/router:9.9.9", registry.host);
    refused(
        &server.wright(&["plugin", "install", &missing]),
        "no such repository, tag or digest",
    );
    let nowhere = "127.0.0.1:1/acme/router:1.0.0";
    refused(
        &server.wright(&["plugin", "install", nowhere]),
        "cannot be reached",
    );
    refused(
        &server.wright(&["plugin", "install", "acme-router"]),
        "there is no file",
    );
    fs::write(vendor.path("text.wasm"), "no component").expect("written");
    refused(
        &vendor.wright(&["plugin", "push", "text.wasm", &tag]),
        "not a WebAssembly component",
    );
}

/// A version that is to be tried, or to come back, is held to the same, and the audit tells of it. `bad`
/// is signed by a stranger.
fn tried_only_where_signed(vendor: &Vendor, server: &Server, bad: &str) {
    let canary = |component: &str| server.wright(&["plugin", "canary", "acme-router", component]);
    let file = |name: &str| vendor.path(name).to_str().expect("a path").to_owned();
    let bound = || {
        let changes = json_of(&server.wright(&["pack", "history", "--format", "json"]));
        let change = changes["changes"].as_array().and_then(|all| all.last());
        change.expect("a change")["bindings"][0].clone()
    };
    let before = bound()["component"].clone();
    refused(&canary(&file(bad)), "which is not trusted");

    let better = vendor.component("better", "2.0.0");
    vendor.signs(&better, "acme");
    said(&canary(&file(&better)));
    let tried = bound();
    assert_eq!(tried["binding"], "acme-router");
    assert_ne!(tried["component"], before);
    assert_eq!(tried["provenance"]["signed"]["by"], "acme");
    let digest = tried["component"].as_str().expect("a digest");

    // What was kept counts for no more than its signature does now.
    let (key, away) = (vendor.path("trusted/acme.pub"), vendor.path("away.pub"));
    fs::copy(
        vendor.path("stranger.pub"),
        vendor.path("trusted/other.pub"),
    )
    .expect("copied");
    fs::rename(&key, &away).expect("moved");
    let promote = || server.wright(&["plugin", "promote", "acme-router"]);
    refused(&promote(), &format!("{digest} may not be used"));
    fs::rename(&away, &key).expect("moved");
    fs::remove_file(vendor.path("trusted/other.pub")).expect("removed");
    said(&promote());
    assert_eq!(bound()["component"], digest);
    said(&server.wright(&["plugin", "rollback", "acme-router"]));
    assert_eq!(bound()["component"], before);
    let listed = server.wright(&["plugin", "list"]);
    assert!(said(&listed).contains("signed by acme"));
}

#[test]
fn signatures_and_keys_are_those_of_other_tools_too() {
    if !runs("openssl") {
        return;
    }
    let vendor = Vendor::new();
    let component = vendor.component("acme-router", "1.0.0");
    // OpenSSL checks a signature made here.
    vendor.signs(&component, "acme");
    let bundle = vendor.bytes(&format!("{component}.sigstore.json"));
    let bundle: Json = serde_json::from_slice(&bundle).expect("JSON");
    let signature = bundle["messageSignature"]["signature"]
        .as_str()
        .expect("a signature");
    fs::write(vendor.path("signature.b64"), format!("{signature}\n")).expect("written");
    let run = |arguments: &[&str]| {
        let mut openssl = Command::new("openssl");
        said(&vendor.runs(openssl.args(arguments)))
    };
    run(&[
        "base64",
        "-d",
        "-A",
        "-in",
        "signature.b64",
        "-out",
        "signature",
    ]);
    let checks = [
        "dgst",
        "-sha256",
        "-verify",
        "acme.pub",
        "-signature",
        "signature",
    ];
    assert!(run(&[&checks[..], &[&component]].concat()).contains("Verified OK"));

    // A key and a signature of OpenSSL's, in the bundle that cosign writes, are checked here.
    run(&[
        "ecparam",
        "-name",
        "prime256v1",
        "-genkey",
        "-noout",
        "-out",
        "sec1.key",
    ]);
    run(&[
        "pkcs8",
        "-topk8",
        "-nocrypt",
        "-in",
        "sec1.key",
        "-out",
        "openssl.key",
    ]);
    run(&[
        "pkey",
        "-in",
        "openssl.key",
        "-pubout",
        "-out",
        "openssl.pub",
    ]);
    run(&[
        "dgst",
        "-sha256",
        "-sign",
        "openssl.key",
        "-out",
        "theirs",
        &component,
    ]);
    run(&["base64", "-A", "-in", "theirs", "-out", "theirs.b64"]);
    let theirs = String::from_utf8(vendor.bytes("theirs.b64")).expect("base64");
    let mut signed = bundle;
    signed["messageSignature"]["signature"] = json!(theirs.trim());
    signed["verificationMaterial"] =
        json!({ "publicKey": { "hint": "a key of theirs" }, "tlogEntries": [] });
    let beside = vendor.path(&format!("{component}.sigstore.json"));
    fs::write(beside, signed.to_string()).expect("written");
    said(&vendor.wright(&["plugin", "verify", &component, "--key", "openssl.pub"]));
    refused(
        &vendor.wright(&["plugin", "verify", &component, "--key", "acme.pub"]),
        "was not made with the key",
    );
    // Its private key signs here, once it is its owner's alone.
    let sign = ["plugin", "sign", &component, "--key", "openssl.key"];
    private(&vendor.path("openssl.key"), 0o644);
    refused(&vendor.wright(&sign), "chmod 600");
    private(&vendor.path("openssl.key"), 0o600);
    said(&vendor.wright(&sign));
    said(&vendor.wright(&["plugin", "verify", &component, "--key", "openssl.pub"]));
}

/// A vendor's folder, with keys of theirs and of a stranger, and the keys that an operator trusts.
struct Vendor(TempDir);

impl Vendor {
    fn new() -> Self {
        let vendor = Self(tempfile::tempdir().expect("a folder"));
        for name in ["acme", "stranger"] {
            said(&vendor.wright(&["plugin", "keygen", name]));
        }
        fs::create_dir(vendor.path("trusted")).expect("a folder");
        fs::copy(vendor.path("acme.pub"), vendor.path("trusted/acme.pub")).expect("copied");
        vendor
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("a file")
    }

    /// A router that does not ship: the one that does, with a mark of its own.
    fn component(&self, name: &str, mark: &str) -> String {
        let shipped = plugin_case("hostile");
        let shipped = shipped.with_file_name("../plugins/skills-router.wasm");
        let shipped = fs::read(&shipped)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", shipped.display()));
        let section = ["mark", mark].concat();
        let length = |text: &str| u8::try_from(text.len()).expect("a short text");
        let head = [0, 1 + length(&section), length("mark")];
        let component = [&shipped, &head[..], section.as_bytes()].concat();
        let name = format!("{name}.wasm");
        fs::write(self.path(&name), component).expect("written");
        name
    }

    fn signs(&self, component: &str, key: &str) {
        let key = format!("{key}.key");
        said(&self.wright(&["plugin", "sign", component, "--key", &key]));
    }

    fn wright(&self, arguments: &[&str]) -> Output {
        self.runs(
            Command::new(binary())
                .args(["--format", "json"])
                .args(arguments),
        )
    }

    fn runs(&self, command: &mut Command) -> Output {
        command
            .current_dir(self.0.path())
            // Nobody's credentials are looked for.
            .env("DOCKER_CONFIG", self.0.path())
            .env("WRIGHT_PASSPHRASE", PASSPHRASE)
            .stdin(Stdio::null())
            .output()
            .expect("it runs")
    }
}

/// A server whose operator trusts acme alone.
fn operator(vendor: &Vendor) -> Server {
    let trusted = vendor.path("trusted");
    let trusted = trusted.to_str().expect("a path");
    Setup::new()
        .arguments(&["--signers", trusted, "--unsigned", "refuse"])
        .start()
}

/// A pack whose notes are routed by the component that is named like this, perhaps brought by it.
fn pack(component: &str, file: Option<&Path>) -> TempDir {
    let binding = format!(
        "apiVersion: servicewright/v1
kind: Plugin
id: acme-router
title: Router of acme
component: {{ {component} }}
hooks: {{ routing: true }}
settings: {{ default_team: writers }}
grants: {{ directory: {{ team: true, service: true }} }}
"
    );
    packs::routed_with("acme-router", &binding, file)
}

fn installed(server: &Server, pack: &TempDir) -> Output {
    server.wright(&["pack", "install", pack.path().to_str().expect("a path")])
}

fn said(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json_of(output: &Output) -> Json {
    serde_json::from_str(&said(output)).expect("JSON")
}

fn refused(output: &Output, says: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains(says), "it should say `{says}`: {errors}");
}

/// As above, in words that the page for operators explains.
fn refused_as_told(output: &Output, says: &str) {
    refused(output, says);
    let page = repository().join("docs/plugins/publishing.md");
    let page = fs::read_to_string(page).expect("the page");
    assert!(page.contains(says), "the page should explain `{says}`");
}

fn private(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// Whether a program is there; where it is not, that is said.
fn runs(program: &str) -> bool {
    let mut asked = Command::new(program);
    let asked = asked
        .arg("version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let runs = asked.status().is_ok();
    if !runs {
        eprintln!("skipped: there is no {program} here");
    }
    runs
}

/// A real registry on this machine, on a folder of its own.
struct Registry {
    host: String,
    process: Child,
    _folder: TempDir,
}

impl Registry {
    /// Starts one; none where the program is not installed, which is said.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let host = free.local_addr().expect("an address").to_string();
        drop(free);
        let config = folder.path().join("config.yml");
        let root = folder.path().join("data");
        let settings = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: \"{host}\" }}\n",
            root.display()
        );
        fs::write(&config, settings).expect("written");
        let started = PROGRAMS.iter().find_map(|program| {
            let mut registry = Command::new(program);
            registry.arg("serve").arg(&config);
            let quiet = registry.stdin(Stdio::null()).stdout(Stdio::null());
            quiet.stderr(Stdio::null()).spawn().ok()
        });
        let Some(process) = started else {
            eprintln!("skipped: no registry is installed (Debian's package docker-registry)");
            return None;
        };
        let mut registry = Self {
            host,
            process,
            _folder: folder,
        };
        registry.wait();
        Some(registry)
    }

    fn wait(&mut self) {
        let begun = Instant::now();
        while !self.answers() {
            let ended = self.process.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "the registry ended: {ended:?}");
            assert!(begun.elapsed() < READY, "the registry does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(&self.host) else {
            return false;
        };
        let asked = b"GET /v2/ HTTP/1.0\r\n\r\n";
        let mut answer = String::new();
        stream.write_all(asked).is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.contains(" 200 ")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
