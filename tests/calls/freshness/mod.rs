//! Values past their time to live, or near its end: who is served them, who replaces them, and who
//! wins against that.

mod early;
mod fixture;
mod if_error;
mod kept;
mod processes;
mod remembered;
mod revalidate;
mod shutdown;
