//! The codes of findings and checks. A code is stable: it is never reused and never changes its meaning.
//!
//! CE1xx configuration · CE2xx AWS and secrets · CE3xx connection · CE4xx permissions · CE5xx registries and URLs · CE6xx deploy

use std::fmt;

use serde::{Serialize, Serializer};

/// A stable code, shown as `CE101`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CE{}", self.0)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

macro_rules! codes {
    ($($name:ident = $number:literal, $title:literal;)*) => {
        impl Code {
            $(#[doc = $title] pub const $name: Code = Code($number);)*
        }

        /// Every code with its title, in the order of their numbers.
        pub const CODES: &[(Code, &str)] = &[$((Code($number), $title)),*];
    };
}

codes! {
    UNREADABLE_FILE = 101, "a file can't be read";
    YAML_SYNTAX = 102, "a file is not valid YAML";
    TEMPLATE_LIMIT = 189, "the template is over a limit of CloudFormation";
}

#[cfg(test)]
mod tests {
    use super::{CODES, Code};

    #[test]
    fn numbers_are_unique_and_in_order() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_code_reads_as_it_is_searched_for() {
        assert_eq!(Code::UNREADABLE_FILE.to_string(), "CE101");
    }
}
