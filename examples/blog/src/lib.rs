//! What the service, its load generator and its tests share; `main.rs` says what it is.

mod database;
mod global;
mod http;
mod rows;
mod seed;
mod serve;
mod sql;
mod told;
mod variant;

pub mod types;

pub use database::{Scratch, Settings};
pub use seed::Size;
pub use serve::{BoxError, Options, serve, serve_as_child};
pub use variant::{VARIANTS, Variant};

#[cfg(test)]
mod tests {
    #[test]
    fn the_keys_of_all_variants_go_together() {
        cache_runtime::catalog::assert_catalog_consistent();
    }
}
