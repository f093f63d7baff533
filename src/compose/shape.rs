//! The language in which [`super::spec`] writes the Compose Specification: which types a value may have, which keys a
//! mapping knows.

/// What a value may be: any of its scalar types, a list, a mapping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) scalars: u8,
    pub(super) list: Option<&'static List>,
    pub(super) map: Option<&'static Mapping>,
    /// The only strings that are allowed; empty: all.
    pub(super) words: &'static [&'static str],
    pub(super) range: Option<(i64, i64)>,
    pub(super) text: Option<TextRule>,
    /// Anything at all.
    pub(super) any: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    pub(super) item: Shape,
    pub(super) unique: bool,
}

/// A mapping: known keys, and what other names may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mapping {
    pub(super) keys: &'static [(&'static str, Shape)],
    pub(super) names: Option<(Names, Shape)>,
    pub(super) required: &'static [&'static str],
    /// Are `x-` keys allowed?
    pub(super) extensible: bool,
    /// Are keys that nobody knows passed over?
    pub(super) open: bool,
}

/// Which names a mapping by name takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Any,
    /// Letters, digits, `.`, `_` and `-`.
    Word,
    /// Lower-case letters. Any other name is allowed too, and what it holds is not looked at.
    Letters,
}

/// A rule for a string beyond its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextRule {
    ContainerName,
    PullPolicy,
    /// Read by the model, which says what is wrong with it.
    Duration,
}

pub(super) const STR: u8 = 1;
pub(super) const INT: u8 = 2;
/// Any number.
pub(super) const NUM: u8 = 4 | INT;
pub(super) const BOOL: u8 = 8;
pub(super) const NULL: u8 = 16;
/// Where a string is allowed: also an unquoted date, which becomes one.
pub(super) const DATE: u8 = 32;

impl Shape {
    pub(super) const NONE: Self = Self { scalars: 0, list: None, map: None, words: &[], range: None, text: None, any: false };
    pub(super) const ANY: Self = Self { any: true, ..Self::NONE };
    pub(super) const STRING: Self = Self::of(STR);
    pub(super) const DURATION: Self = Self::STRING.text(TextRule::Duration);

    pub(super) const fn of(scalars: u8) -> Self {
        Self { scalars, ..Self::NONE }
    }

    /// A string out of a few.
    pub(super) const fn words(words: &'static [&'static str]) -> Self {
        Self { scalars: STR, words, ..Self::NONE }
    }

    pub(super) const fn list(list: &'static List) -> Self {
        Self { list: Some(list), ..Self::NONE }
    }

    pub(super) const fn map(map: &'static Mapping) -> Self {
        Self { map: Some(map), ..Self::NONE }
    }

    /// … or one of these scalars.
    pub(super) const fn or(self, scalars: u8) -> Self {
        Self { scalars: self.scalars | scalars, ..self }
    }

    /// … or a mapping.
    pub(super) const fn or_map(self, map: &'static Mapping) -> Self {
        Self { map: Some(map), ..self }
    }

    pub(super) const fn within(self, lowest: i64, highest: i64) -> Self {
        Self { range: Some((lowest, highest)), ..self }
    }

    pub(super) const fn text(self, rule: TextRule) -> Self {
        Self { text: Some(rule), ..self }
    }

    /// In words: `a string or a list`.
    pub(super) fn expected(&self) -> String {
        let mut kinds = Vec::new();
        for (flag, kind) in [(STR, "a string"), (BOOL, "a boolean")] {
            if self.scalars & flag == flag {
                kinds.push(kind);
            }
        }
        if self.scalars & NUM == NUM {
            kinds.insert(kinds.len().min(1), "a number");
        } else if self.scalars & INT == INT {
            kinds.insert(kinds.len().min(1), "a whole number");
        }
        if self.list.is_some() {
            kinds.push("a list");
        }
        if self.map.is_some() {
            kinds.push("a mapping");
        }
        match kinds.as_slice() {
            [] => "nothing".to_owned(),
            [one] => (*one).to_owned(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        }
    }
}

impl Mapping {
    /// The shape of a known key. The keys stand in the order of their letters; a test holds that.
    pub(super) fn shape(&'static self, key: &str) -> Option<&'static Shape> {
        self.keys.binary_search_by(|(known, _)| (*known).cmp(key)).ok().map(|index| &self.keys[index].1)
    }

    /// Known keys and `x-` keys.
    pub(super) const fn keys(keys: &'static [(&'static str, Shape)]) -> Self {
        Self { keys, names: None, required: &[], extensible: true, open: false }
    }

    /// Any names, each with the same shape.
    pub(super) const fn named(names: Names, shape: Shape) -> Self {
        Self { keys: &[], names: Some((names, shape)), required: &[], extensible: false, open: false }
    }

    pub(super) const fn requires(self, required: &'static [&'static str]) -> Self {
        Self { required, ..self }
    }

    pub(super) const fn closed(self) -> Self {
        Self { extensible: false, ..self }
    }

    /// Unknown keys are passed over.
    pub(super) const fn open(self) -> Self {
        Self { open: true, ..self }
    }
}
