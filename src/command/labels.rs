//! `labelstream labels`: the label catalogue as a tree.

use std::{fmt::Write as _, io::IsTerminal, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;
use labelstream::{
    assembly::{self, AssemblyError},
    health::span,
    labels::{Catalogue, GraphError, Keeper, LONGEST, Label, Standing, Stored},
    settings::{self, LabelSource, Needs, Settings},
    state::{StateError, Store},
    telemetry::one_line,
};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{log_to_stderr, no_folder, prepared, print, say, store, wrong_use};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # as the last run knew them; the state is in the storage account, or a folder
  labelstream labels
  labelstream labels --state ./state
  # as Microsoft Graph lists them now; the next runs know them too
  labelstream labels --refresh
  # a map for LABELS in another place, ids and names
  labelstream labels --json | jq '.labels' > labels.json

Each line: priority (a higher one is more sensitive), name with sublabels below their parents, id. A label that Microsoft Graph lists no more keeps its last name for the records that still have its id, and is marked as gone.

Without --refresh it changes nothing and asks nobody but the state. With it, what Graph lists is saved where the runs keep it; no lock is taken, and a run that saved at the same moment goes before it.

Exit status: 0 done; 1 the state or Graph could not be asked, or the map cannot be used; 2 wrong use.")]
pub struct LabelsArguments {
    /// One JSON object in place of the tree.
    #[arg(long)]
    json: bool,
    /// Ask Microsoft Graph now, and save what it lists.
    #[arg(long)]
    refresh: bool,
    /// The state is in this folder in place of the storage account.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// Why there is no catalogue.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    #[error("state: {0}")]
    State(#[from] StateError),
    #[error("the labels cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

pub fn labels(arguments: LabelsArguments) -> ExitCode {
    log_to_stderr();
    if let Some(problem) = no_folder(arguments.state.as_deref()) {
        return wrong_use(&problem);
    }
    let (mut settings, runtime) = match prepared(Needs::FEED) {
        Ok(prepared) => prepared,
        Err(status) => return status,
    };
    let source = match &settings.labels.source {
        LabelSource::Off => return wrong_use("LABELS=off: there are no label names. Set LABELS to graph or to a map."),
        LabelSource::Graph => "Microsoft Graph".to_owned(),
        LabelSource::Path(path) => format!("the map {}", path.display()),
        LabelSource::Json(_) => "the map in LABELS".to_owned(),
    };
    let is_listed = settings.labels.source == LabelSource::Graph;
    if arguments.refresh && !is_listed {
        return wrong_use(&format!("--refresh asks Microsoft Graph, and LABELS names {source}"));
    }
    if is_listed && arguments.state.is_none() {
        let needs = Needs { ingestion: false, storage: true };
        settings = match Settings::read(&settings::process_environment, needs) {
            Ok(settings) => settings,
            Err(error) => return wrong_use(&error.to_string()),
        };
    }
    match runtime.block_on(look(&arguments, &settings)) {
        Ok(looked) => tell(&arguments, &settings, &source, &looked),
        Err(failure) => {
            say(&format!("failed: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// What is known of the labels.
struct Looked {
    stored: Stored,
    standing: Standing,
    /// Why Graph listed nothing, where it was asked.
    refused: Option<GraphError>,
}

async fn look(arguments: &LabelsArguments, settings: &Settings) -> Result<Looked, Failure> {
    let (keeper, tenant) = (assembly::labels(settings)?, &settings.feed.tenant_id);
    let mut refused = None;
    match store(arguments.state.as_deref(), settings)? {
        Some(store) if settings.labels.source == LabelSource::Graph => {
            keeper.load(store.as_ref(), tenant).await?;
            if arguments.refresh {
                refused = refresh(&keeper, &store, tenant).await?;
            }
        }
        // A map needs no state.
        _ => keeper.open(&labelstream::state::overlay::Overlay::default(), tenant).await,
    }
    let standing = keeper.standing(OffsetDateTime::now_utc()).unwrap_or_default();
    Ok(Looked { stored: keeper.stored(), standing, refused })
}

/// Asks Graph, and saves what came of it.
async fn refresh(keeper: &Keeper, store: &Arc<dyn Store>, tenant: &str) -> Result<Option<GraphError>, StateError> {
    let refused = keeper.ask(LONGEST * 3).await.err();
    keeper.save(store.as_ref(), tenant).await?;
    Ok(refused)
}

fn tell(arguments: &LabelsArguments, settings: &Settings, source: &str, looked: &Looked) -> ExitCode {
    let (catalogue, trouble) = (&*looked.stored.catalogue, looked.standing.trouble.as_deref());
    let is_known = !catalogue.is_empty() && looked.refused.is_none();
    let status = if is_known || trouble.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if arguments.json {
        return match serde_json::to_string_pretty(&as_json(source, looked)).map_err(Failure::Json) {
            Ok(json) => print(&format!("{json}\n"), status),
            Err(failure) => {
                say(&format!("failed: {failure}"));
                ExitCode::FAILURE
            }
        };
    }
    if let Some(trouble) = trouble {
        say(trouble);
    }
    let now = OffsetDateTime::now_utc();
    let is_dim =
        std::io::stdout().is_terminal() && settings::process_environment("NO_COLOR").is_none_or(|set| set.is_empty());
    let listed = match looked.stored.fetched_at {
        Some(at) => format!(", listed {} ({} ago)", stamp(at), span(now - at)),
        None if settings.labels.source == LabelSource::Graph => {
            ", never listed yet: the next run asks for them, or --refresh".to_owned()
        }
        None => String::new(),
    };
    let mut text = format!("{} from {source}{listed}\n", counted(catalogue));
    text.push_str(&tree(catalogue, is_dim));
    if !looked.stored.in_vain.is_empty() {
        let number = looked.stored.in_vain.len();
        // Writing to a string does not fail.
        writeln!(text, "\n{number} ids in records are of none of them: of labels deleted before, or of other tenants")
            .ok();
    }
    print(&text, status)
}

fn counted(catalogue: &Catalogue) -> String {
    let labels = if catalogue.len() == 1 { "1 label" } else { &format!("{} labels", catalogue.len()) };
    match catalogue.gone() {
        0 => labels.to_owned(),
        gone => format!("{labels}, {gone} of them gone,"),
    }
}

/// One line for each label, sublabels below their parents.
fn tree(catalogue: &Catalogue, is_dim: bool) -> String {
    let tree = catalogue.tree();
    let name = |depth: usize, label: &Label| format!("{}{}", "  ".repeat(depth), one_line(&label.name));
    let wide = tree.iter().map(|(depth, label)| name(*depth, label).chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (depth, label) in tree {
        let priority = label.priority.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let name = name(depth, label);
        let room = " ".repeat(wide - name.chars().count());
        let mut line = format!("{priority:>4}  {name}{room}  {}", one_line(&label.id));
        if let Some(gone) = label.gone {
            line.push_str(&format!("  gone since {}", stamp(gone)));
            if is_dim {
                line = format!("\x1b[2m{line}\x1b[0m");
            }
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn as_json(source: &str, looked: &Looked) -> Value {
    let label = |(_, label): (usize, &Label)| {
        json!({
            "id": label.id, "name": label.name, "parent": label.parent, "fullName": label.full_name(),
            "priority": label.priority, "gone": label.gone.map(stamp),
        })
    };
    let Looked { stored, standing, .. } = looked;
    json!({
        "source": source, "fetchedAt": stored.fetched_at.map(stamp), "ageSeconds": standing.age_seconds,
        "trouble": standing.trouble, "askedInVain": stored.in_vain,
        "labels": stored.catalogue.tree().into_iter().map(label).collect::<Vec<_>>(),
    })
}

fn stamp(at: OffsetDateTime) -> String {
    let at = at.replace_nanosecond(0).unwrap_or(at);
    // Only years beyond 9999 cannot be written so.
    at.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}
