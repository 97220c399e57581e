//! The change-advisory plugin.
