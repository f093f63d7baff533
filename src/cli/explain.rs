//! `explain`: what was typed.

use clap::Args;

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Code of a finding or a check, as CE402 [default: the log on standard input, else a list of all]
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}
