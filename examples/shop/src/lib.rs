//! What the service, its load generator and its tests share; `main.rs` says what it is.

mod check;
mod dashboard;
mod data;
mod failure;
mod http;
mod mix;
mod observed;
mod options;
mod serve;
mod shop;
mod stop;
mod traffic;
mod troubles;

pub use check::check;
pub use dashboard::figures::{Function, Outcomes, Store, Waiting};
pub use dashboard::tick::{Latency, Tick, Totals};
pub use data::carts::{Cart, Line};
pub use data::pool::Settings;
pub use data::products::Product;
pub use data::seed::{CATEGORIES, Size};
pub use data::users::User;
pub use mix::Mix;
pub use options::{HELP, Options};
pub use serve::{BoxError, serve};
pub use troubles::Switches;

#[cfg(test)]
mod tests {
    #[test]
    fn the_keys_of_the_shop_go_together() {
        cache_runtime::catalog::assert_catalog_consistent();
    }
}
