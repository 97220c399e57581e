//! Items of the catalogue: who is offered each, and its workflow.

use std::sync::Arc;

use model::id::CatalogueItemId;

use super::compiler::Compiler;
use super::definitions::InstallableItem;
use super::fault::Fault;
use super::names::Names;
use super::scope::offer;
use super::types::CatalogueItem;
use super::workflow::workflow;
use crate::overlay::DefinitionKind;

/// Compiles an item of the catalogue. What is wrong with its workflow is told of the item.
pub(super) fn catalogue_item(
    id: &CatalogueItemId,
    source: &InstallableItem,
    zone: chrono_tz::Tz,
    names: &Names,
) -> Result<CatalogueItem, Vec<Fault>> {
    let said = &source.item.definition;
    let mut compiler = Compiler::new(DefinitionKind::CatalogueItem, id.as_str(), names);
    let offer = said
        .offer
        .as_ref()
        .map(|cel| compiler.condition(&["offer"], cel, &offer(names)));
    let compiled = workflow(
        &said.of,
        source.digest,
        &source.item.pack,
        zone,
        &source.workflow,
        names,
    );
    let workflow = match compiled {
        Ok(workflow) => workflow,
        Err(faults) => {
            let of_item = |mut fault: Fault| {
                fault.kind = DefinitionKind::CatalogueItem;
                fault.id = id.to_string();
                fault
            };
            return Err(faults.into_iter().map(of_item).collect());
        }
    };
    compiler.into_result(Some(CatalogueItem {
        id: id.clone(),
        title: said.title.clone(),
        description: said.description.clone(),
        group: said.group.clone(),
        offer: offer.flatten(),
        workflow: Arc::new(workflow),
    }))
}
