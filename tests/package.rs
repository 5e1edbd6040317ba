//! The package: what `scripts/package` makes of the binary under test, or, where `PACKAGE_ZIP` names one, a package that
//! was made before, such as that of a release. It is unpacked into an empty folder and started as the host starts it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by a panic, outside of its own function too"
)]

#[path = "support/azurite.rs"]
#[expect(dead_code, reason = "the tests of runs use the rest")]
mod azurite;
#[path = "support/host.rs"]
#[expect(dead_code, reason = "the tests of runs use the rest")]
mod host;
#[path = "support/world.rs"]
#[expect(dead_code, reason = "the tests of runs use the rest")]
mod world;

#[path = "package/contents.rs"]
mod contents;
#[path = "package/made.rs"]
mod made;
#[path = "package/refusals.rs"]
mod refusals;
#[path = "package/started.rs"]
mod started;
#[path = "package/zip.rs"]
mod zip;
