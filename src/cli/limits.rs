//! The bounds on memory by name: what `--limit NAME=VALUE` may change.

use std::fmt::Write as _;

use thiserror::Error;
use tlstriage::reassembly::Limits;

use crate::cli::values;

/// A bound and its new value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    limit: &'static Limit,
    value: usize,
}

impl Setting {
    /// The limits with this bound changed.
    pub(crate) fn apply(self, limits: Limits) -> Limits {
        (self.limit.set)(limits, self.value)
    }
}

/// A bound that can be changed.
#[derive(Debug)]
struct Limit {
    name: &'static str,
    what: &'static str,
    unit: Unit,
    value: fn(&Limits) -> usize,
    set: fn(Limits, usize) -> Limits,
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    Bytes,
    Count,
}

/// Why a bound cannot be changed so.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("write it as NAME=VALUE")]
    NoValue,
    #[error("no such limit; known are {}", names())]
    Unknown,
    #[error(transparent)]
    Value(#[from] values::Error),
    #[error("a limit is at least 1")]
    Zero,
}

/// Reads `NAME=VALUE`.
pub(crate) fn parse(text: &str) -> Result<Setting, Error> {
    let (name, value) = text.split_once('=').ok_or(Error::NoValue)?;
    let limit = LIMITS
        .iter()
        .find(|limit| limit.name == name)
        .ok_or(Error::Unknown)?;
    match values::size(value)? {
        0 => Err(Error::Zero),
        value => Ok(Setting { limit, value }),
    }
}

/// The list of all bounds, for the help.
pub(crate) fn help() -> String {
    let defaults = Limits::default();
    let mut help = "Change a bound on memory; may be repeated. A value may have a unit, as 64KiB or 16MiB. What a \
                    limit cut off is counted and said. The limits and their defaults:\n"
        .to_owned();
    for limit in LIMITS {
        let value = limit.unit.show((limit.value)(&defaults));
        let shown = format!("{}={value}", limit.name);
        // A string takes everything.
        let _ = write!(help, "\n  {shown:<30}{}", limit.what);
    }
    help
}

impl Unit {
    fn show(self, value: usize) -> String {
        match self {
            Self::Bytes if value.is_multiple_of(MIB) => format!("{}MiB", value / MIB),
            Self::Bytes if value.is_multiple_of(KIB) => format!("{}KiB", value / KIB),
            _ => value.to_string(),
        }
    }
}

fn names() -> String {
    LIMITS
        .iter()
        .map(|limit| limit.name)
        .collect::<Vec<_>>()
        .join(", ")
}

const LIMITS: &[Limit] = &[
    Limit {
        name: "flows",
        what: "flows in the table at once",
        unit: Unit::Count,
        value: |limits| limits.flows,
        set: Limits::with_flows,
    },
    Limit {
        name: "half-open",
        what: "flows of which only a SYN was seen",
        unit: Unit::Count,
        value: |limits| limits.half_open,
        set: Limits::with_half_open,
    },
    Limit {
        name: "waiting-total",
        what: "bytes that wait for earlier ones, of all flows",
        unit: Unit::Bytes,
        value: |limits| limits.waiting_total,
        set: Limits::with_waiting_total,
    },
    Limit {
        name: "waiting-per-direction",
        what: "the same, of one direction of a flow",
        unit: Unit::Bytes,
        value: |limits| limits.waiting_per_direction,
        set: Limits::with_waiting_per_direction,
    },
    Limit {
        name: "fragments-total",
        what: "bytes of IP fragments that wait",
        unit: Unit::Bytes,
        value: |limits| limits.fragments_total,
        set: Limits::with_fragments_total,
    },
    Limit {
        name: "fragments-per-packet",
        what: "fragments of one IP packet",
        unit: Unit::Count,
        value: |limits| limits.fragments_per_packet,
        set: Limits::with_fragments_per_packet,
    },
    Limit {
        name: "stories",
        what: "closed flows that wait for their judgement",
        unit: Unit::Count,
        value: |limits| limits.stories,
        set: Limits::with_stories,
    },
    Limit {
        name: "endpoints",
        what: "server endpoints whose flows are compared",
        unit: Unit::Count,
        value: |limits| limits.endpoints,
        set: Limits::with_endpoints,
    },
    Limit {
        name: "endpoint-names",
        what: "names and certificates of one endpoint",
        unit: Unit::Count,
        value: |limits| limits.endpoint_names,
        set: Limits::with_endpoint_names,
    },
    Limit {
        name: "certificates-total",
        what: "bytes of distinct certificates",
        unit: Unit::Bytes,
        value: |limits| limits.certificates_total,
        set: Limits::with_certificates_total,
    },
    Limit {
        name: "large-chains-total",
        what: "bytes of distinct large certificates in tables, in stories and in books",
        unit: Unit::Bytes,
        value: |limits| limits.large_chains_total,
        set: Limits::with_large_chains_total,
    },
];

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_changed_by_its_name() {
        for limit in LIMITS {
            let setting = parse(&format!("{}=17", limit.name)).unwrap();
            let limits = setting.apply(Limits::default());
            assert_eq!((limit.value)(&limits), 17, "{}", limit.name);
            assert_ne!(limits, Limits::default());
        }
    }

    #[test]
    fn the_default_in_the_help_is_what_the_limit_is() {
        for limit in LIMITS {
            let default = (limit.value)(&Limits::default());
            let shown = limit.unit.show(default);
            assert_eq!(values::size(&shown), Ok(default));
            assert!(help().contains(&format!("{}={shown} ", limit.name)));
        }
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        assert!(matches!(parse("flows"), Err(Error::NoValue)));
        assert!(matches!(parse("Flows=1"), Err(Error::Unknown)));
        assert!(matches!(parse("flows=0"), Err(Error::Zero)));
        assert!(matches!(parse("flows=x"), Err(Error::Value(_))));
    }
}
