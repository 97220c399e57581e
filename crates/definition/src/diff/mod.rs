//! What differs between two packs, by path: what `wright pack diff` tells.
