//! Compose files → [`Project`]: what Docker Compose reads, to the same result, with a place on every value.
//!
//! Comes in: [`LoadOptions`] (what was typed) and the process's environment as a map. Goes out: the merged project and
//! every finding, or the findings alone. The way of a load:
//!
//! ```text
//! environment ─► files ─► yaml ─► interpolate ─► include ─► reset ─► extends ─► merge ─► schema ─► canonical   each document
//!      defaults ─► validate ─► paths ─► normalize ─► model ─► profiles ─► consistency ─► Project              the whole
//! ```
//!
//! Rules: the order of the stages is the reference's (compose-go v2.13), since results depend on it. A stage collects
//! findings and goes on; a value with a finding becomes invalid and is passed over later. Memory and time are bounded by
//! what was read (see [`report`], [`files`] and [`yaml`]). Deviations from Docker Compose: a secret with `x-secrets` needs
//! no source; an unset variable without a default is an error unless [`LoadOptions::unset_is_blank`]; remote includes and
//! `extends` are refused.

mod canonical;
mod consistency;
mod defaults;
mod dotenv;
mod environment;
mod extends;
mod field;
mod files;
mod include;
mod interpolate;
mod layout;
mod load;
mod map;
mod merge;
mod model;
mod node;
mod normalize;
mod number;
mod options;
mod out;
mod output;
mod paths;
mod port_spec;
mod profiles;
mod project;
mod report;
mod reset;
mod scalar;
mod schema;
mod services_env;
mod shape;
mod shell_words;
mod spec;
mod syntax;
mod template;
mod timestamp;
mod touched;
mod unique;
mod units;
mod validate;
mod volume_spec;
mod yaml;
mod yaml_text;

pub use field::{CommandLine, Extensions, OptOut, Scalar, Shown, Text};
pub use load::load;
pub use map::Map;
pub use model::*;
pub use node::{Key, Node, Span, Step, Value};
pub use options::{LoadOptions, Loaded};
pub use output::Format;
pub use project::{NameOrigin, Project};
pub use timestamp::Timestamp;
pub use units::{Bytes, Cpus, Duration, FileMode};
