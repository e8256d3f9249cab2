//! Ctrl-C is how a live capture ends: the first SIGINT or SIGTERM ends the input, the second the
//! program.
//!
//! Only where there are signals; elsewhere Ctrl-C ends the program at once.

use std::io;

use tlstriage::analysis::Progress;

use crate::cli::console::Console;

/// Listens for signals from now on.
///
/// # Errors
///
/// When the system does not let us.
#[cfg(unix)]
pub(crate) fn listen(progress: Progress, console: Console) -> io::Result<()> {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;

    // A file that may not grow further would end the program; caught, it is an error of writing.
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::Builder::new().spawn(move || {
        let mut is_first = true;
        for signal in signals.forever() {
            if !is_first {
                // As shells count the end by a signal.
                std::process::exit(128 + signal);
            }
            is_first = false;
            progress.stop();
            console.note("the input ends, what was read is judged; a second signal stops at once");
        }
    })?;
    Ok(())
}

/// Listens for nothing.
#[cfg(not(unix))]
pub(crate) fn listen(_: Progress, _: Console) -> io::Result<()> {
    Ok(())
}
