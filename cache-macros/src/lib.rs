//! The attribute macros of `cache-runtime`.
