//! The function app around the handler: what the Functions host reads before it starts it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{Check, Finding};
use crate::{
    handler::{FUNCTION, STATUS_FUNCTION},
    settings,
    tenants::Source,
};

/// Reads a setting.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What the host looks for in the folder of an app.
const HOST_JSON: &str = "host.json";

/// The app settings that take the place of what stands in host.json begin so.
const OVERRIDE: &str = "AzureFunctionsJobHost__customHandler__description__defaultExecutablePath";

/// A function with a trigger: its folder, the type of its binding, and the binding's name.
type Trigger = (&'static str, &'static str, &'static str);

/// What fires in the application for one tenant.
const TRIGGERS: &[Trigger] = &[(FUNCTION, "timerTrigger", "timer")];

/// What fires in the application for many.
const FLEET_TRIGGERS: &[Trigger] = &[("FleetTimer", "timerTrigger", "timer"), ("FleetPull", "queueTrigger", "work")];

/// Whether the settings are those of a deployment of many tenants.
fn is_fleet(environment: Environment<'_>) -> bool {
    Source::of(environment).is_some()
}

/// The app as it lies in its folder.
struct App {
    host: Value,
    /// Name and function.json of each folder that has one.
    functions: Vec<(String, Value)>,
    /// The path of the handler's file, and what is wrong with it.
    handler: Option<(String, Option<&'static str>)>,
}

/// Looks at the folder that the host names, or else at the first of `folders` that has a `host.json` or the function.
pub(super) fn examine(environment: Environment<'_>, folders: &[PathBuf]) -> Finding {
    let named = environment("FUNCTIONS_APP_ROOT_PATH").map(PathBuf::from);
    let found = named.or_else(|| folders.iter().find(|folder| is_app(folder)).cloned());
    let Some(root) = found else {
        return Finding::not_needed(Check::Host, "there is no host.json here: this is no function app's folder");
    };
    let problems = match read(&root, environment) {
        Ok(app) => problems(&app, environment),
        Err(problem) => vec![problem],
    };
    if problems.is_empty() {
        return Finding::ok(Check::Host, format!("the function app in {}", root.display()));
    }
    let (found, mut fixes): (Vec<_>, Vec<_>) = problems.into_iter().unzip();
    // One fix may mend several.
    fixes.dedup();
    Finding::failed(Check::Host, format!("{}: {}", root.display(), found.join("; ")), fixes.join("\n"))
}

/// Either of them may be what is missing.
fn is_app(folder: &Path) -> bool {
    [HOST_JSON, FUNCTION, FLEET_TRIGGERS[0].0].iter().any(|name| folder.join(name).exists())
}

/// What is wrong, and what to do.
type Problem = (String, String);

const PUBLISH_FLEET: &str =
    "./scripts/package --fleet && (cd dist/fleet && func azure functionapp publish <app> --custom)";
const PUBLISH: &str = "./scripts/package && (cd dist/app && func azure functionapp publish <app> --custom)";

fn json(path: &Path, name: &str) -> Result<Value, Problem> {
    let problem = |reason: String| (format!("{name}: {reason}"), PUBLISH.to_owned());
    let text = fs::read(path).map_err(|error| problem(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| problem(error.to_string()))
}

fn read(root: &Path, environment: Environment<'_>) -> Result<App, Problem> {
    let host = json(&root.join(HOST_JSON), HOST_JSON)?;
    let in_host = host["customHandler"]["description"]["defaultExecutablePath"].as_str().map(str::to_owned);
    let handler = set(environment, OVERRIDE).or(in_host).map(|path| {
        let problem = file_problem(&root.join(&path));
        (path, problem)
    });
    let unreadable = |error: std::io::Error| (format!("{}: {error}", root.display()), PUBLISH.to_owned());
    let mut functions = Vec::new();
    for entry in fs::read_dir(root).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, name) = (entry.path().join("function.json"), entry.file_name().to_string_lossy().into_owned());
        if path.is_file() {
            functions.push((name.clone(), json(&path, &format!("{name}/function.json"))?));
        }
    }
    Ok(App { host, functions, handler })
}

#[cfg(unix)]
fn file_problem(path: &Path) -> Option<&'static str> {
    use std::os::unix::fs::PermissionsExt as _;
    match fs::metadata(path) {
        Err(_) => Some("is not there"),
        Ok(file) if file.permissions().mode() & 0o111 == 0 => Some("may not be executed"),
        Ok(_) => None,
    }
}

#[cfg(not(unix))]
fn file_problem(path: &Path) -> Option<&'static str> {
    if path.is_file() { None } else { Some("is not there") }
}

fn set(environment: Environment<'_>, name: &str) -> Option<String> {
    environment(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn problems(app: &App, environment: Environment<'_>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut add = |found: String, fix: &str| problems.push((found, fix.to_owned()));
    if app.host["version"] != "2.0" {
        add("host.json is not of version 2.0".to_owned(), PUBLISH);
    }
    match &app.handler {
        None => add("host.json names no customHandler.description.defaultExecutablePath".to_owned(), PUBLISH),
        Some((path, Some(problem))) => add(format!("the handler {path} {problem}"), PUBLISH),
        Some((_, None)) => {}
    }
    let (triggers, publish) = match is_fleet(environment) {
        true => (FLEET_TRIGGERS, PUBLISH_FLEET),
        false => (TRIGGERS, PUBLISH),
    };
    for &(name, kind, binding) in triggers {
        let function = app.functions.iter().find(|(known, _)| known == name).map(|(_, function)| function);
        let is_it = |known: &Value| known["type"] == kind && known["name"] == binding;
        match function {
            None => add(format!("there is no {name}/function.json"), publish),
            Some(function) if !function["bindings"].as_array().is_some_and(|all| all.iter().any(is_it)) => {
                add(format!("{name}/function.json has no {kind} of the name {binding}"), publish);
            }
            Some(_) => {}
        }
    }
    if !app.functions.iter().any(|(name, _)| name == STATUS_FUNCTION) {
        add(format!("there is no {STATUS_FUNCTION}/function.json"), PUBLISH);
    }
    for name in app.functions.iter().flat_map(|(_, function)| references(function)) {
        if set(environment, &name).is_none() {
            let good = settings::SETTINGS.iter().find(|setting| setting.name == name);
            let example = good.map_or("...", |setting| setting.example);
            let found = format!("{name} is not set, and a function.json refers to it: the host disables that function");
            add(
                found,
                &format!(
                    "az functionapp config appsettings set --name <app> --resource-group <group> --settings \"{name}={example}\""
                ),
            );
        }
    }
    if let Some(runtime) = set(environment, "FUNCTIONS_WORKER_RUNTIME").filter(|runtime| runtime != "custom") {
        add(
            format!("FUNCTIONS_WORKER_RUNTIME is {runtime}"),
            "FUNCTIONS_WORKER_RUNTIME=custom (on Flex Consumption: not set)",
        );
    }
    if let Some(port) = set(environment, "FUNCTIONS_CUSTOMHANDLER_PORT").filter(|port| port.parse::<u16>().is_err()) {
        add(
            format!("FUNCTIONS_CUSTOMHANDLER_PORT is {port}, no port"),
            "The host sets it: remove it from the app settings",
        );
    }
    if let (Some(limit), Some(budget)) = (timeout(&app.host), budget(environment))
        && budget >= limit
    {
        let found = format!(
            "RUN_BUDGET_SECONDS ({budget}) does not end before functionTimeout ({limit} s): the host kills the run"
        );
        add(found, &format!("RUN_BUDGET_SECONDS={}", (limit - limit / 5).max(10)));
    }
    problems
}

/// The app settings that a function.json refers to, as `%NAME%`.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split('%').skip(1).step_by(2).map(str::to_owned).collect(),
        Value::Array(values) => values.iter().flat_map(references).collect(),
        Value::Object(members) => members.values().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// `functionTimeout`, `hh:mm:ss`, in seconds.
fn timeout(host: &Value) -> Option<u64> {
    let parts: Vec<u64> =
        host["functionTimeout"].as_str()?.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    match parts[..] {
        [hours, minutes, seconds] => Some(hours * 3600 + minutes * 60 + seconds),
        _ => None,
    }
}

fn budget(environment: Environment<'_>) -> Option<u64> {
    set(environment, "RUN_BUDGET_SECONDS").map_or(Some(240), |text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::Verdict;

    type Changes = &'static [(&'static str, &'static str)];

    fn environment(changes: Changes) -> impl Fn(&str) -> Option<String> {
        move |name| {
            let last = changes.iter().rev().find(|(known, _)| *known == name);
            last.map(|(_, value)| value.to_string())
                .or_else(|| (name == "TIMER_SCHEDULE").then(|| "0 */5 * * * *".into()))
        }
    }

    /// The repository's own files, with a handler.
    fn app() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["TimerPull", "Status"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        for name in ["host.json", "TimerPull/function.json", "Status/function.json"] {
            fs::copy(root.join(name), folder.path().join(name)).unwrap();
        }
        // Any file that may be executed will do.
        fs::copy(std::env::current_exe().unwrap(), folder.path().join("handler")).unwrap();
        folder
    }

    fn look(folder: &Path, changes: Changes) -> Finding {
        examine(&environment(changes), &[folder.join("nowhere"), folder.to_owned()])
    }

    #[test]
    fn the_repositorys_own_files_are_well() {
        let app = app();
        let finding = look(app.path(), &[]);
        assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
        let elsewhere = tempfile::tempdir().unwrap();
        assert_eq!(look(elsewhere.path(), &[]).verdict, Verdict::Skipped);
    }

    #[test]
    fn what_the_host_would_stumble_over_is_told() {
        let app = app();
        let cases: [(Changes, &str, &str); 5] = [
            (&[("TIMER_SCHEDULE", " ")], "TIMER_SCHEDULE is not set", "TIMER_SCHEDULE=0 */5 * * * *"),
            (&[("FUNCTIONS_WORKER_RUNTIME", "node")], "is node", "FUNCTIONS_WORKER_RUNTIME=custom"),
            (&[("FUNCTIONS_CUSTOMHANDLER_PORT", "x")], "no port", "remove it"),
            (&[("RUN_BUDGET_SECONDS", "300")], "functionTimeout (300 s)", "RUN_BUDGET_SECONDS=240"),
            (&[(OVERRIDE, "elsewhere")], "the handler elsewhere is not there", "publish"),
        ];
        for (changes, found, fix) in cases {
            let finding = look(app.path(), changes);
            assert_eq!(finding.verdict, Verdict::Failed, "{changes:?}");
            assert!(finding.found.contains(found) && !finding.found.contains("; "), "{finding:?}");
            assert!(finding.fix.as_ref().unwrap().contains(fix), "{finding:?}");
        }
        fs::write(app.path().join("TimerPull/function.json"), r#"{"bindings":[]}"#).unwrap();
        assert!(look(app.path(), &[]).found.contains("no timerTrigger"));
        fs::remove_dir_all(app.path().join("TimerPull")).unwrap();
        assert!(look(app.path(), &[]).found.contains("no TimerPull/function.json"));
        fs::write(app.path().join("host.json"), "{").unwrap();
        assert!(look(app.path(), &[]).found.contains("host.json: EOF"));
        fs::remove_file(app.path().join("host.json")).unwrap();
        assert_eq!(look(app.path(), &[]).verdict, Verdict::Skipped, "nothing of an app is left");
    }

    #[test]
    fn many_tenants_have_functions_of_their_own() {
        const TENANTS: Changes = &[("TENANTS", "state")];
        let app = app();
        let finding = look(app.path(), TENANTS);
        assert!(
            finding.found.ends_with("no FleetTimer/function.json; there is no FleetPull/function.json"),
            "{finding:?}"
        );
        assert!(finding.fix.unwrap().starts_with("./scripts/package --fleet"), "one fix for both");
        fs::remove_dir_all(app.path().join("TimerPull")).unwrap();
        for (folder, kind, name) in FLEET_TRIGGERS {
            let function = json!({"bindings": [{"type": kind, "name": name}]});
            fs::create_dir(app.path().join(folder)).unwrap();
            fs::write(app.path().join(folder).join("function.json"), function.to_string()).unwrap();
        }
        assert_eq!(look(app.path(), TENANTS).verdict, Verdict::Ok);
    }

    #[cfg(unix)]
    #[test]
    fn a_handler_that_lost_its_mode_is_told() {
        use std::os::unix::fs::PermissionsExt as _;
        let app = app();
        fs::set_permissions(app.path().join("handler"), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(look(app.path(), &[]).found.contains("handler may not be executed"));
    }

    #[test]
    fn settings_are_referred_to_between_percent_signs() {
        assert_eq!(references(&json!({"a": ["%B%", 1, {"c": "x%D%y%E%"}], "f": "5"})), ["B", "D", "E"]);
        assert_eq!(timeout(&json!({"functionTimeout": "01:02:03"})), Some(3723));
        assert_eq!(timeout(&json!({"functionTimeout": "-1"})), None);
    }
}
