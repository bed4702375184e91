//! A real browser, driven by WebDriver: HTTP and JSON, without a library
//! (<https://www.w3.org/TR/webdriver2/>).

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// What WebDriver calls an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Debian's chromium, without a window.
pub(super) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts it. None, with a word about it, if it is not installed.
    pub(super) fn start() -> Option<Self> {
        for tool in ["chromium", "chromedriver"] {
            let found = Command::new(tool).arg("--version").output();
            if !found.is_ok_and(|output| output.status.success()) {
                println!("skipped: {tool} is not installed");
                return None;
            }
        }
        let mut driver =
            Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(driver.stdout.take().unwrap());
        let port = port_in(&mut output);
        // Whatever else it says must find a reader.
        std::thread::spawn(move || io::copy(&mut output, &mut io::sink()));
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self { driver, port, session: String::new(), _profile: profile };
        let folder = format!("--user-data-dir={}", browser._profile.path().display());
        // Root cannot have chromium's sandbox, and the pages here are our own.
        let arguments =
            ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", &folder];
        let options = json!({"binary": "/usr/bin/chromium", "args": arguments});
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = browser.call("/session", Some(&wanted));
        browser.session = session["sessionId"].as_str().unwrap().to_owned();
        Some(browser)
    }

    /// Opens a page, and waits until it is loaded.
    pub(super) fn open(&self, page: &Path) {
        self.ask("/url", &json!({"url": format!("file://{}", page.display())}));
    }

    /// What a function with this body returns.
    pub(super) fn run(&self, body: &str) -> Value {
        self.ask("/execute/sync", &json!({"script": body, "args": []}))
    }

    /// Types into the element that a selector of CSS finds.
    pub(super) fn type_into(&self, selector: &str, text: &str) {
        let found = self.ask("/element", &json!({"using": "css selector", "value": selector}));
        let id = found[ELEMENT].as_str().unwrap();
        self.ask(&format!("/element/{id}/value"), &json!({"text": text}));
    }

    /// Presses a key, whatever has the focus.
    pub(super) fn press(&self, key: &str) {
        let strokes = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes});
        self.ask("/actions", &json!({"actions": [keyboard]}));
    }

    /// A command of chromium's own.
    pub(super) fn set(&self, command: &str, parameters: &Value) {
        self.ask("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    /// The page as a PDF on A4, in base64.
    pub(super) fn print(&self) -> String {
        let size = json!({"page": {"width": 21.0, "height": 29.7}});
        self.ask("/print", &size).as_str().unwrap().to_owned()
    }

    /// What the browser complained of.
    pub(super) fn complaints(&self) -> Vec<Value> {
        self.ask("/se/log", &json!({"type": "browser"})).as_array().unwrap().clone()
    }

    fn ask(&self, path: &str, parameters: &Value) -> Value {
        self.call(&format!("/session/{}{path}", self.session), Some(parameters))
    }

    fn call(&self, path: &str, parameters: Option<&Value>) -> Value {
        let (method, body) = match parameters {
            Some(parameters) => ("POST", parameters.to_string()),
            None => ("DELETE", String::new()),
        };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        // More than any page here takes.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            self.port
        )
        .unwrap();
        // The browser that it starts keeps the connection open, so its end says nothing.
        let mut lines = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let start = head.len();
            lines.read_line(&mut head).unwrap();
            if let Some((name, value)) = head[start..].split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {body}");
        serde_json::from_str::<Value>(&body).unwrap()["value"].take()
    }
}

/// The port that chromedriver names. It writes no line break after it.
fn port_in(output: &mut impl BufRead) -> u16 {
    let mut said = Vec::new();
    while output.read_until(b'.', &mut said).unwrap() > 0 {
        let said = String::from_utf8_lossy(&said);
        if let Some((_, port)) = said.split_once("successfully on port ") {
            return port.trim_end_matches('.').parse().unwrap();
        }
    }
    let said = String::from_utf8_lossy(&said);
    panic!("chromedriver names no port: {said}");
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.call(&format!("/session/{}", self.session), None);
        }
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}
