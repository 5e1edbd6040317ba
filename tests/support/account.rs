//! Accounts of the shared emulator, each for one test.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::azurite::{ACCOUNT, Azurite, OTHER_ACCOUNT};

/// The name and the connection string of an account that no other test of this binary has.
pub fn own_account() -> (String, String) {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let name = format!("{OTHER_ACCOUNT}{}", TAKEN.fetch_add(1, Ordering::Relaxed) + 1);
    let string = Azurite::shared().connection_string().replace(ACCOUNT, &name);
    (name, string)
}
