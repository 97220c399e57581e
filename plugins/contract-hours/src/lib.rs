//! The contract-hours plugin.
