//! The dashboard in a browser.

mod chromium;
mod page;
