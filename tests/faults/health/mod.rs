//! Why nothing is cached: what the program, the statistics and the log say of a store that cannot
//! be used.

mod causes;
mod endings;
mod first_use;
mod runtimes;
mod undelivered;
