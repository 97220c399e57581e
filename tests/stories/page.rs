//! Pages of `docs/plugins`, taken at their word: the binding that a story runs by is the one that the
//! page shows.

use tempfile::TempDir;
use test_support::{Server, repository};

/// The blocks of a page in this language, without what they are indented by.
pub(crate) fn blocks(page: &str, language: &str) -> Vec<String> {
    let file = repository().join(format!("docs/plugins/{page}.md"));
    let text = std::fs::read_to_string(&file).expect("the page");
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() != format!("```{language}") {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let inside = lines.by_ref().take_while(|line| line.trim() != "```");
        let inside = inside.map(|line| line.get(indent..).unwrap_or_default());
        blocks.push(inside.fold(String::new(), |block, line| block + line + "\n"));
    }
    blocks
}

/// Installs a pack on top of the shipped one with the binding that a page shows first, in which some
/// texts are others. Each of these has to be there.
pub(crate) fn install(server: &Server, page: &str, others: &[(&str, &str)]) {
    let mut binding = blocks(page, "yaml").remove(0);
    for (text, other) in others {
        assert!(binding.contains(text), "the page has no `{text}`");
        binding = binding.replace(text, other);
    }
    let folder = pack(page, &binding);
    let path = folder.path().to_str().expect("a path of text");
    let installed = server.wright(&["pack", "install", path]);
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{said}");
}

/// A pack with one binding, that extends what the example extends.
fn pack(id: &str, binding: &str) -> TempDir {
    let example = repository().join("examples/monitoring/pack.yaml");
    let pack = std::fs::read_to_string(example).expect("the example");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("plugins")).expect("a folder");
    let pack = pack.replace("id: monitoring", &format!("id: {id}"));
    std::fs::write(folder.path().join("pack.yaml"), pack).expect("written");
    let file = folder.path().join(format!("plugins/{id}.yaml"));
    std::fs::write(file, binding).expect("written");
    folder
}
