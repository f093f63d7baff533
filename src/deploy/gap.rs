//! What of an account could not be told: what was looked for, what there is instead, and where in the files the lookup stands.

use crate::base::{Code, Finding};

/// How many of the things that there are instead are shown.
const SHOWN: usize = 10;

/// One thing that could not be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) code: Code,
    pub(super) message: String,
    /// The key that the lookup stands under; what wrote it knows its place.
    pub(super) path: String,
    pub(super) help: String,
}

impl Gap {
    pub(super) fn finding(self) -> Finding {
        Finding::error(self.code, self.message).path(self.path).help(self.help)
    }
}

impl Gap {
    /// The MSK cluster that rights are on; nothing but its ARN tells which.
    pub(super) fn unsaid_msk_cluster() -> Self {
        Self {
            code: Code::UNSAID,
            message: "the files don't say on which MSK cluster the task roles get their rights".to_owned(),
            path: "x-kafka".to_owned(),
            help: "add cluster: with its ARN, which `aws kafka list-clusters-v2` shows".to_owned(),
        }
    }
}

/// What a lookup is after.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// `VPC`, `ECS cluster`.
    pub(super) kind: &'static str,
    /// `tagged Name=shared`; a name or an id.
    pub(super) words: String,
    /// `x-vpc.Lookup`.
    pub(super) path: String,
    /// Where it was looked for: `eu-west-1`, `vpc-0a1b`.
    pub(super) scope: String,
    /// How what isn't there comes to be there.
    pub(super) make: Option<String>,
}

/// One thing of the account, and how a person tells it from others of its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) value: String,
    pub(super) shown: String,
}

impl Candidate {
    /// `vpc-1 (Name=main, env=dev)`, without the tags that AWS sets.
    pub(super) fn tagged(value: &str, tags: &crate::aws::Tags) -> Self {
        let tags: Vec<String> =
            tags.iter().filter(|(key, _)| !key.starts_with("aws:")).map(|(key, value)| format!("{key}={value}")).collect();
        let shown = if tags.is_empty() { format!("{value} (no tags)") } else { format!("{value} ({})", tags.join(", ")) };
        Self { value: value.to_owned(), shown }
    }

    /// `sg-1 (kafka)`.
    pub(super) fn named(value: &str, name: &str) -> Self {
        Self { value: value.to_owned(), shown: format!("{value} ({name})") }
    }

    /// What is known by this alone.
    pub(super) fn plain(value: &str) -> Self {
        Self { value: value.to_owned(), shown: value.to_owned() }
    }
}

impl Wanted {
    /// Nothing fits; `others` are what there is of the kind.
    pub(super) fn missing(&self, others: &[Candidate]) -> Gap {
        let mut help = there_is(others);
        help.push_str("; correct the lookup");
        if let Some(make) = &self.make {
            help.push_str(", or ");
            help.push_str(make);
        }
        Gap {
            code: Code::NOT_IN_ACCOUNT,
            message: format!("there is no {} {} in {}", self.kind, self.words, self.scope),
            path: self.path.clone(),
            help,
        }
    }

    /// More than one fits.
    pub(super) fn ambiguous(&self, found: &[Candidate]) -> Gap {
        Gap {
            code: Code::FOUND_TWICE,
            message: format!("there are {} of the kind {} {} in {}", found.len(), self.kind, self.words, self.scope),
            path: self.path.clone(),
            help: format!("they are {}; say which, by what only one of them has or by its id", listed(found)),
        }
    }

    /// It is there, and of no use as it is.
    pub(super) fn unusable(&self, why: &str, help: impl Into<String>) -> Gap {
        Gap {
            code: Code::UNUSABLE,
            message: format!("the {} {} can't be used: {why}", self.kind, self.words),
            path: self.path.clone(),
            help: help.into(),
        }
    }

    /// The files say nothing.
    pub(super) fn unsaid(&self, others: &[Candidate]) -> Gap {
        Gap {
            code: Code::UNSAID,
            message: format!("the files don't say which {} is meant", self.kind),
            path: self.path.clone(),
            help: format!("add a lookup by tags or by its id; {}", there_is(others)),
        }
    }

    /// The one that fits, or why there is none. `others` is asked only when nothing fits.
    pub(super) fn one(&self, mut found: Vec<Candidate>, others: &[Candidate]) -> std::result::Result<String, Gap> {
        found.sort();
        found.dedup();
        match (found.pop(), found.is_empty()) {
            (None, _) => Err(self.missing(others)),
            (Some(only), true) => Ok(only.value),
            (Some(last), false) => {
                found.push(last);
                Err(self.ambiguous(&found))
            }
        }
    }
}

fn there_is(others: &[Candidate]) -> String {
    if others.is_empty() { "there is nothing of the kind".to_owned() } else { format!("there is {}", listed(others)) }
}

fn listed(candidates: &[Candidate]) -> String {
    let mut shown: Vec<&str> = candidates.iter().take(SHOWN).map(|candidate| candidate.shown.as_str()).collect();
    let more = format!("and {} more", candidates.len().saturating_sub(SHOWN));
    if candidates.len() > SHOWN {
        shown.push(&more);
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Wanted};
    use crate::aws::Tags;
    use crate::base::Code;

    fn vpc() -> Wanted {
        Wanted {
            kind: "VPC",
            words: "tagged Name=shared".to_owned(),
            path: "x-vpc".to_owned(),
            scope: "eu-west-1".to_owned(),
            make: None,
        }
    }

    #[test]
    fn what_there_is_instead_is_shown_without_the_tags_of_aws() {
        let tags =
            Tags::from([("Name", "main"), ("aws:cloudformation:stack-name", "x")].map(|(k, v)| (k.to_owned(), v.to_owned())));
        let gap = vpc().one(Vec::new(), &[Candidate::tagged("vpc-1", &tags)]).unwrap_err();
        assert_eq!(gap.code, Code::NOT_IN_ACCOUNT);
        assert_eq!(gap.message, "there is no VPC tagged Name=shared in eu-west-1");
        assert_eq!(gap.help, "there is vpc-1 (Name=main); correct the lookup");
        assert!(vpc().one(Vec::new(), &[]).unwrap_err().help.starts_with("there is nothing of the kind"));
    }

    #[test]
    fn two_that_fit_are_named_both() {
        let two = ["vpc-2", "vpc-1", "vpc-1"].map(Candidate::plain).to_vec();
        let gap = vpc().one(two, &[]).unwrap_err();
        assert_eq!(gap.code, Code::FOUND_TWICE);
        assert!(gap.help.starts_with("they are vpc-1, vpc-2;"), "{}", gap.help);
        assert_eq!(vpc().one(vec![Candidate::plain("vpc-1")], &[]).unwrap(), "vpc-1");
    }

    #[test]
    fn a_long_list_has_an_end() {
        let many: Vec<_> = (0..14).map(|number| Candidate::plain(&format!("vpc-{number:02}"))).collect();
        let help = vpc().missing(&many).help;
        assert!(help.contains("vpc-09, and 4 more"), "{help}");
    }
}
