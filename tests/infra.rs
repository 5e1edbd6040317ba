//! What must hold of the templates, read from what the compiler made of them: `azuredeploy.json` (parameters, outputs,
//! which settings there are) and a snapshot for each parameter file (the resources, with their expressions worked out).
//! That both are fresh is what `scripts/check-infra` proves where there is a compiler.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "infra/access.rs"]
mod access;
#[path = "infra/columns.rs"]
mod columns;
#[path = "infra/deploy_page.rs"]
mod deploy_page;
#[path = "infra/fleet.rs"]
mod fleet;
#[path = "infra/host.rs"]
mod host;
#[path = "infra/page.rs"]
mod page;
#[path = "infra/providers_page.rs"]
mod providers_page;
#[path = "infra/script.rs"]
mod script;
#[path = "infra/secrets.rs"]
mod secrets;
#[path = "infra/settings.rs"]
mod settings;
#[path = "infra/snapshot.rs"]
mod snapshot;
#[path = "infra/watching.rs"]
mod watching;
