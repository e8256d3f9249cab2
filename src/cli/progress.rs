//! How far the run has come, on standard error while somebody watches it.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tlstriage::analysis::Progress;

use crate::cli::console::Console;

/// A line that shows the progress until it is dropped.
#[derive(Debug)]
pub(crate) struct Meter {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Meter {
    /// Shows the progress of a run over `total` bytes, if somebody watches.
    pub(crate) fn start(progress: Progress, total: Option<u64>, console: Console) -> Self {
        if !console.is_watched() {
            return Self {
                end: None,
                thread: None,
            };
        }
        let (end, ended) = channel();
        let thread = thread::Builder::new().spawn(move || {
            // A run that is over at once needs no meter.
            let mut wait = FIRST_WAIT;
            let mut bar = None;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let bar = bar.get_or_insert_with(|| new_bar(total));
                show(bar, &progress, total);
                wait = WAIT;
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        });
        Self {
            end: Some(end),
            // Without a thread to spare nothing is shown.
            thread: thread.ok(),
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // A thread that shows nothing any more is no loss.
            let _ = thread.join();
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.clear();
    }
}

fn new_bar(total: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(10));
    let template = if total.is_some() {
        WITH_TOTAL
    } else {
        WITHOUT_TOTAL
    };
    // The templates are constants, so that the fall-back is never seen.
    bar.set_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar
}

fn show(bar: &ProgressBar, progress: &Progress, total: Option<u64>) {
    let bytes = progress.bytes();
    bar.set_position(total.map_or(bytes, |total| bytes.min(total)));
    let (flows, flagged) = (HumanCount(progress.flows()), HumanCount(progress.flagged()));
    bar.set_message(format!("{flows} flows over, {flagged} with findings"));
    bar.tick();
}

const WITH_TOTAL: &str = "{bytes} of {total_bytes}, {bytes_per_sec}, {eta} left, {msg}";
const WITHOUT_TOTAL: &str = "{bytes}, {bytes_per_sec}, {elapsed}, {msg}";
const FIRST_WAIT: Duration = Duration::from_millis(300);
const WAIT: Duration = Duration::from_millis(100);
