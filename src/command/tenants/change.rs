//! `labelstream tenants enable` and `disable`.

use std::process::ExitCode;

use labelstream::tenants::edit;

use super::{Stored, say_whether_it_is_read, unchanged};
use crate::command::say;

pub fn enabled(tenant: &str, enabled: bool, stored: &Stored) -> ExitCode {
    let change = edit::change(stored.store.as_ref(), |list| edit::with_enabled(list, tenant, enabled));
    match stored.runtime.block_on(change) {
        Ok(label) => {
            say(&format!("{label} is {} in the list.", if enabled { "enabled" } else { "disabled" }));
            say_whether_it_is_read();
            ExitCode::SUCCESS
        }
        Err(error) => unchanged(&error),
    }
}
