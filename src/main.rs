//! The `tlstriage` command.

fn main() {}
