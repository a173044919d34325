//! Calls of annotated functions on a store that works: reads and writes, of one entry and of many,
//! by many callers and several processes, what they send, and what is counted of them.

mod alias;
mod batch;
mod budgets;
mod commands;
mod exported;
mod freshness;
mod limits;
mod measured;
mod namespaces;
mod observer;
mod outcome;
mod outcomes;
mod protocol;
mod stampede;
mod stats;
mod told;
