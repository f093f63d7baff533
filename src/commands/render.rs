//! `render`: the CloudFormation template and its parameters, offline. Only `--resolve` asks an account, for the parameters' values: the
//! template is the same with it and without.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::in_vpc;
use super::project::{Ready, Request, load, placed};
use super::world::{block_on, connect};
use crate::aws::Parameter;
use crate::base::{Code, Exit, Failure, Result};
use crate::cli::{ProjectArgs, RenderArgs, RenderFormat};
use crate::deploy;
use crate::ui::Ui;

pub(super) fn run(project: &ProjectArgs, args: &RenderArgs, ui: &mut Ui) -> Result<Exit> {
    let request = Request { project, name: args.stack.name.as_deref(), account: None, touches_stack: false };
    let ready = load(&request, ui)?;
    let small = if args.in_vpc { Some(in_vpc::small_stack(&ready)?) } else { None };
    let template = small.as_ref().unwrap_or(&ready.template);
    let (text, ending) = match args.format {
        RenderFormat::Yaml => (template.to_yaml(), "yml"),
        RenderFormat::Json => (template.to_json(), "json"),
    };
    let Some(directory) = &args.directory else {
        ui.result(&text);
        return Ok(Exit::Done);
    };
    let looked_up = if args.resolve { resolve(&ready)? } else { Vec::new() };
    let value = |name: &str| looked_up.iter().find(|parameter| parameter.key == name).map(|parameter| parameter.value.as_str());
    fs::create_dir_all(directory).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::usage(format!("{} is no folder", directory.display())).into(),
        _ => unwritable(directory, &error),
    })?;
    let stack = &template.stack_name;
    let outputs =
        [(format!("{stack}.template.{ending}"), text), (format!("{stack}.parameters.json"), template.parameters_json(value))];
    for (name, text) in outputs {
        let path = directory.join(name);
        write(directory, &path, &text)?;
        ui.result(&format!("{}\n", path.display()));
    }
    let open: Vec<(&str, &str)> = template
        .open_parameters()
        .filter(|(name, _)| value(name).is_none())
        .map(|(name, parameter)| (name, parameter.description.as_str()))
        .collect();
    ui.open_parameters(&open);
    Ok(Exit::Done)
}

/// The values that the account has for the parameters.
fn resolve(ready: &Ready) -> Result<Vec<Parameter>> {
    block_on(async {
        let account = connect().await?;
        let current = account.stack(&ready.template.stack_name).await?;
        deploy::parameters(&account, &ready.template, current.as_ref()).await
    })
    .map_err(|error| placed(error, &ready.project))
}

/// Writes a file whole or not at all: who reads it meanwhile sees the old one or the new one.
fn write(directory: &Path, path: &Path, text: &str) -> Result<()> {
    let written = tempfile::Builder::new().prefix(".confluent-ecs").tempfile_in(directory).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        set_readable(file.as_file())?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|error| unwritable(path, &error))
}

/// Temporary files are the owner's alone; a template is as readable as any other file.
fn set_readable(file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

fn unwritable(path: &Path, error: &std::io::Error) -> crate::base::Error {
    Failure::usage(format!("{} can't be written", path.display())).code(Code::UNREADABLE_FILE).cause(error).into()
}
