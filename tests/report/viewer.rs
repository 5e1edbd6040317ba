//! A page that looks into the report as a script of the same origin can: what was drawn, and in which colours.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Runtime};

/// It puts what it saw into the document, as JSON.
const LOOKING: &str = r#"<!DOCTYPE html><title>viewer</title><iframe src="/report.html" width="1000" height="900"></iframe>
<pre id="seen"></pre>
<script>
document.querySelector("iframe").onload = ({ target }) => {
  const page = target.contentDocument, style = (of) => target.contentWindow.getComputedStyle(of);
  const charts = [...page.querySelectorAll(".chart")];
  const bars = [...page.querySelectorAll(".chart path[fill^='var(--t']")];
  document.getElementById("seen").textContent = JSON.stringify({
    charts: charts.length,
    drawn: charts.filter((chart) => chart.querySelector("svg") && chart.getBoundingClientRect().height > 100).length,
    bars: bars.length,
    fills: [...new Set(bars.map((bar) => style(bar).fill))],
    paper: style(page.body).backgroundColor,
    openTables: page.querySelectorAll("figure details[open]").length,
    tooWide: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    title: page.title,
  });
};
</script>"#;

/// It points at the middle of the first picture, and puts the texts in it into the document.
const POINTING: &str = r#"<!DOCTYPE html><title>viewer</title><iframe src="/report.html" width="1000" height="900"></iframe>
<pre id="seen"></pre>
<script>
document.querySelector("iframe").onload = ({ target }) => {
  const chart = target.contentDocument.querySelector(".chart"), view = chart.firstElementChild;
  const { left, top, width, height } = view.getBoundingClientRect();
  const at = { clientX: left + width / 2, clientY: top + height / 2, bubbles: true };
  const look = () => {
    view.dispatchEvent(new target.contentWindow.MouseEvent("mousemove", at));
    const texts = [...chart.querySelectorAll("text")].map((text) => text.textContent);
    document.getElementById("seen").textContent = JSON.stringify({ texts });
  };
  setInterval(look, 50);
};
</script>"#;

/// Serves a report and the page that looks into it.
pub struct Viewer {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

#[derive(Clone)]
struct Shared {
    report: Arc<str>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Viewer {
    pub fn of(report: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let shared = Shared { report: report.into(), asked: Arc::clone(&asked) };
        let base = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let base = format!("http://{}", listener.local_addr().unwrap());
            let app = Router::new().fallback(answer).with_state(shared);
            tokio::spawn(async move { axum::serve(listener, app).await });
            base
        });
        Self { base, asked, _runtime: runtime }
    }

    pub fn address(&self) -> String {
        format!("{}/viewer.html", self.base)
    }

    /// Where the mouse is over a picture.
    pub fn pointing(&self) -> String {
        format!("{}/pointing.html", self.base)
    }

    /// What was asked for, by path.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(shared): State<Shared>, asked: Request) -> Response {
    let path = asked.uri().path().to_owned();
    shared.asked.lock().unwrap().push(path.clone());
    let page = match path.as_str() {
        "/viewer.html" => LOOKING.to_owned(),
        "/pointing.html" => POINTING.to_owned(),
        "/report.html" => shared.report.to_string(),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// What the page saw, from the document that the browser made of it.
pub fn seen(dom: &str) -> Value {
    let json = dom.split("<pre id=\"seen\">").nth(1).unwrap().split("</pre>").next().unwrap();
    serde_json::from_str(&json.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")).unwrap()
}
