//! What the parts of a run cost, one by one: `cargo bench -p labelstream-benches`, with `-- NAME` for some of them.
//!
//! All work on [`data`]: records of the simulator's generator in the mix of a company's feed.

mod batch;
mod data;
mod ids;
mod record;
mod row;

fn main() {
    divan::main();
}
