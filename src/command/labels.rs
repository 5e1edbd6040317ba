//! `labelstream labels`: the label catalogue as a tree; of several tenants a line each (`several`).

mod several;

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

use super::{
    choice::{Choice, TenantArguments, chosen, has_list},
    log_to_stderr, no_folder, print, say, store, wrong_use,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  # as the last run knew them; the state is in the storage account, or a folder
  labelstream labels
  labelstream labels --state ./state
  # as Microsoft Graph lists them now; the next runs know them too
  labelstream labels --refresh
  # a map for LABELS in another place, ids and names
  labelstream labels --json | jq '.labels' > labels.json
  # with TENANTS: how many each tenant has; the tree of one
  labelstream labels
  labelstream labels --tenant Contoso

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
    #[command(flatten)]
    tenants: TenantArguments,
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
    log_to_stderr(&arguments.tenants);
    let state = arguments.state.as_deref();
    if let Some(problem) = no_folder(state) {
        return wrong_use(&problem);
    }
    // A map needs no state; of those that a list has, one will not be a map.
    let needs = Needs { storage: state.is_none() && has_list(), ..Needs::FEED };
    let (choice, runtime) = match chosen(&arguments.tenants, state, needs) {
        Ok(chosen) => chosen,
        Err(status) => return status,
    };
    let mut settings = match choice {
        Choice::One(settings) => settings,
        Choice::Several(several) => return runtime.block_on(Box::pin(several::labels(&arguments, &several))),
    };
    let source = match source(&arguments, &settings) {
        Ok(source) => source,
        Err(problem) => return wrong_use(&problem),
    };
    if settings.labels.source == LabelSource::Graph && state.is_none() && settings.storage.is_none() {
        let needs = Needs { storage: true, ..Needs::FEED };
        settings = match Settings::read(&settings::process_environment, needs) {
            Ok(settings) => Box::new(settings),
            Err(error) => return wrong_use(&error.to_string()),
        };
    }
    match runtime.block_on(look_at_one(&arguments, &settings)) {
        Ok(looked) => tell(&arguments, &settings, &source, &looked),
        Err(failure) => {
            say(&format!("failed: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Where the names come from, for people; or why there are none.
fn source(arguments: &LabelsArguments, settings: &Settings) -> Result<String, String> {
    let source = match &settings.labels.source {
        LabelSource::Off => {
            return Err("LABELS=off: there are no label names. Set LABELS to graph or to a map.".to_owned());
        }
        LabelSource::Graph => "Microsoft Graph".to_owned(),
        LabelSource::Path(path) => format!("the map {}", path.display()),
        LabelSource::Json(_) => "the map in LABELS".to_owned(),
    };
    match arguments.refresh && settings.labels.source != LabelSource::Graph {
        true => Err(format!("--refresh asks Microsoft Graph, and LABELS names {source}")),
        false => Ok(source),
    }
}

/// What is known of the labels.
struct Looked {
    stored: Stored,
    standing: Standing,
    /// Why Graph listed nothing, where it was asked.
    refused: Option<GraphError>,
}

impl Looked {
    fn is_known(&self) -> bool {
        !self.stored.catalogue.is_empty() && self.refused.is_none()
    }
}

async fn look_at_one(arguments: &LabelsArguments, settings: &Settings) -> Result<Looked, Failure> {
    look(arguments, settings, store(arguments.state.as_deref(), settings)?.as_ref()).await
}

async fn look(
    arguments: &LabelsArguments,
    settings: &Settings,
    store: Option<&Arc<dyn Store>>,
) -> Result<Looked, Failure> {
    let (keeper, tenant) = (assembly::labels(settings)?, &settings.feed.tenant_id);
    let mut refused = None;
    match store {
        Some(store) if settings.labels.source == LabelSource::Graph => {
            keeper.load(store.as_ref(), tenant).await?;
            if arguments.refresh {
                refused = refresh(&keeper, store, tenant).await?;
            }
        }
        // A map needs no state.
        _ => {
            keeper.open(&labelstream::state::overlay::Overlay::default(), tenant).await;
        }
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
    let status = if looked.is_known() || trouble.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
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
    let is_dim =
        std::io::stdout().is_terminal() && settings::process_environment("NO_COLOR").is_none_or(|set| set.is_empty());
    let mut text = format!("{}\n", headline(settings, source, looked));
    text.push_str(&tree(catalogue, is_dim));
    if !looked.stored.in_vain.is_empty() {
        let number = looked.stored.in_vain.len();
        // Writing to a string does not fail.
        writeln!(text, "\n{number} ids in records are of none of them: of labels deleted before, or of other tenants")
            .ok();
    }
    print(&text, status)
}

/// How many there are, from where, and since when they are known.
fn headline(settings: &Settings, source: &str, looked: &Looked) -> String {
    let listed = match looked.stored.fetched_at {
        Some(at) => format!(", listed {} ({} ago)", stamp(at), span(OffsetDateTime::now_utc() - at)),
        None if settings.labels.source == LabelSource::Graph => {
            ", never listed yet: the next run asks for them, or --refresh".to_owned()
        }
        None => String::new(),
    };
    format!("{} from {source}{listed}", counted(&looked.stored.catalogue))
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
