//! `wright pack show --format graph` and `--format svg`: a workflow as a graph.

use anyhow::{Result, bail};
use definition::graph::Graph;
use definition::pack::Pack;
use definition::source::nearest;
use model::definition::Workflow;
use model::id::WorkflowId;

use super::install::files;
use super::{Outcome, print};
use crate::cli::Format;

pub(super) fn run(id: &str, pack: &str, format: Format) -> Result<Outcome> {
    let pack = Pack::read(&files(pack)?.texts)?;
    let graph = Graph::of(workflow(&pack, id)?);
    let text = match format {
        Format::Svg => graph.svg()?,
        _ => graph.mermaid(),
    };
    print(format, &(), || text)?;
    Ok(Outcome::Done)
}

/// The workflow of this id, or that of an item of the catalogue.
fn workflow<'p>(pack: &'p Pack, id: &str) -> Result<&'p Workflow> {
    if let Some(workflow) = pack.workflows.get(id) {
        return Ok(&workflow.value);
    }
    if let Some(item) = pack.catalogue.get(id) {
        return Ok(&item.workflow.value);
    }
    if pack.trees().any(|(_, of, _)| of == id) {
        bail!("`{id}` is no workflow, and only workflows are drawn; leave --format out");
    }
    let near = nearest(id, pack.workflows.keys().map(WorkflowId::as_str));
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    bail!("the pack {} has no workflow `{id}`{near}", pack.id)
}

#[cfg(test)]
mod tests {
    use definition::pack::Pack;

    use super::workflow;
    use crate::pack_files::PackFiles;

    #[test]
    fn only_workflows_are_drawn() {
        let files = PackFiles::shipped("itil").expect("shipped");
        let pack = Pack::read(&files.texts).expect("the pack reads");
        assert_eq!(workflow(&pack, "incident").expect("one").number, "INC");
        let team = workflow(&pack, "network").expect_err("a team");
        assert!(team.to_string().contains("no workflow"), "{team}");
        let unknown = workflow(&pack, "incidnet").expect_err("misspelt");
        assert!(
            unknown.to_string().contains("did you mean `incident`?"),
            "{unknown}"
        );
    }
}
