//! Asks each endpoint once.

use std::net::SocketAddr;

use visitors::client::{Client, Request};

use crate::serve::BoxError;

/// Prints what each endpoint of the service at `address` answers.
///
/// # Cancel safety
///
/// When dropped, what was asked may still be carried out.
///
/// # Errors
///
/// Of the network, and if the status of an answer is not the one that is due.
pub async fn check(address: SocketAddr) -> Result<(), BoxError> {
    let mut client = Client::connect(address).await?;
    for (request, expected) in requests() {
        let response = client.send(&request).await?;
        println!("{request:40} {:>3} {:>7} bytes", response.status, response.body.len());
        if response.status != expected {
            return Err(format!("{request}: status {expected} was expected").into());
        }
    }
    Ok(())
}

fn requests() -> Vec<(Request, u16)> {
    let get = |path: &str| Request::new("GET", path, None);
    let send = |method, path: &str, body: &str| Request {
        body: body.to_owned(),
        ..Request::new(method, path, None)
    };
    let lamp = r#"{"name":"New lamp","category":"lamps","cents":4900,"stock":3}"#;
    vec![
        (get("/api/front-page"), 200),
        (get("/api/categories/lamps?page=1"), 200),
        (get("/api/search?text=oak"), 200),
        (get("/api/products/2001"), 404),
        (send("POST", "/api/products", lamp), 200),
        (get("/api/products/2001"), 200),
        (send("PUT", "/api/products/2001/price", "3900"), 200),
        (send("POST", "/api/products/2001/views", ""), 202),
        (get("/api/products/2001/views"), 200),
        (get("/api/users/7"), 200),
        (get("/api/users?email=User7@example.com"), 200),
        (send("PUT", "/api/users/7/email", "\"seven@example.com\""), 200),
        (send("PUT", "/api/carts/7", r#"{"product":2001,"pieces":2}"#), 200),
        (get("/api/carts/7"), 200),
        (send("POST", "/api/carts/7/order", ""), 200),
        (get("/api/report"), 200),
        (get("/api/explain?key=product:2001"), 200),
        (get("/api/explain"), 400),
        (get("/healthz"), 200),
        (get("/metrics"), 200),
        (get("/"), 200),
        (get("/dashboard/page.css"), 200),
        (get("/dashboard/page.js"), 200),
        (get("/dashboard/ticks"), 200),
        (send("POST", "/troubles/stampede", ""), 200),
    ]
}
