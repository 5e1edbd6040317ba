//! The table: what is broken, what doctor names, and how it says to mend it.

mod app;
mod feed;
mod ingestion;
mod state;

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use labelstream_simulator::{Answer, Config, ContentType, Effect, Endpoint, Fault, RetryAfter, When};
use serde_json::json;
use time::Duration;

use crate::{
    azurite,
    patient::Setup,
    storage::{StorageFault, Trouble},
};

/// One prerequisite that is broken.
pub struct Case {
    pub broken: &'static str,
    pub setup: fn() -> Setup,
    /// What is named: the check (with its subject), and `failed` or `warning`. Everything else is ok or skipped.
    pub named: &'static [(&'static str, &'static str)],
    /// What it says was found.
    pub found: &'static str,
    /// What it says to do.
    pub fix: &'static str,
}

/// All of them, in the order of the checks.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [app::CASES, feed::CASES, state::CASES, ingestion::CASES].into_iter().flatten()
}

fn with(change: impl FnOnce(&mut Setup)) -> Setup {
    let mut setup = Setup::default();
    change(&mut setup);
    setup
}

fn set(name: &'static str, value: &str) -> Setup {
    with(|setup| setup.settings.push((name, value.to_owned())))
}

fn configured(change: impl FnOnce(&mut Config)) -> Setup {
    with(|setup| change(&mut setup.config))
}

fn faulty(fault: Fault) -> Setup {
    with(|setup| setup.faults.push(fault))
}

fn storage_refuses(method: Option<Method>, matching: &'static str) -> Setup {
    let trouble = Trouble::Refused(403, "AuthorizationPermissionMismatch");
    with(|setup| setup.storage_faults.push(StorageFault { method, matching, when: When::Always, trouble }))
}

fn storage_answers(status: u16, code: &'static str) -> Setup {
    let trouble = Trouble::Refused(status, code);
    with(|setup| setup.storage_faults.push(StorageFault { method: None, matching: "", when: When::Always, trouble }))
}

/// A connection string that names an account which the emulator does not have.
fn elsewhere() -> String {
    let known = azurite::connection_string(azurite::Azurite::shared().port(), azurite::KEY);
    known.replace(azurite::ACCOUNT, "anotheraccount")
}

/// A token for `audience` in the place of the one that was asked for, of the right tenant.
fn token_for(audience: &str) -> Fault {
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(&json!({"aud": audience})));
    let body = json!({"access_token": token, "expires_on": "4102444800", "resource": audience, "token_type": "Bearer"});
    let answer = Answer { status: 200, body: body.to_string(), ..Answer::default() };
    Fault::new(Endpoint::ManagedIdentity, When::Always, Effect::Answer(answer))
}

/// The subscriptions as they are listed after an administrator disabled one.
fn disabled() -> Fault {
    let entry = |name: &str, status: &str| json!({"contentType": name, "status": status, "webhook": null});
    let listed = json!([
        entry("Audit.General", "disabled"),
        entry("Audit.SharePoint", "enabled"),
        entry("Audit.Exchange", "enabled"),
    ]);
    let answer = Answer { status: 200, body: listed.to_string(), ..Answer::default() };
    Fault::new(Endpoint::Subscriptions, When::Always, Effect::Answer(answer))
}

/// A handler as an archive without modes leaves it.
fn not_executable(folder: &Path) {
    let handler = folder.join("handler");
    std::fs::remove_file(&handler).unwrap();
    std::fs::write(&handler, "").unwrap();
    std::fs::set_permissions(&handler, std::fs::Permissions::from_mode(0o644)).unwrap();
}

fn always(on: Endpoint, status: u16) -> Fault {
    Fault::new(on, When::Always, Effect::status(status))
}

const ANOTHER: &str = "11111111-2222-4333-8444-555555555555";
