//! What all flows of a run leave for the page: counts, and lists within bounds.
//!
//! Filled in the order of the output, so that what a bound leaves out is the same in every run.

use std::collections::{BTreeMap, HashMap};

use crate::output::html::digest::{Card, Line, Passed, Row, lines};
use crate::output::html::fate::{Fate, Fates};
use crate::output::html::timeline::Timeline;

/// The makings of the page.
#[derive(Debug, Default)]
pub(in crate::output) struct Gathered {
    pub(in crate::output) timeline: Timeline,
    pub(in crate::output) fates: Fates,
    /// Flows without a certificate, by the reason.
    pub(in crate::output) unseen: BTreeMap<String, u64>,
    /// Flows whose evidence lacks something, by what it is.
    pub(in crate::output) missing: BTreeMap<String, u64>,
    pub(in crate::output) rows: Vec<Row>,
    pub(in crate::output) rows_left_out: u64,
    /// Rows with the same verdict at the same server.
    kinds: HashMap<(String, String), usize>,
    leaves: BTreeMap<String, Leaf>,
    /// Flows whose certificate came when the list was full.
    pub(in crate::output) leaf_flows_left_out: u64,
}

/// A server's own certificate, over all flows that showed it.
#[derive(Debug, Default)]
pub(in crate::output) struct Leaf {
    pub(in crate::output) flows: u64,
    pub(in crate::output) failed: u64,
    pub(in crate::output) card: Option<Card>,
}

impl Gathered {
    /// Takes up digests, in the order of the output.
    pub(in crate::output) fn take(&mut self, digests: &[u8]) {
        for line in lines(digests) {
            match line {
                Line::Passed(passed) => self.pass(passed),
                Line::Flagged(row) => self.flag(*row),
                Line::Card(hash, card) => self.keep_card(hash, card),
            }
        }
    }

    /// Each certificate with its SHA-256, in order of that.
    pub(in crate::output) fn leaves(&self) -> impl Iterator<Item = (&str, &Leaf)> {
        self.leaves.iter().map(|(hash, leaf)| (hash.as_str(), leaf))
    }

    fn pass(&mut self, passed: Passed) {
        self.timeline.enter(passed.at, passed.fate);
        self.fates.count(passed.fate);
        // Both are closed lists of words.
        if let Some(reason) = passed.unseen {
            increase(self.unseen.entry(reason).or_default());
        }
        for reason in passed.missing {
            increase(self.missing.entry(reason).or_default());
        }
        if let Some(hash) = passed.leaf {
            if self.leaves.len() >= MAX_LEAVES && !self.leaves.contains_key(&hash) {
                increase(&mut self.leaf_flows_left_out);
                return;
            }
            let leaf = self.leaves.entry(hash).or_default();
            increase(&mut leaf.flows);
            if passed.fate != Fate::Completed && passed.fate != Fate::NotJudged {
                increase(&mut leaf.failed);
            }
        }
    }

    fn keep_card(&mut self, hash: &str, card: &[u8]) {
        if let Some(leaf) = self.leaves.get_mut(hash)
            && leaf.card.is_none()
        {
            leaf.card = serde_json::from_slice(card).ok();
        }
    }

    /// Of one cause at one server, the first flows stand for the others: so a rare cause has its place
    /// beside a frequent one.
    fn flag(&mut self, row: Row) {
        let room = MAX_ROWS.saturating_sub(self.rows.len());
        let kind = (row.verdict.clone(), row.server.clone());
        let is_known = self.kinds.contains_key(&kind);
        if room == 0 || (!is_known && self.kinds.len() >= MAX_ROWS) {
            increase(&mut self.rows_left_out);
            return;
        }
        let alike = self.kinds.entry(kind).or_default();
        if *alike >= MAX_ALIKE {
            increase(&mut self.rows_left_out);
            return;
        }
        *alike = alike.saturating_add(1);
        self.rows.push(row);
    }
}

fn increase(count: &mut u64) {
    *count = count.saturating_add(1);
}

/// Flows in the list of flagged ones: a page of a few hundred kilobytes.
pub(in crate::output) const MAX_ROWS: usize = 600;
/// Of those, flows with the same verdict at the same server.
pub(in crate::output) const MAX_ALIKE: usize = 25;
/// Certificates that are counted.
const MAX_LEAVES: usize = 4096;
