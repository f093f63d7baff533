//! Marks: characters that stand in a value of the project for what only an AWS account knows.
//!
//! They are noncharacters, which Unicode keeps for use inside a program: no file holds them by accident, and none leaves it.

/// Stands for the account's id.
pub const ACCOUNT_MARK: char = '\u{fdd0}';
/// Stands for the region.
pub const REGION_MARK: char = '\u{fdd1}';
/// Stands for what AWS's names end in, which China has of its own.
pub const SUFFIX_MARK: char = '\u{fdd2}';

/// Whether a character is one of the marks.
pub fn is_mark(c: char) -> bool {
    matches!(c, ACCOUNT_MARK | REGION_MARK | SUFFIX_MARK)
}
