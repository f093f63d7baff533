//! files → Project
