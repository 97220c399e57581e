//! HTTP: routes, wire types, tokens, errors as problem+json, the OpenAPI document.
