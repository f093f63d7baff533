//! `init`: writes a project that is right for the cluster.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::base::{Exit, Failure, Result};
use crate::cli::{InitArgs, ProjectArgs};
use crate::init::{self, Certificate, Given, Model};
use crate::profile::Catalogue;
use crate::ui::Ui;

pub(super) fn run(project: &ProjectArgs, args: &InitArgs, ui: &mut Ui) -> Result<Exit> {
    let folder = folder(project)?;
    init::check_folder(&folder)?;
    let catalogue = Catalogue::builtin()?;
    let mut given = given(&folder, project, args)?;
    while ui.can_ask() {
        let Some(missing) = given.missing().first().copied() else { break };
        let answer = match missing.options {
            [] => ui.ask(missing.question, None)?,
            options => ui.choose(missing.question, options)?,
        };
        given.answer(missing, answer);
    }
    let model = Model::new(&given.settle(catalogue)?)?;
    let files = init::files(&model)?;
    let outcomes = init::write(&folder, &files, args.force, |staged| init::verify(&model, staged))?;
    ui.init_report(&model, project.project_directory.as_deref(), &outcomes)
}

fn folder(project: &ProjectArgs) -> Result<PathBuf> {
    match &project.project_directory {
        Some(folder) if folder.is_dir() => Ok(folder.clone()),
        Some(folder) => Err(Failure::usage(format!("{} is no folder", folder.display())).help("make it, or name another").into()),
        None => env::current_dir().map_err(|error| Failure::usage("there is no current folder").cause(error).into()),
    }
}

fn given(folder: &Path, project: &ProjectArgs, args: &InitArgs) -> Result<Given> {
    let ca = args.ca_file.as_deref().map(certificate).transpose()?;
    Ok(Given {
        profiles: args.profiles.clone(),
        project: Some(project.project_name.clone().unwrap_or_else(|| init::project_name(folder))),
        env: project.env.clone(),
        kafka: args.kafka.clone(),
        bootstrap: args.bootstrap.clone(),
        mechanism: args.mechanism.clone(),
        cluster: args.cluster.clone(),
        kafka_environment: args.kafka_environment.clone(),
        principals: args.principals.clone(),
        ca,
        admin_config: args.admin_config.clone(),
        vpc_tag: args.vpc_tag.clone(),
        subnet_tag: args.subnet_tag.clone(),
        ecs_cluster: args.ecs_cluster.clone(),
    })
}

fn certificate(path: &Path) -> Result<Certificate> {
    let file = path.display().to_string();
    let text =
        fs::read_to_string(path).map_err(|error| Failure::usage(format!("--ca-file: {file} can't be read")).cause(error))?;
    Ok(Certificate { file, text })
}
