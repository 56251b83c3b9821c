//! Black-box load.
fn main() {}
