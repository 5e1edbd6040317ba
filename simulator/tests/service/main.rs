//! The simulator as a client sees it, over real HTTP.

// Only inside `cfg(test)` may functions that are no tests themselves unwrap.
#[cfg(test)]
mod client;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod ingestion;
#[cfg(test)]
mod process;
#[cfg(test)]
mod provider;
