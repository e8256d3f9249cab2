//! The `tlstriage` command.

mod cli;

use std::process::ExitCode;

/// A flow takes and gives back dozens of small pieces of memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
