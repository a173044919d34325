//! What the page shows, and what its buttons do.

use std::path::PathBuf;

use cache_testing::barrier::eventually;
use cache_testing::redis::RedisServer;
use serde_json::Value;

use super::chromium::{Browser, Key, View};
use crate::process::{Process, Visitor};

/// Every figure of the page at one moment, with the number of its tick.
const FIGURES: &str = "({
    tick: Number(document.documentElement.dataset.tick),
    figures: [...document.querySelectorAll('data[data-figure]')]
        .map((it) => [it.dataset.figure, it.value, it.textContent, it.dataset.as ?? 'count']),
    rows: [...document.querySelectorAll('#functions tr')]
        .map((row) => [...row.children].map((cell) => cell.textContent)),
})";

async fn open(shop: &Process) -> Browser {
    Browser::open(&format!("http://{}/", shop.address())).await
}

async fn ticks(browser: &mut Browser, many: u64) {
    let shown = "Number(document.documentElement?.dataset.tick ?? 0)";
    eventually!(browser.evaluate(shown).await.as_u64() >= Some(many));
}

#[tokio::test]
async fn the_figures_of_the_page_are_those_of_the_api() {
    let shop = Process::start(&["--traffic", "on"]).await;
    let mut client = shop.client().await;
    let mut browser = open(&shop).await;
    ticks(&mut browser, 5).await;
    let shown = browser.evaluate(FIGURES).await;
    let ticks: Vec<Value> = client.get("/dashboard/ticks").await;
    let tick = ticks.iter().find(|tick| tick["number"] == shown["tick"]).expect("a recent tick");

    let figures = shown["figures"].as_array().unwrap();
    assert!(figures.len() > 25, "{figures:?}");
    for figure in figures {
        let [path, value, text, kind] = [0, 1, 2, 3].map(|at| figure[at].as_str().unwrap());
        let told = match path {
            "found" | "store.breaker" => continue,
            path => path.split('.').fold(tick, |inner, name| &inner[name]),
        };
        assert_eq!(value, told.to_string().replace("null", ""), "{path}");
        if kind == "count" && !told.is_null() {
            assert_eq!(text.replace(',', ""), value, "{path}");
        }
    }
    let rows = shown["rows"].as_array().unwrap();
    let functions = tick["functions"].as_array().unwrap();
    assert_eq!(rows.len(), functions.len());
    for (row, function) in rows.iter().zip(functions) {
        let name = function["name"].as_str().unwrap();
        assert!(name.ends_with(row[0].as_str().unwrap()), "{row}");
        let calls = function["calls"].as_object().unwrap().values();
        let calls: u64 = calls.map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(row[3].as_str().unwrap().replace(',', ""), calls.to_string());
    }
    assert!(tick["totals"]["calls"]["hit"].as_u64() > Some(0), "something was shown");
    assert_eq!(browser.errors(), [""; 0]);
    drop(browser);
    shop.finish().await;
}

/// Reaches a part of the page by the keyboard alone.
async fn reach(browser: &mut Browser, is_there: &str) {
    let mut tabs = 0;
    while browser.evaluate(is_there).await != true {
        browser.press(Key::Tab).await;
        tabs += 1;
        assert!(tabs < 50, "{is_there} is not reached");
    }
    let ring = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.evaluate(ring).await, "solid", "where the keyboard is can be seen");
}

/// Reaches a button, and presses it.
async fn press(browser: &mut Browser, button: &str) {
    reach(browser, &format!("document.activeElement.textContent === '{button}'")).await;
    browser.press(Key::Enter).await;
}

/// Asks for a key, and waits until the page says something else than before.
async fn explain(browser: &mut Browser, key: &str) -> String {
    let said = "document.querySelector('#explain output').textContent";
    let before = browser.evaluate(said).await;
    reach(browser, "document.activeElement.id === 'key'").await;
    browser.evaluate("document.activeElement.select()").await;
    browser.write(key).await;
    browser.press(Key::Enter).await;
    eventually!(browser.evaluate(said).await != before);
    browser.evaluate(said).await.as_str().unwrap().to_owned()
}

/// What a button says of its result.
async fn said(browser: &mut Browser, button: &str) -> String {
    let output = format!(
        "[...document.querySelectorAll('button')].find((it) => it.textContent === '{button}')\
            .parentElement.querySelector('output').textContent"
    );
    browser.evaluate(&output).await.as_str().unwrap().to_owned()
}

async fn switched(client: &mut Visitor, name: &str, on: bool) {
    eventually!(serde_json::to_value(client.tick().await.switches).unwrap()[name] == on);
}

#[tokio::test]
async fn each_button_does_what_it_says() {
    let server = RedisServer::start().await;
    let shop = Process::with(&server.url(), &[]).await;
    let mut client = shop.client().await;
    let mut browser = open(&shop).await;
    ticks(&mut browser, 1).await;

    press(&mut browser, "Stampede").await;
    eventually!(said(&mut browser, "Stampede").await.starts_with("1,000 answers from "));
    press(&mut browser, "Invalidation storm").await;
    eventually!(said(&mut browser, "Invalidation storm").await.starts_with("20,090 invalidations"));
    press(&mut browser, "Slow database").await;
    switched(&mut client, "slow_database", true).await;
    press(&mut browser, "Slow database").await;
    switched(&mut client, "slow_database", false).await;

    // So that somebody notices the outage.
    press(&mut browser, "Traffic").await;
    switched(&mut client, "traffic", true).await;
    press(&mut browser, "Redis outage").await;
    switched(&mut client, "outage", true).await;
    let store = "document.getElementById('store').textContent";
    eventually!(browser.evaluate(store).await == "Redis: breaker open");
    let pressed = "document.activeElement.ariaPressed";
    assert_eq!(browser.evaluate(pressed).await, "true");
    press(&mut browser, "Redis outage").await;
    switched(&mut client, "outage", false).await;
    eventually!(browser.evaluate(store).await == "Redis: breaker closed");
    assert_eq!(client.tick().await.totals.failed, 0);
    assert_eq!(browser.errors(), [""; 0]);
    drop(browser);
    shop.finish().await;
}

#[tokio::test]
async fn a_key_is_explained_as_by_the_api() {
    let server = RedisServer::start().await;
    let shop = Process::with(&server.url(), &[]).await;
    let mut client = shop.client().await;
    let mut browser = open(&shop).await;
    ticks(&mut browser, 1).await;
    assert!(explain(&mut browser, "product:7").await.starts_with("`product:7` holds nothing."));

    assert_eq!(client.status("GET", "/api/products/7", "").await, 200);
    let sentence = explain(&mut browser, "product:7").await;
    let fields = "[...document.querySelectorAll('#explain data')]
        .map((it) => [it.dataset.field, it.value, it.textContent])";
    let shown = browser.evaluate(fields).await;
    let told: Value = client.get("/api/explain?key=product:7").await;
    let until = |text: &str| text.split(", stored ").next().map(str::to_owned);
    assert_eq!(until(&sentence), until(told["sentence"].as_str().unwrap()));
    assert!(sentence.contains("This process last missed it "), "{sentence}");
    let shown = shown.as_array().unwrap();
    assert!(shown.len() >= 12, "{shown:?}");
    for field in shown {
        let [path, value, text] = [0, 1, 2].map(|at| field[at].as_str().unwrap());
        let told = path.split('.').fold(&told, |inner, name| &inner[name]);
        let ms = |value: &str| value.parse::<u64>().unwrap();
        assert!(!told.is_null() && !text.is_empty(), "{field}");
        match path {
            "age_ms" | "last_miss.ago_ms" => assert!(ms(value) <= told.as_u64().unwrap()),
            "fresh_ms" | "left_ms" => assert!(ms(value) >= told.as_u64().unwrap()),
            // The function and the reason are shown; when that was is a field of its own.
            "last_miss" => assert_eq!(text, told["missed"].as_str().unwrap()),
            _ => assert_eq!(value, told.as_str().map_or(told.to_string(), str::to_owned)),
        }
    }

    // What cannot be answered leaves nothing of the answer before it.
    client.ask::<Value>("PUT", "/troubles/outage", "true").await;
    let refused = explain(&mut browser, "product:8").await;
    assert_eq!(refused, "the cache does not answer");
    assert_eq!(browser.evaluate(fields).await, serde_json::json!([]));
    let failed = |error: &String| error.contains("api/explain") && error.contains("503");
    assert!(!browser.errors().is_empty() && browser.errors().iter().all(failed));
    drop(browser);
    shop.finish().await;
}

/// The pictures are in `target/screenshots`, to be looked at.
#[tokio::test]
async fn the_page_fits_a_phone_and_a_desk() {
    let shop = Process::start(&["--traffic", "on"]).await;
    let mut browser = open(&shop).await;
    ticks(&mut browser, 8).await;
    assert_eq!(said(&mut browser, "Redis outage").await, "Needs a Redis: start with CACHE_URL.");
    assert!(explain(&mut browser, "product:1").await.contains("`shop::data::products::product`"));
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../screenshots");
    for (width, dark) in [(390, false), (390, true), (1440, false), (1440, true)] {
        browser.look(View { width, dark }).await;
        let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.evaluate(wide).await, 0, "at {width} it is wider than the screen");
        let scheme = if dark { "dark" } else { "light" };
        browser.picture(&root.join(format!("{width}-{scheme}.png"))).await;
    }
    drop(browser);
    shop.finish().await;
}
