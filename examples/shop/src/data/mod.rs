//! The functions that touch the database, each with the strategy that fits it. Only these are
//! cached, and not the handlers: a response has a status and headers too.
//!
//! | file | strategy |
//! |---|---|
//! | `products.rs` | cache-aside with `lock`, remembered absence, a batch that shares the entries |
//! | `lists.rs` | lists as ids, under tags from their parameters, and the rows by the batch |
//! | `search.rs` | tags that only the result can tell |
//! | `users.rs` | a second way to the same row |
//! | `carts.rs` | write-through |
//! | `orders.rs` | several writes in one transaction, invalidated after the commit |
//! | `views.rs` | write-behind, counted exactly once |
//! | `report.rs` | stale while it is made anew |

pub(crate) mod carts;
pub(crate) mod lists;
pub(crate) mod orders;
pub(crate) mod pool;
pub(crate) mod products;
pub(crate) mod report;
pub(crate) mod search;
pub(crate) mod seed;
pub(crate) mod users;
pub(crate) mod views;
