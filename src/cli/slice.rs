//! `--slice`: the packets of the flagged flows, by a second reading of the inputs.
//!
//! The file is made before anything is read, so that a wrong name costs no run.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, BufWriter};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use tlstriage::input;
use tlstriage::output::Format;
use tlstriage::report::{FlowReport, Severity, SniState, Summary};
use tlstriage::slice::{self, Content, Extent, Slicer, Wanted};

use crate::cli::args::Arguments;
use crate::cli::console::Console;
use crate::cli::inputs::{Again, Inputs};
use crate::cli::outputs;
use crate::cli::values::{Place, Target};

/// A slice that is asked for.
pub(crate) struct Slice {
    path: PathBuf,
    file: File,
    content: Content,
    /// Whether flows that the wanted ones were compared with are wanted too.
    with_neighbours: bool,
    extents: Vec<Extent>,
    servers: HashSet<Server>,
    neighbours: Neighbours,
    left_out: u64,
}

/// A server endpoint.
type Server = (IpAddr, u16);

/// Flows without a fault: of each name and certificate at each server the first.
type Neighbours = BTreeMap<(Server, Asked), Extent>;

/// What tells the flows of a server apart: what was asked for, and the certificate that answered.
type Asked = (SniState, Option<Arc<str>>, Option<[u8; 32]>);

/// What flows of a run are to a slice.
#[derive(Default)]
pub(crate) struct Picked {
    wanted: Vec<(Server, Extent)>,
    neighbours: Vec<((Server, Asked), Extent)>,
}

/// Why there is no slice.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Output(#[from] outputs::Error),
    #[error("{}: cannot be written: {error}", path.display())]
    Open { path: PathBuf, error: io::Error },
    #[error(
        "--slice reads its input a second time, and {name} can be read only once: name a file, or \
         keep what is read with --spool DIR"
    )]
    Once { name: String },
    #[error(
        "{}: flows that were not found in the second reading: {missing}; has an input changed? It is \
         not complete",
        path.display()
    )]
    Missing { path: PathBuf, missing: usize },
    #[error("--slice names a file: packets do not go to standard output")]
    Standard,
    #[error("{}: {error}; it is not complete", path.display())]
    Slice { path: PathBuf, error: slice::Error },
}

/// The slice that is asked for, with its file made.
///
/// # Errors
///
/// When the inputs cannot be read twice, or the file cannot be made, or is one of theirs.
pub(crate) fn asked(
    arguments: &Arguments,
    targets: &[Target],
    inputs: &Inputs,
) -> Result<Option<Slice>, Error> {
    let Some(path) = &arguments.slice else {
        return Ok(None);
    };
    if path.as_os_str() == "-" {
        return Err(Error::Standard);
    }
    if let (None, Some(name)) = (&arguments.spool, inputs.once()) {
        return Err(Error::Once { name });
    }
    let mut all = targets.to_vec();
    all.push(Target {
        format: Format::Text,
        place: Place::File(path.clone()),
    });
    outputs::check(&all, inputs)?;
    let content = if arguments.slice_headers {
        Content::Headers
    } else {
        Content::Whole
    };
    Slice::open(path.clone(), content, arguments.slice_neighbours).map(Some)
}

impl Slice {
    /// Makes the file.
    ///
    /// # Errors
    ///
    /// When that cannot be.
    fn open(path: PathBuf, content: Content, with_neighbours: bool) -> Result<Self, Error> {
        match outputs::create(&path) {
            Ok(file) => Ok(Self {
                path,
                file,
                content,
                with_neighbours,
                extents: Vec::new(),
                servers: HashSet::new(),
                neighbours: Neighbours::new(),
                left_out: 0,
            }),
            Err(error) => Err(Error::Open { path, error }),
        }
    }

    /// Adds flows to what is wanted, in the order of the output.
    pub(crate) fn add(&mut self, picked: Picked) {
        for (server, extent) in picked.wanted {
            if self.extents.len() < MAX_FLOWS {
                self.extents.push(extent);
                self.servers.insert(server);
            } else {
                self.left_out = self.left_out.saturating_add(1);
            }
        }
        if self.with_neighbours {
            for (key, extent) in picked.neighbours {
                if self.neighbours.len() < MAX_NEIGHBOURS {
                    self.neighbours.entry(key).or_insert(extent);
                }
            }
        }
    }

    /// Reads the inputs again, and writes the slice.
    ///
    /// # Errors
    ///
    /// When an input cannot be read again, or the slice cannot be written.
    pub(crate) fn write(
        self,
        summary: &Summary,
        again: &Again,
        console: Console,
    ) -> Result<(), Error> {
        let path = self.path.clone();
        let name = self.path.display().to_string();
        let left_out = self.left_out;
        outputs::empty(&self.file).map_err(|error| Error::Open {
            path: path.clone(),
            error,
        })?;
        let sliced = self.cut(summary, again).map_err(|error| Error::Slice {
            path: path.clone(),
            error,
        })?;
        let (packets, flows) = (sliced.packets, sliced.flows);
        if flows == 0 {
            console.note(format_args!(
                "{name}: no flow was flagged, so it has no packets"
            ));
        } else {
            console.note(format_args!("{name}: packets: {packets}, flows: {flows}"));
        }
        if left_out > 0 {
            console.note(format_args!(
                "{name}: flows left out: {left_out}; it has the first {MAX_FLOWS}"
            ));
        }
        if sliced.dropped > 0 {
            console.note(format_args!(
                "{name}: packets in fragments left out: {}",
                sliced.dropped
            ));
        }
        match sliced.missing {
            0 => Ok(()),
            missing => Err(Error::Missing { path, missing }),
        }
    }

    fn cut(self, summary: &Summary, again: &Again) -> Result<slice::Sliced, slice::Error> {
        let files = summary.inputs.iter().map(|input| input.name.clone());
        let servers = self.servers;
        let neighbours = self.neighbours.into_iter();
        let beside = neighbours.filter(|((server, _), _)| servers.contains(server));
        let extents = self.extents.into_iter();
        let wanted = Wanted::new(extents.chain(beside.map(|(_, extent)| extent)), files);
        let mut slicer = Slicer::new(BufWriter::new(self.file), wanted)?;
        let open = |name: &str| {
            let path = again.path(name);
            input::open_path(path).map_err(|error| slice::Error::Read {
                file: name.to_owned(),
                error: error.into(),
            })
        };
        let names: Vec<_> = summary
            .inputs
            .iter()
            .map(|input| &*input.name)
            .filter(|name| slicer.needs(name))
            .collect();
        if self.content == Content::Headers {
            for name in &names {
                slicer.survey(name, open(name)?)?;
            }
        }
        for name in names {
            slicer.read(name, open(name)?)?;
        }
        slicer.finish()
    }
}

/// What these flows are to a slice, on any thread.
pub(crate) fn pick(reports: &[FlowReport], bar: Severity) -> Picked {
    let mut picked = Picked::default();
    for report in reports {
        let Some(extent) = Extent::of(report) else {
            continue;
        };
        let triage = &report.tlstriage;
        let server = (report.destination.ip, report.destination.port);
        if triage.verdict.severity >= bar {
            picked.wanted.push((server, extent));
        } else {
            let name = report.tls.client.server_name.clone();
            let leaf = report.tls.server.leaf.as_ref();
            let asked = (triage.sni, name, leaf.map(|leaf| leaf.hash.sha256.0));
            picked.neighbours.push(((server, asked), extent));
        }
    }
    picked
}

/// Flows of a slice: what is known of each takes a few hundred bytes.
const MAX_FLOWS: usize = 1 << 18;
/// Flows beside them, of all servers.
const MAX_NEIGHBOURS: usize = 1 << 16;
