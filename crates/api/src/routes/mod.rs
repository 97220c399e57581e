//! The table of routes: what exists, who may come to it, and what goes in and out. The router and
//! the OpenAPI document are both made from it.

mod change_calendar;
mod definitions;
mod digests;
mod directory;
mod effects;
mod events;
mod health;
mod hooks;
mod inbox;
mod me;
mod on_call;
mod on_call_files;
mod records;
mod steps;
mod vote_links;

use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder, Schema};
use utoipa::{IntoParams, ToSchema};

use crate::{Api, Code};

/// Who may come to a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anyone: whether the server lives is no secret.
    Anyone,
    /// Anyone; a plugin's binding finds out who it is.
    Binding,
    /// Anyone; a signed link says who it is.
    Link,
    /// Who brings a valid token.
    Token,
}

/// One method at one address.
pub(crate) struct Route {
    method: HttpMethod,
    path: &'static str,
    also_at: &'static [&'static str],
    access: Access,
    handler: MethodRouter<Api>,
    operation: OperationBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
    refusals: Vec<Code>,
}

/// Every route.
pub(crate) fn all() -> Vec<Route> {
    let mut routes = records::routes();
    routes.extend(steps::routes());
    routes.extend(definitions::routes());
    routes.extend(directory::routes());
    routes.extend(on_call::routes());
    routes.extend(on_call_files::routes());
    routes.extend(change_calendar::routes());
    routes.extend(digests::routes());
    routes.extend(effects::routes());
    routes.extend(events::routes());
    routes.extend(inbox::routes());
    routes.extend(me::routes());
    routes.extend(hooks::routes());
    routes.extend(vote_links::routes());
    routes.extend(health::routes());
    routes
}

impl Route {
    fn new<H, T>(method: HttpMethod, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        let filter = match method {
            HttpMethod::Get => MethodFilter::GET,
            HttpMethod::Post => MethodFilter::POST,
            HttpMethod::Put => MethodFilter::PUT,
            HttpMethod::Patch => MethodFilter::PATCH,
            _ => MethodFilter::DELETE,
        };
        let mut operation = OperationBuilder::new();
        for name in path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        {
            let parameter = ParameterBuilder::new()
                .name(name.trim_start_matches('*'))
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
            operation = operation.parameter(parameter);
        }
        Self {
            method,
            path,
            also_at: &[],
            access: Access::Token,
            handler: on(filter, handler),
            operation,
            schemas: Vec::new(),
            refusals: vec![],
        }
    }

    /// Its name in clients that are made from the document, the group it belongs to, and what it does.
    fn named(mut self, id: &str, group: &str, summary: &str) -> Self {
        self.operation = self
            .operation
            .operation_id(Some(id))
            .tag(group)
            .summary(Some(summary));
        self
    }

    /// Open to others than who brings a token.
    fn open_to(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Found at these addresses too.
    fn also_at(mut self, paths: &'static [&'static str]) -> Self {
        self.also_at = paths;
        self
    }

    /// Takes these parameters in the query.
    fn query<T: IntoParams>(mut self) -> Self {
        self.operation = self
            .operation
            .parameters(Some(T::into_params(|| Some(ParameterIn::Query))));
        self.refusals.push(Code::Malformed);
        self
    }

    /// Takes a header.
    fn header(mut self, name: &str, description: &str) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .description(Some(description))
            .required(Required::False)
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
        self.operation = self.operation.parameter(parameter);
        self
    }

    /// Takes a body.
    fn takes<T: ToSchema>(mut self) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(self.schema::<T>()))
            .build();
        let mut body = RequestBodyBuilder::new().required(Some(Required::True));
        if self.method == HttpMethod::Patch {
            body = body.content("application/merge-patch+json", content.clone());
        }
        let body = body.content("application/json", content);
        self.operation = self.operation.request_body(Some(body.build()));
        self.refusals.extend([
            Code::Malformed,
            Code::TooLarge,
            Code::MediaType,
            Code::Invalid,
        ]);
        self
    }

    /// Takes a body of a type other than JSON.
    fn takes_as<T: ToSchema>(mut self, kind: &str) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(self.schema::<T>()))
            .build();
        let body = RequestBodyBuilder::new()
            .required(Some(Required::True))
            .content(kind, content);
        self.operation = self.operation.request_body(Some(body.build()));
        self.refusals.extend([
            Code::Malformed,
            Code::TooLarge,
            Code::MediaType,
            Code::Invalid,
        ]);
        self
    }

    /// Takes a form, and tells on a page what is wrong with it.
    fn takes_form<T: ToSchema>(mut self, kind: &str) -> Self {
        let refusals = self.refusals.clone();
        self = self.takes_as::<T>(kind);
        self.refusals = refusals;
        self
    }

    /// Changes a record: once under a key, and if the record is of the version that was meant.
    fn changes_record(self) -> Self {
        let mut route = self.once().spoken().header(
            "If-Match",
            "The `ETag` of the version that the change is meant for. Without it, whatever the version is.",
        );
        route.refusals.extend([
            Code::Forbidden,
            Code::NotFound,
            Code::Version,
            Code::NotPossible,
        ]);
        route.answers_tagged(StatusCode::OK, "The record after the change.")
    }

    /// Is carried out once for each idempotency key.
    fn once(self) -> Self {
        let mut route = self.header(
            "Idempotency-Key",
            "A text of the client's choice. The same key with the same request gives the same answer; with another it is refused.",
        );
        route.refusals.push(Code::Idempotency);
        route
    }

    /// What it tells people is told in their language.
    fn spoken(self) -> Self {
        self.header(
            "Accept-Language",
            "The languages in which texts for people are told, such as `fr-BE, en;q=0.5`: titles, labels, why a step is refused. \
             The best liked of which there is a translation. Without it, the `language` of the user in the directory; else the pack's own.",
        )
    }

    /// Answers with a record and its tag.
    fn answers_tagged(mut self, status: StatusCode, description: &str) -> Self {
        let tag = HeaderBuilder::new()
            .description(Some("The version of the record, such as `\"v7\"`."))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
        let content =
            ContentBuilder::new().schema(Some(self.schema::<crate::wire::record::Record<'_>>()));
        let mut response = ResponseBuilder::new()
            .description(description)
            .header("ETag", tag.build())
            .content("application/json", content.build());
        if status == StatusCode::CREATED {
            let location = HeaderBuilder::new()
                .description(Some("The address of the record."))
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
            response = response.header("Location", location.build());
        }
        self.operation = self
            .operation
            .response(status.as_u16().to_string(), response);
        self
    }

    /// Answers with a body.
    fn answers<T: ToSchema>(self, status: StatusCode, description: &str) -> Self {
        self.answers_as::<T>(status, "application/json", description)
    }

    /// Answers with a body of a type other than JSON.
    fn answers_as<T: ToSchema>(
        mut self,
        status: StatusCode,
        kind: &str,
        description: &str,
    ) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(self.schema::<T>()))
            .build();
        let response = ResponseBuilder::new()
            .description(description)
            .content(kind, content);
        self.operation = self
            .operation
            .response(status.as_u16().to_string(), response);
        self
    }

    /// Answers without a body.
    fn answers_empty(mut self, status: StatusCode, description: &str) -> Self {
        let response = ResponseBuilder::new().description(description);
        self.operation = self
            .operation
            .response(status.as_u16().to_string(), response);
        self
    }

    /// Refuses with these codes, beside those that every route may answer.
    fn refuses(mut self, codes: &[Code]) -> Self {
        self.refusals.extend(codes);
        self
    }

    /// A reference to the schema of `T`, which is kept.
    fn schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name();
        self.schemas.push((name.to_string(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(name).into()
    }

    /// The addresses that it is found at.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.path).chain(self.also_at.iter().copied())
    }

    /// The address that it is documented at.
    pub(crate) const fn path(&self) -> &'static str {
        self.path
    }

    /// Who may come to it.
    pub(crate) const fn access(&self) -> Access {
        self.access
    }

    /// What answers.
    pub(crate) fn handler(&self) -> MethodRouter<Api> {
        self.handler.clone()
    }

    /// Its method, what the document says of it, and the schemas that this names.
    pub(crate) fn documented(self) -> (HttpMethod, Operation, Vec<(String, RefOr<Schema>)>) {
        let mut refusals = self.refusals;
        match self.access {
            // What a link refuses is told on a page.
            Access::Anyone | Access::Link => {}
            Access::Binding => refusals.extend([Code::TooManyRequests, Code::Unavailable]),
            Access::Token => {
                refusals.extend([
                    Code::Unauthenticated,
                    Code::TooManyRequests,
                    Code::Unavailable,
                ]);
            }
        }
        refusals.sort_unstable();
        refusals.dedup();
        let mut operation = self.operation;
        for together in refusals.chunk_by(|one, other| one.status() == other.status()) {
            let codes: Vec<_> = together
                .iter()
                .map(|code| format!("`{}`", code.as_str()))
                .collect();
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem")));
            let response = ResponseBuilder::new()
                .description(codes.join(", "))
                .content("application/problem+json", content.build());
            operation = operation.response(together[0].status().as_u16().to_string(), response);
        }
        let mut operation = operation.build();
        if self.access != Access::Token {
            operation.security = Some(vec![]);
        }
        (self.method, operation, self.schemas)
    }

    #[cfg(test)]
    pub(crate) fn method(&self) -> http::Method {
        match self.method {
            HttpMethod::Get => http::Method::GET,
            HttpMethod::Post => http::Method::POST,
            HttpMethod::Put => http::Method::PUT,
            HttpMethod::Patch => http::Method::PATCH,
            _ => http::Method::DELETE,
        }
    }
}

/// An answer of JSON.
fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let text = serde_json::to_vec(body).expect("wire types have text for keys and finite numbers");
    let mut response = (status, text).into_response();
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
