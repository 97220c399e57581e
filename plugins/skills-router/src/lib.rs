//! The skills-router plugin.
