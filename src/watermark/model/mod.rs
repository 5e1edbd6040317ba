//! A small world around [`Progress`](super::Progress) and [`Memory`](super::Memory), in which everything happens that
//! may happen to a run: pages, failures, batches whose answers come or are lost, saves that are cut short, kills, and a
//! second run that begins when the lease of the first one ran out. What is decided, remembered and written is the real
//! code; the world says only in which order things come. Whatever the order, nothing may be lost, and only what was
//! under way when something broke may come twice.
//!
//! - [`world`]: what the feed serves, and how much may go wrong.
//! - [`store`]: a store that keeps its conditions, and loses answers.
//! - [`instance`]: one run, which does what the stages of `pull` do, one step at a time.
//! - [`state`]: all of it together, and every step that is possible next.
//! - [`judge`]: what must hold in each state.
//! - [`exhaustive`]: every order of steps of small worlds. [`random`]: some orders of larger ones.
//!
//! The search is our own: a stack of states and a set of the fingerprints of those that were seen. A library for this
//! would want the same description of states and steps, and brings a web server with it.

mod exhaustive;
mod fingerprint;
mod instance;
mod judge;
mod random;
mod state;
mod store;
mod world;
