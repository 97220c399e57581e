//! The bindings that pages of the documentation show, put to use as a reader would: what a page says is
//! what the story runs.

use tempfile::TempDir;
use test_support::{Server, repository};

/// The binding of this id on its page below `docs/plugins`, as it stands there.
pub(crate) fn binding(id: &str) -> String {
    let path = repository().join(format!("docs/plugins/{id}.md"));
    let page = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let mut blocks = page.split("```yaml\n").skip(1);
    let named = format!("\nid: {id}\n");
    let block = blocks.find(|block| block.contains("kind: Plugin") && block.contains(&named));
    let block = block.and_then(|block| block.split_once("\n```"));
    let (block, _) = block.unwrap_or_else(|| panic!("{} has no binding", path.display()));
    format!("{block}\n")
}

/// Installs a pack of the shipped one and this binding.
pub(crate) fn install(server: &Server, id: &str, binding: &str) {
    let pack = pack(id, binding);
    let folder = pack.path().to_str().expect("a path of text");
    let installed = server.wright(&["pack", "install", folder]);
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{said}");
}

fn pack(id: &str, binding: &str) -> TempDir {
    let example = repository().join("examples/monitoring/pack.yaml");
    let header = std::fs::read_to_string(example).expect("the example");
    let header = header.replace("id: monitoring", &format!("id: {id}"));
    let folder = tempfile::tempdir().expect("a folder");
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins).expect("a folder");
    std::fs::write(folder.path().join("pack.yaml"), header).expect("written");
    std::fs::write(plugins.join(format!("{id}.yaml")), binding).expect("written");
    folder
}
