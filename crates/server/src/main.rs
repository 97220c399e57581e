//! The binary `wright`.
fn main() {}
