//! The `roomd` program.

fn main() {}
