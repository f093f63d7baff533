//! `profiles`: what was typed.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct ProfilesArgs {
    #[command(subcommand)]
    pub verb: ProfilesVerb,
}

#[derive(Debug, Subcommand)]
pub enum ProfilesVerb {
    /// The components that are known, with their images and versions
    List,
    /// All that is known of one: settings, clients, secret keys, rights, sizes, with their sources
    Show {
        /// Name of the component, or an image that holds it
        #[arg(value_name = "PROFILE")]
        name: String,
    },
}
