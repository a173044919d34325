//! A headless Chromium, told what to do over its debugging protocol.

use std::env;
use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cache_testing::within_limit;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The protocol is spoken on the descriptors 3 and 4, which are our pipes.
const THROUGH_PIPES: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";

const ARGUMENTS: [&str; 6] = [
    "--headless",
    // Tests run as root in containers, where there is no sandbox to be had.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];

/// A browser with one page. It is killed with this value.
#[derive(Debug)]
pub(crate) struct Browser {
    _process: Child,
    _profile: TempDir,
    orders: ChildStdin,
    replies: BufReader<ChildStdout>,
    /// The page's.
    session: Option<String>,
    sent: u64,
    /// What the page has complained about.
    errors: Vec<String>,
}

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) width: u32,
    pub(crate) dark: bool,
}

impl Browser {
    /// Opens a page.
    pub(crate) async fn open(url: &str) -> Self {
        let program = env::var("CACHE_TEST_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        let profile = TempDir::new().unwrap();
        let mut process = Command::new("sh")
            .args(["-c", THROUGH_PIPES, &program])
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let orders = process.stdin.take().unwrap();
        let replies = BufReader::new(process.stdout.take().unwrap());
        let mut browser = Self {
            _process: process,
            _profile: profile,
            orders,
            replies,
            session: None,
            sent: 0,
            errors: Vec::new(),
        };
        let target = browser.order("Target.createTarget", json!({"url": "about:blank"})).await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.order("Target.attachToTarget", attach).await;
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.order(domain, json!({})).await;
        }
        browser.look(View { width: 1440, dark: false }).await;
        browser.order("Page.navigate", json!({"url": url})).await;
        browser
    }

    /// Changes how the page is looked at.
    pub(crate) async fn look(&mut self, View { width, dark }: View) {
        let screen =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500});
        self.order("Emulation.setDeviceMetricsOverride", screen).await;
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.order("Emulation.setEmulatedMedia", media).await;
    }

    /// The value of an expression in the page.
    pub(crate) async fn evaluate(&mut self, expression: &str) -> Value {
        let evaluate =
            json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let reply = self.order("Runtime.evaluate", evaluate).await;
        assert_eq!(reply["exceptionDetails"], Value::Null, "{expression}");
        reply["result"]["value"].clone()
    }

    /// Presses a key, and lets it go.
    pub(crate) async fn press(&mut self, key: Key) {
        let (name, text, code) = match key {
            Key::Tab => ("Tab", "", 9),
            Key::Enter => ("Enter", "\r", 13),
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({
                "type": kind, "key": name, "code": name, "text": text,
                "windowsVirtualKeyCode": code,
            });
            self.order("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Writes where the keyboard is, over what is selected there.
    pub(crate) async fn write(&mut self, text: &str) {
        self.order("Input.insertText", json!({"text": text})).await;
    }

    /// The whole page as a picture.
    pub(crate) async fn picture(&mut self, path: &Path) {
        let size = self.order("Page.getLayoutMetrics", json!({})).await["cssContentSize"].clone();
        let clip = json!({
            "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1,
        });
        let capture = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let reply = self.order("Page.captureScreenshot", capture).await;
        let picture = STANDARD.decode(reply["data"].as_str().unwrap()).unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, picture).unwrap();
    }

    /// What the page has complained about so far: exceptions, what its policy forbids, what could
    /// not be fetched.
    pub(crate) fn errors(&self) -> &[String] {
        &self.errors
    }

    async fn order(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let mut order = json!({"id": self.sent, "method": method, "params": params});
        if let Some(session) = &self.session {
            order["sessionId"] = session.clone().into();
        }
        let text = format!("{order}\0");
        self.orders.write_all(text.as_bytes()).await.expect("the browser runs");
        loop {
            let message = within_limit(method, self.message()).await;
            if message["id"] == self.sent {
                assert_eq!(message["error"], Value::Null, "{method}");
                return message["result"].clone();
            }
            let (event, params) = (&message["method"], &message["params"]);
            let complains = event == "Log.entryAdded" && params["entry"]["level"] == "error";
            if complains || event == "Runtime.exceptionThrown" {
                self.errors.push(params.to_string());
            }
        }
    }

    async fn message(&mut self) -> Value {
        let mut message = Vec::new();
        self.replies.read_until(0, &mut message).await.unwrap();
        assert_eq!(message.pop(), Some(0), "the browser has ended: is it installed?");
        serde_json::from_slice(&message).unwrap()
    }
}

/// A key of the keyboard.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Tab,
    Enter,
}
