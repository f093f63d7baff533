//! Places in the user's files, and the text needed to show them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A place in a file: line and column count from 1, columns in characters. A line of 0 means the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "(String, u32, u32)", from = "(String, u32, u32)")]
pub struct Place {
    pub file: Arc<str>,
    pub line: u32,
    pub column: u32,
}

impl Place {
    pub fn new(file: impl Into<Arc<str>>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line, column }
    }

    /// The file as a whole: it is missing, unreadable, or its size is the matter.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self::new(file, 0, 0)
    }
}

impl From<Place> for (String, u32, u32) {
    fn from(place: Place) -> Self {
        (place.file.to_string(), place.line, place.column)
    }
}

impl From<(String, u32, u32)> for Place {
    fn from((file, line, column): (String, u32, u32)) -> Self {
        Self::new(file, line, column)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 { write!(f, "{}", self.file) } else { write!(f, "{}:{}:{}", self.file, self.line, self.column) }
    }
}

/// The texts that findings point into, by the name a [`Place`] gives them.
#[derive(Debug, Default, Clone)]
pub struct Sources(HashMap<Arc<str>, Arc<str>>);

impl Sources {
    pub fn insert(&mut self, file: Arc<str>, text: Arc<str>) {
        self.0.insert(file, text);
    }

    /// The line a place is on, without its line break.
    pub fn line(&self, place: &Place) -> Option<&str> {
        let index = usize::try_from(place.line).ok()?.checked_sub(1)?;
        // A carriage return alone is a line break too, as the reader of YAML counts.
        self.0.get(&place.file)?.lines().flat_map(|line| line.split('\r')).nth(index)
    }
}
