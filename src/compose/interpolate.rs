//! Interpolation of a document: every string value, never a key, and never parsed as YAML again. Strings at typed paths
//! are cast afterwards, also those without a variable.

use std::collections::BTreeMap;

use super::node::Step::{self, Item as I, Key as K};
use super::node::{Node, Span, Value, show};
use super::number;
use super::report::Report;
use super::template::{Fault, Variables, substitute};
use crate::base::{Code, Severity};

/// Variables that were used without a value, with every place that was written: an alias repeats none.
#[derive(Debug, Default)]
pub(super) struct Unset(BTreeMap<String, Uses>);

/// Where a variable was used, and the path there, by file, line and column.
type Uses = BTreeMap<(u32, u32, u32), (Span, String)>;

impl Unset {
    pub(super) fn note(&mut self, name: String, span: Span, path: &[Step<'_>]) {
        let places = self.0.entry(name).or_default();
        places.entry((span.file, span.line, span.column)).or_insert_with(|| (span, show(path)));
    }

    /// Blank, as Docker does: one warning a variable. Else it is an error, one a place.
    pub(super) fn report(self, blank: bool, report: &mut Report) {
        for (name, places) in self.0 {
            let more = match places.len() {
                _ if !blank => String::new(),
                0 | 1 => String::new(),
                2 => " (and in 1 more place)".to_owned(),
                uses => format!(" (and in {} more places)", uses - 1),
            };
            let blank_here = if blank { "; it is blank here" } else { "" };
            for (span, path) in places.into_values().take(if blank { 1 } else { usize::MAX }) {
                let message = format!("the variable {name} is not set{blank_here}{more}");
                let finding = report.error(Code::VARIABLE_UNSET, span, &[], message);
                if blank {
                    finding.severity = Severity::Warning;
                }
                finding.path = Some(path).filter(|path| !path.is_empty());
                finding.help =
                    Some(format!("set {name} in the environment or an env file, or give it a default: ${{{name}:-…}}"));
            }
        }
    }
}

/// Interpolates a document in place.
pub(super) fn document(root: &mut Node, variables: &Variables, unset: &mut Unset, report: &mut Report) {
    Interpolation { variables, unset, report }.node(root, &mut Vec::new());
}

struct Interpolation<'i> {
    variables: &'i Variables,
    unset: &'i mut Unset,
    report: &'i mut Report,
}

impl Interpolation<'_> {
    fn node<'n>(&mut self, node: &'n mut Node, path: &mut Vec<Step<'n>>) {
        if let Value::Str(text) = &node.value {
            if let Some(value) = self.string(text, node.span, path) {
                node.value = value;
            }
            return;
        }
        match &mut node.value {
            Value::Seq(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    path.push(I(index));
                    self.node(item, path);
                    path.pop();
                }
            }
            Value::Map(map) => {
                for (key, value) in map.iter_mut() {
                    path.push(K(&key.text));
                    self.node(value, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    /// The new value of a string; none when it stays as it is.
    fn string(&mut self, text: &str, span: Span, path: &[Step<'_>]) -> Option<Value> {
        let value = if text.contains('$') {
            let mut unset = Vec::new();
            let lookup = |name: &str| self.variables.get(name).cloned();
            let substituted = substitute(text, &lookup, &mut unset);
            for name in unset {
                self.unset.note(name, span, path);
            }
            match substituted {
                Ok(value) if self.report.spend(value.len(), span, path) => Some(value),
                Ok(_) => return Some(Value::Invalid),
                Err(fault) => {
                    explain(&fault, text, span, path, self.report);
                    return Some(Value::Invalid);
                }
            }
        } else {
            None
        };
        match cast(path) {
            Some(cast) => Some(self.cast(cast, value.as_deref().unwrap_or(text), span, path)),
            None => value.map(Value::Str),
        }
    }

    fn cast(&mut self, cast: Cast, text: &str, span: Span, path: &[Step<'_>]) -> Value {
        let value = match cast {
            Cast::Int => number::decimal(text).map(|value| Value::Int(value, None)),
            Cast::Float => number::float(text).map(|value| Value::Float(value, None)),
            Cast::Bool => boolean(text).map(|value| Value::Bool(value, None)),
        };
        let Some(value) = value else {
            let expected = match cast {
                Cast::Int => "a whole number",
                Cast::Float => "a number",
                Cast::Bool => "a boolean (true or false)",
            };
            self.report.error(Code::WRONG_TYPE, span, path, format!("invalid value \"{text}\": it is not {expected}"));
            return Value::Invalid;
        };
        if let Value::Bool(truth, _) = value
            && !text.eq_ignore_ascii_case("true")
            && !text.eq_ignore_ascii_case("false")
        {
            let message = format!("\"{text}\" is not a boolean of YAML 1.2; it is taken as {truth}");
            self.report.warning(Code::DEPRECATED, span, path, message).help = Some(format!("write {truth}"));
        }
        value
    }
}

/// The finding for a text that can't be interpolated.
pub(super) fn explain(fault: &Fault, text: &str, span: Span, path: &[Step<'_>], report: &mut Report) {
    match fault {
        Fault::Invalid { at } => {
            let whole = Node::string(text, span).found();
            let message = format!("invalid interpolation format in {whole}: \"{at}\" is not a variable");
            report.error(Code::INTERPOLATION, span, path, message).help =
                Some("write ${NAME} or ${NAME:-default}; for a dollar sign itself, $$".to_owned());
        }
        Fault::Required { variable, reason } => {
            let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            let message = format!("the required variable {variable} is missing a value{reason}");
            // The one that is set by a flag.
            let by_flag = if variable == "ENV_NAME" { "say which environment with --env, or " } else { "" };
            report.error(Code::VARIABLE_REQUIRED, span, path, message).help =
                Some(format!("{by_flag}set {variable} in the environment or in an env file"));
        }
        Fault::TooDeep => {
            report.error(Code::INTERPOLATION, span, path, "defaults are nested too deep");
        }
    }
}

#[derive(Clone, Copy)]
enum Cast {
    Int,
    Float,
    Bool,
}

/// The type that strings at a path are cast to.
#[allow(clippy::unnested_or_patterns, clippy::match_same_arms, reason = "one line a kind of path reads as a table")]
fn cast(path: &[Step<'_>]) -> Option<Cast> {
    Some(match path {
        [K("services"), K(_), field @ ..] => match field {
            [K(key)] => match *key {
                "cpu_count" | "cpu_period" | "cpu_quota" | "cpu_rt_period" | "cpu_rt_runtime" | "cpu_shares" => Cast::Int,
                "oom_score_adj" | "pids_limit" | "scale" => Cast::Int,
                "cpu_percent" | "cpus" => Cast::Float,
                "init" | "oom_kill_disable" | "privileged" | "read_only" | "stdin_open" | "tty" => Cast::Bool,
                _ => return None,
            },
            [K("deploy"), deploy @ ..] => match deploy {
                [K("replicas")] => Cast::Int,
                [K("update_config" | "rollback_config"), K("parallelism")] => Cast::Int,
                [K("update_config" | "rollback_config"), K("max_failure_ratio")] => Cast::Float,
                [K("restart_policy"), K("max_attempts")] => Cast::Int,
                [K("placement"), K("max_replicas_per_node")] => Cast::Int,
                _ => return None,
            },
            [K("healthcheck"), K("retries")] => Cast::Int,
            [K("healthcheck"), K("disable")] => Cast::Bool,
            [K("ports"), I(_), K("target")] => Cast::Int,
            [K("ulimits"), K(_)] => Cast::Int,
            [K("ulimits"), K(_), K("hard" | "soft")] => Cast::Int,
            [K("depends_on"), K(_), K("required" | "restart")] => Cast::Bool,
            [K("volumes"), I(_), K("read_only")] => Cast::Bool,
            [K("volumes"), I(_), K("volume"), K("nocopy")] => Cast::Bool,
            _ => return None,
        },
        [K("networks"), K(_), K("external" | "internal" | "attachable" | "enable_ipv4" | "enable_ipv6")]
        | [K("volumes" | "secrets" | "configs"), K(_), K("external")] => Cast::Bool,
        _ => return None,
    })
}

/// A boolean as a cast takes it, in any case; YAML 1.1's words count too.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "y" | "yes" | "on" => Some(true),
        "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}
