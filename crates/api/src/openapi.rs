//! The OpenAPI document, made from the table of routes.

use std::collections::BTreeMap;

use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem, RefOr,
    Schema, SecurityRequirement,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::problem::ProblemBody;
use crate::routes;

/// The OpenAPI 3.1 document of this interface, as JSON with a line break at its end.
pub fn document() -> String {
    let text = built()
        .to_pretty_json()
        .expect("the document is plain data");
    text + "\n"
}

fn built() -> OpenApi {
    let mut paths = PathsBuilder::new();
    let mut schemas: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
    schemas.insert(ProblemBody::name().into(), ProblemBody::schema());
    let mut named = Vec::new();
    ProblemBody::schemas(&mut named);
    for route in routes::all() {
        let path = route.path().replace("{*", "{");
        let (method, operation, schemas) = route.documented();
        paths = paths.path(path, PathItem::new(method, operation));
        named.extend(schemas);
    }
    schemas.extend(named);
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token as `wright token create` prints it."));
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme("token", SecurityScheme::Http(token.build()));
    let info = InfoBuilder::new()
        .title("Servicewright")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Records of ITIL practices, run by definitions and decided by plugins. Refusals are described in docs/errors.md; \
             beside those that it names, an operation may answer `internal`, `overloaded` and `timeout`.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()));
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths)
        .components(Some(components.build()))
        .security(Some([SecurityRequirement::new(
            "token",
            Vec::<String>::new(),
        )]))
        .build()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::document;

    /// Compares a committed file with what it should hold; writes it where `UPDATE_OPENAPI` is set.
    pub(crate) fn check_file(path: &str, expected: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(path);
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(&file, expected).expect("the file can be written");
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            found == expected,
            "{path} is out of date: run UPDATE_OPENAPI=1 cargo test -p servicewright-api"
        );
    }

    #[test]
    fn the_document_is_up_to_date() {
        check_file("docs/openapi.json", &document());
    }

    #[test]
    fn every_reference_in_the_document_leads_somewhere() {
        let document: Value = serde_json::from_str(&document()).expect("the document is JSON");
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(references.len() > 50, "the document refers to its schemas");
        for reference in references {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let document: Value = serde_json::from_str(&document()).expect("the document is JSON");
        let paths = document["paths"].as_object().expect("paths are an object");
        let operations = paths
            .values()
            .flat_map(|path| path.as_object().expect("a path is an object").values());
        let mut ids: Vec<_> = operations
            .map(|operation| operation["operationId"].as_str())
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        assert!(!ids.contains(&None));
    }

    #[test]
    fn what_is_told_in_the_readers_language_names_the_header() {
        let document: Value = serde_json::from_str(&document()).expect("the document is JSON");
        let paths = document["paths"].as_object().expect("paths are an object");
        let operations = paths
            .values()
            .flat_map(|path| path.as_object().expect("a path is an object").values());
        let takes = |operation: &&Value| {
            let mut parameters = operation["parameters"].as_array().into_iter().flatten();
            parameters.any(|it| it["name"] == "Accept-Language" && it["in"] == "header")
        };
        let spoken = operations.filter(takes);
        let mut ids: Vec<_> = spoken
            .filter_map(|operation| operation["operationId"].as_str())
            .collect();
        ids.sort_unstable();
        expect_test::expect![[r#"
            [
                "addComment",
                "addLink",
                "askInformation",
                "createRecord",
                "listCatalogue",
                "listTransitions",
                "readWorkflow",
                "reassignVote",
                "recallVote",
                "takeTransition",
                "updateRecord",
                "vote",
                "watch",
            ]
        "#]]
        .assert_debug_eq(&ids);
    }

    fn collect<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                references.extend(members.get("$ref").and_then(Value::as_str));
                members
                    .values()
                    .for_each(|value| collect(value, references));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
            _ => {}
        }
    }
}
