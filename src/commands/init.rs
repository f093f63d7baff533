//! `init`: writes a project that is right for the cluster.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::catalogue::catalogue;
use crate::base::{Exit, Failure, Result};
use crate::cli::{InitArgs, ProjectArgs};
use crate::init::{self, Certificate, Given, Model, Present};
use crate::ui::Ui;

pub(super) fn run(project: &ProjectArgs, args: &InitArgs, ui: &mut Ui) -> Result<Exit> {
    let folder = folder(project)?;
    init::check_folder(&folder)?;
    let catalogue = catalogue(project)?;
    let present = Present::read(&folder, project.env.as_deref(), catalogue);
    let mut given = given(&folder, project, args)?;
    if args.force {
        // What replaces a file must not leave out what else it speaks of.
        let others: Vec<String> = present.in_env.iter().filter(|name| !given.profiles.contains(name)).cloned().collect();
        given.profiles.extend(others);
    }
    present.fill(&mut given, catalogue);
    while ui.can_ask() {
        let Some(missing) = given.missing(catalogue).into_iter().next() else { break };
        let options: Vec<&str> = missing.options.iter().map(String::as_str).collect();
        let answer = match options.as_slice() {
            [] => ui.ask(missing.question, None)?,
            options => ui.choose(missing.question, options)?,
        };
        let mut answered = given.clone();
        answered.answer(&missing, answer);
        match answered.trouble(&missing, catalogue) {
            // One answer at a time: what is wrong with it is said while the question is still in mind.
            Some(trouble) => ui.note(&trouble),
            None => given = answered,
        }
    }
    let others: Vec<String> = present.components.iter().filter(|name| !given.profiles.contains(name)).cloned().collect();
    let model = Model::new(&given.settle(catalogue, &others)?)?;
    let files = init::files(&model, args.github_actions)?;
    let outcomes =
        init::write(&folder, &files, args.force, |staged, outcomes| init::verify(&model, catalogue, &folder, staged, outcomes))?;
    ui.init_report(&model, project.project_directory.as_deref(), &outcomes)
}

fn folder(project: &ProjectArgs) -> Result<PathBuf> {
    let folder = match &project.project_directory {
        Some(folder) if folder.is_dir() => folder.clone(),
        Some(folder) => {
            return Err(Failure::usage(format!("{} is no folder", folder.display())).help("make it, or name another").into());
        }
        None => {
            return env::current_dir().map_err(|error| Failure::usage("there is no current folder").cause(error).into());
        }
    };
    std::path::absolute(&folder)
        .map_err(|error| Failure::usage(format!("{} can't be found", folder.display())).cause(error).into())
}

fn given(folder: &Path, project: &ProjectArgs, args: &InitArgs) -> Result<Given> {
    let ca = args.ca_file.as_deref().map(certificate).transpose()?;
    Ok(Given {
        profiles: args.profiles.clone(),
        project: Some(project.project_name.clone().unwrap_or_else(|| init::project_name(folder))),
        env: project.env.clone(),
        kafka: args.kafka.clone(),
        bootstrap: args.bootstrap.clone(),
        security: args.security.clone(),
        mechanism: args.mechanism.clone(),
        client_certificate: args.client_certificate,
        cluster: args.cluster.clone(),
        kafka_environment: args.kafka_environment.clone(),
        principals: args.principals.clone(),
        ca,
        admin_config: args.admin_config.clone(),
        security_group: args.kafka_security_group.clone(),
        token_endpoint: args.token_endpoint.clone(),
        identity_pool: args.identity_pool.clone(),
        oauth_scope: args.oauth_scope.clone(),
        registry: args.registry.clone(),
        registry_url: args.registry_url.clone(),
        registry_login: args.registry_login,
        registry_name: args.registry_name.clone(),
        license: args.license,
        spot: args.spot,
        images: args.images.clone(),
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
