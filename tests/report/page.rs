//! The report in a browser.

use std::{env, fs, io::Read as _, path::PathBuf};

use flate2::read::ZlibDecoder;
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    company::{reported, rows},
    viewer::{Viewer, seen},
};

/// Changes, the timeline, labels, workloads, people, protection, and how labels came about.
const PICTURES: u64 = 7;

fn file_url(folder: &tempfile::TempDir) -> String {
    format!("file://{}", folder.path().join("report.html").display())
}

pub fn from_the_disk(browser: &Browser) {
    let (folder, _) = reported(rows());
    let shown = browser.show(&file_url(&folder));
    assert_eq!(shown.complaints, [""; 0], "the browser complains");
    assert_eq!(shown.dom.matches("data-picture=").count() as u64, PICTURES);
    assert!(shown.dom.matches("fill=\"var(--t").count() > 100, "no bars are drawn");
    if let Some(screenshots) = env::var_os("STATUS_SCREENSHOTS").map(PathBuf::from) {
        for (name, is_dark) in [("report-light.png", false), ("report-dark.png", true)] {
            browser.picture(&file_url(&folder), &screenshots.join(name), 1_900, 200_000, is_dark);
        }
    }
}

fn look(browser: &Browser, report: &str, is_dark: bool) -> (Value, Vec<String>) {
    let viewer = Viewer::of(report);
    let shown = if is_dark { browser.show_dark(&viewer.address()) } else { browser.show(&viewer.address()) };
    let complaints: Vec<_> = shown.complaints.iter().filter(|line| !line.contains("favicon.ico")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    (seen(&shown.dom), viewer.asked())
}

pub fn dark_and_light(browser: &Browser) {
    let (_folder, report) = reported(rows());
    let (light, _) = look(browser, &report, false);
    let (dark, _) = look(browser, &report, true);
    for seen in [&light, &dark] {
        assert_eq!((&seen["charts"], &seen["drawn"]), (&json!(PICTURES), &json!(PICTURES)), "{seen}");
        assert!(seen["bars"].as_u64() > Some(100), "{seen}");
        assert_eq!((&seen["openTables"], &seen["tooWide"]), (&json!(0), &json!(0)), "{seen}");
    }
    assert_eq!((&light["paper"], &dark["paper"]), (&json!("rgb(244, 246, 249)"), &json!("rgb(18, 22, 28)")));
    let fills = |seen: &Value| seen["fills"].as_array().unwrap().clone();
    assert!(fills(&light).len() > 4 && fills(&light).iter().all(|fill| !fills(&dark).contains(fill)), "{light} {dark}");
    assert!(fills(&light).contains(&json!("rgb(42, 147, 135)")), "a colour of the style: {light}");
}

pub fn nothing_is_loaded(browser: &Browser) {
    let (_folder, report) = reported(rows());
    let (_, asked) = look(browser, &report, false);
    let other: Vec<_> = asked
        .iter()
        .filter(|path| !["/viewer.html", "/report.html", "/favicon.ico"].contains(&path.as_str()))
        .collect();
    assert!(other.is_empty(), "{other:?}");
    assert!(asked.contains(&"/report.html".to_owned()));
}

pub fn without_scripts(browser: &Browser) {
    let (_folder, report) = reported(rows());
    // Its own policy without its scripts is what a browser does that lets none run.
    let start = report.find("script-src ").unwrap();
    let end = start + report[start..].find(';').unwrap();
    let mute = format!("{}script-src &#39;none&#39;{}", &report[..start], &report[end..]);
    let viewer = Viewer::of(&mute);
    let seen = seen(&browser.show(&viewer.address()).dom);
    assert_eq!((&seen["drawn"], &seen["openTables"]), (&json!(0), &json!(PICTURES)), "{seen}");
}

pub fn on_paper(browser: &Browser) {
    let (folder, _) = reported(rows());
    let pdf = browser.print(&file_url(&folder), &folder.path().join("report.pdf"));
    let has = |part: &[u8]| pdf.windows(part.len()).any(|window| window == part);
    assert!(pdf.starts_with(b"%PDF-") && !has(b"/Subtype /Image"), "a picture is made of points");
    let drawn = drawn(&pdf);
    // Teal, paper and ink of the style, as PDF sets the colour of what it fills.
    let (light, dark) =
        ([".1647 .5765 .5294 rg", ".1059 .1373 .1882 rg"], [".2627 .7098 .651 rg", ".0706 .0863 .1098 rg"]);
    for colour in light {
        assert!(drawn.contains(colour), "{colour} is not on paper");
    }
    for colour in dark {
        assert!(!drawn.contains(colour), "{colour} is on paper");
    }
}

/// What the pages of a PDF are drawn by: its streams, inflated, where they are texts.
fn drawn(pdf: &[u8]) -> String {
    let starts = pdf.windows(7).enumerate().filter(|(_, window)| window == b"stream\n").map(|(at, _)| at + 7);
    starts
        .filter_map(|start| {
            let mut text = String::new();
            ZlibDecoder::new(&pdf[start..]).read_to_string(&mut text).ok().map(|_| text)
        })
        .collect()
}

pub fn a_bar_tells_its_figures(browser: &Browser) {
    let (_folder, report) = reported(rows());
    let viewer = Viewer::of(&report);
    let shown = browser.show_after(&viewer.pointing(), 4_000);
    let complaints: Vec<_> = shown.complaints.iter().filter(|line| !line.contains("favicon.ico")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    let told = seen(&shown.dom);
    assert!(
        told["texts"].as_array().unwrap().iter().any(|text| text.as_str().unwrap().starts_with("Raised: ")),
        "{told}"
    );
}

/// Texts that end a script, begin a tag, an attribute or a comment, turn the line around, or never end.
pub fn hostile_texts(browser: &Browser) {
    let hostile = [
        "</script><script>document.title='taken'</script>",
        "<img src=x onerror=\"document.title='taken'\">",
        "\"'><svg onload=document.title='taken'>",
        "<!--<script>",
        "\u{202e}gpj.exe\u{2066}",
        "{a|b}%s${7*7}",
        "\u{0}\u{1b}[31m\u{2028}",
        "עברית ‏العربية",
    ];
    let long = "x<&\"".repeat(16 << 10);
    let mut rows = rows()[..60].to_vec();
    for (at, row) in rows.iter_mut().enumerate() {
        let text = hostile.get(at % 9).copied().unwrap_or(&long);
        let columns = [
            "UserId",
            "ItemName",
            "JustificationText",
            "Workload",
            "Application",
            "DeviceName",
            "PolicyName",
            "SensitivityLabelName",
            "OldSensitivityLabelName",
            "SensitivityLabelId",
            "OrganizationId",
        ];
        for column in columns {
            row[column] = json!(text);
        }
        row["LabelChange"] = json!("Downgraded");
    }
    let (folder, report) = reported(&rows);
    assert!(report.len() < 1_500_000, "{} bytes: long texts are not cut", report.len());
    let shown = browser.show(&file_url(&folder));
    assert_eq!(shown.complaints, [""; 0]);
    assert!(shown.dom.contains("&lt;img src=x onerror") && !shown.dom.contains("<img"), "a text became a tag");
    assert!(!shown.dom.contains('\u{202e}') && shown.dom.contains("\\u{202e}gpj.exe"));
    let (seen, _) = look(browser, &report, false);
    assert_eq!((&seen["title"], &seen["tooWide"]), (&json!("Labels of Fabrikam"), &json!(0)), "{seen}");
    assert!(seen["drawn"].as_u64() > Some(3), "{seen}");
}

pub fn a_forbidden_script(browser: &Browser) {
    let (folder, report) = reported(&rows()[..10]);
    let file = folder.path().join("report.html");
    fs::write(&file, report.replace("</body>", "<script>document.title = 'taken'</script></body>")).unwrap();
    let shown = browser.show(&file_url(&folder));
    assert!(shown.complaints.iter().any(|line| line.contains("Content Security Policy")), "{shown:?}");
    assert!(!shown.dom.contains("<title>taken"), "{}", shown.dom);
}
