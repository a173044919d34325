//! Read-through caching.
