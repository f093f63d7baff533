//! `config`: the merged project as Docker Compose prints it, and all findings.

use crate::base::{Exit, Result};
use crate::cli::{ConfigArgs, ProjectArgs};
use crate::ui::Ui;

pub(super) fn run(_project: &ProjectArgs, _args: &ConfigArgs, _ui: &mut Ui) -> Result<Exit> {
    Ok(Exit::Done)
}
