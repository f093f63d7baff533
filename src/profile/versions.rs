//! Which lines of a component's images there are, and what goes with which: `versions` of a profile, typed.

use serde::Deserialize;

/// What is known of the lines (`major.minor`) of a component's images.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// The first line that there is an image of; the last, where there won't be another.
    pub first: Option<String>,
    pub last: Option<String>,
    /// What to take where a line isn't there.
    pub instead: Option<String>,
    /// Where its lines are counted apart from Confluent Platform's: what each of them works with.
    #[serde(default)]
    pub platform: Vec<PlatformRange>,
    /// Images beside it that must have the same tag.
    #[serde(default)]
    pub same_tag: Vec<String>,
    /// Settings that only some lines know.
    #[serde(default)]
    pub settings: Vec<SettingRange>,
    /// What a kind of cluster asks for.
    #[serde(default)]
    pub clusters: Vec<ClusterRule>,
}

/// A line, and the lines of Confluent Platform that it works with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformRange {
    pub line: String,
    pub first: String,
    pub last: String,
}

/// A setting that an image outside of some lines doesn't start with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingRange {
    /// A star stands for one word of people's own.
    pub property: String,
    /// Only with one of these values; any when none is named.
    #[serde(default)]
    pub is: Vec<String>,
    pub since: Option<String>,
    /// The last line.
    pub until: Option<String>,
    /// What other lines take.
    pub instead: Option<String>,
    pub source: String,
}

impl SettingRange {
    pub fn is_about(&self, property: &str) -> bool {
        match self.property.split_once('*') {
            None => self.property == property,
            Some((start, end)) => property
                .strip_prefix(start)
                .and_then(|rest| rest.strip_suffix(end))
                .is_some_and(|word| !word.is_empty() && !word.contains('.')),
        }
    }
}

/// A setting without which a component is of no use on some kinds of cluster.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterRule {
    pub kafka: Vec<String>,
    pub property: String,
    pub must_be: String,
    pub why: String,
    pub source: String,
}
