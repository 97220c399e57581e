//! The Plugins port on wasmtime: load, grant, limit, call.
