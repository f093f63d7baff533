//! The one way from arguments to a project, its stack and its template, for every verb that needs them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs, mem, thread};

use super::catalogue::catalogue;
use crate::base::{ACCOUNT_MARK, Code, Error, Failure, Finding, Findings, REGION_MARK, Result, Severity, nearest};
use crate::cli::ProjectArgs;
use crate::cloudformation::{self, Template};
use crate::compose::{self, LoadOptions, NameOrigin, Project};
use crate::extensions::{self, Extensions};
use crate::profile::Catalogue;
use crate::stack::{self, Identity, Stack, without_marks};
use crate::ui::Ui;

/// What a verb asks for.
pub(super) struct Request<'a> {
    pub(super) project: &'a ProjectArgs,
    /// `-n`.
    pub(super) name: Option<&'a str>,
    /// The account that the run is for, where it is known. Without it the template asks CloudFormation for it.
    pub(super) account: Option<Account>,
    /// The verb makes, changes or removes a stack: its name must be somebody's choice.
    pub(super) touches_stack: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) region: String,
}

/// A project without an error in it.
#[allow(dead_code, reason = "what render doesn't need, preflight and up do")]
pub(super) struct Ready {
    pub(super) project: Project,
    pub(super) extensions: Extensions,
    pub(super) catalogue: &'static Catalogue,
    pub(super) stack: Stack,
    pub(super) template: Template,
}

/// Loads, decides and renders. Warnings are shown; errors end the run, all of them at once.
pub(super) fn load(request: &Request<'_>, ui: &mut Ui) -> Result<Ready> {
    let Examined { ready, of_files: mut findings, of_stack } = examine(request, ui)?;
    findings.extend(of_stack);
    let findings = readable(findings);
    if findings.has_errors() {
        return Err(Error::Findings(findings));
    }
    ui.findings(&findings);
    Ok(ready)
}

impl Ready {
    /// CloudFormation takes no template without a resource.
    pub(super) fn must_hold_something(&self) -> Result<()> {
        if !self.template.resources.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(format!("the project {} has no service: there is nothing to deploy", self.project.name))
            .help(
                "add a service to the compose file, or look at --profile: services of a profile that is not chosen are left out",
            )
            .help("`confluent-ecs down` deletes what was deployed before")
            .into())
    }
}

/// A project with everything that is wrong with it, for a verb that goes on where it can.
pub(super) struct Examined {
    pub(super) ready: Ready,
    /// Of the files and the x- vocabulary: with an error among these nothing else can be relied on.
    pub(super) of_files: Findings,
    /// Of what would be deployed.
    pub(super) of_stack: Findings,
}

/// As [`load`], but findings are given instead of shown; only files that can't be read as a project end the run.
pub(super) fn examine(request: &Request<'_>, ui: &mut Ui) -> Result<Examined> {
    let catalogue = catalogue(request.project)?;
    let mut options = options(request.project)?;
    account_variables(&mut options, request.account.as_ref());
    let (project, mut of_files) = merged(&options, ui)?;
    let (extensions, of_extensions) = extensions::read(&project);
    of_files.extend(of_extensions);
    let identity = identity(request, &project, &mut of_files)?;
    let (stack, mut of_stack) = stack::build(&project, &extensions, catalogue, &identity);
    let template = cloudformation::template(&stack);
    of_stack.extend(cloudformation::check(&template, template.to_json_minified().len()));
    of_stack.extend(cloudformation::mistakes(&template, &template.overlaid_at));
    let of_stack = at_their_source(of_stack, &project, &template);
    let ready = Ready { project, extensions, catalogue, stack, template };
    Ok(Examined { ready, of_files: readable(of_files), of_stack: readable(of_stack) })
}

/// The project and its x- vocabulary, for a verb that needs no stack. Warnings are shown; errors end the run, all of them at once.
pub(super) fn written(args: &ProjectArgs, ui: &mut Ui) -> Result<(Project, Extensions)> {
    let mut options = options(args)?;
    account_variables(&mut options, None);
    let (project, mut findings) = merged(&options, ui)?;
    let (extensions, of_extensions) = extensions::read(&project);
    findings.extend(of_extensions);
    let findings = readable(findings);
    if findings.has_errors() {
        return Err(Error::Findings(findings));
    }
    ui.findings(&findings);
    Ok((project, extensions))
}

/// The merged project alone, as `config` prints it, by `print`. All findings are shown: those that would stop `render` are
/// warnings here, for Docker takes the project as it is.
///
/// What doesn't need each other is done side by side: a project of a thousand services is there in half the time.
pub(super) fn printed(
    args: &ProjectArgs,
    options: &LoadOptions,
    ui: &mut Ui,
    print: impl FnOnce(&Project) -> String + Send,
) -> Result<String> {
    let (catalogue, merged) = beside(|| catalogue(args), || merged(options, ui));
    let catalogue = catalogue?;
    let (project, mut findings) = merged?;
    let (text, ()) = beside(
        || print(&project),
        || {
            let (extensions, of_extensions) = extensions::read(&project);
            let identity = Identity { name: project.name.clone(), project: project.name.clone(), env: None };
            let (stack, of_stack) = stack::build(&project, &extensions, catalogue, &identity);
            let further = of_extensions.into_iter().chain(of_stack);
            findings.extend(further.map(|finding| Finding { severity: Severity::Warning, ..finding }).collect());
            ui.findings(&readable(findings));
            // As with the project: it is of no more use, and large.
            mem::forget((extensions, stack));
        },
    );
    // The process ends soon; to free a large project would take longer than to print it.
    mem::forget(project);
    Ok(text)
}

/// Does the first on a thread of its own, and the second here.
fn beside<A: Send, B>(first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        (first.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), second)
    })
}

/// The project with its warnings; errors come back together with them.
fn merged(options: &LoadOptions, ui: &mut Ui) -> Result<(Project, Findings)> {
    let loaded = compose::load(options);
    ui.set_sources(loaded.sources);
    match loaded.project {
        Some(project) => Ok((project, loaded.findings)),
        None => Err(Error::Findings(readable(loaded.findings))),
    }
}

/// What was typed, as the loader takes it: `--env dev` is docker-compose.yml and envs/dev.yml with `ENV_NAME=dev`.
pub(super) fn options(args: &ProjectArgs) -> Result<LoadOptions> {
    let current_dir = env::current_dir().map_err(|error| Failure::usage("the current folder can't be read").cause(error))?;
    let text = |value: OsString| value.to_string_lossy().into_owned();
    let mut environment: BTreeMap<String, String> = env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    environment.entry("PWD".to_owned()).or_insert_with(|| current_dir.to_string_lossy().into_owned());
    let mut files: Vec<PathBuf> = args.files.iter().map(PathBuf::from).collect();
    if let Some(name) = &args.env {
        if !is_env_name(name) {
            let failure = Failure::usage(format!("\"{name}\" can't be the name of an environment"));
            return Err(failure.help("letters, digits, dots, hyphens and underscores, as in dev").into());
        }
        environment.insert("ENV_NAME".to_owned(), name.clone());
        if files.is_empty() {
            files = environment_files(&current_dir, args.project_directory.as_deref(), name)?;
        }
    }
    Ok(LoadOptions {
        files,
        project_name: args.project_name.clone(),
        env_files: args.env_files.clone(),
        profiles: args.profiles.clone(),
        project_directory: args.project_directory.clone(),
        environment,
        current_dir,
        ..LoadOptions::default()
    })
}

fn is_env_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

/// The project's file and the one of the environment, which must be there.
fn environment_files(current_dir: &Path, directory: Option<&Path>, name: &str) -> Result<Vec<PathBuf>> {
    const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
    const ENDINGS: [&str; 2] = ["yml", "yaml"];
    let directory = directory.unwrap_or(Path::new(""));
    let is_file = |path: &PathBuf| current_dir.join(path).is_file();
    let base = NAMES.map(|name| directory.join(name)).into_iter().find(is_file);
    let base = base.unwrap_or_else(|| directory.join("docker-compose.yml"));
    let folder = directory.join("envs");
    if let Some(file) = ENDINGS.map(|ending| folder.join(format!("{name}.{ending}"))).into_iter().find(is_file) {
        return Ok(vec![base, file]);
    }
    let mut known: Vec<String> = fs::read_dir(current_dir.join(&folder))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|file| ENDINGS.into_iter().find_map(|ending| Some(file.strip_suffix(ending)?.strip_suffix('.')?.to_owned())))
        .collect();
    known.sort();
    known.dedup();
    let failure =
        Failure::usage(format!("there is no environment {name}: {} is missing", folder.join(format!("{name}.yml")).display()))
            .code(Code::UNREADABLE_FILE);
    let help = match (nearest(name, known.iter().map(String::as_str)), known.is_empty()) {
        (Some(near), _) => format!("did you mean --env {near}?"),
        (None, false) => format!("there are {}", known.join(", ")),
        (None, true) => format!("make one with `confluent-ecs init connect --env {name}`, or name the files with -f"),
    };
    Err(failure.help(help).into())
}

/// The account's variables: the real ones, or marks that become `AWS::AccountId` and `AWS::Region` in the template.
fn account_variables(options: &mut LoadOptions, account: Option<&Account>) {
    let values = match account {
        Some(account) => (account.id.clone(), account.region.clone()),
        None => (ACCOUNT_MARK.to_string(), REGION_MARK.to_string()),
    };
    // The two names of the region mean the same: one that is set stands for the other.
    let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| options.environment.get(*name)).cloned();
    let region = region.filter(|region| !region.is_empty()).unwrap_or(values.1);
    for (name, value) in [("AWS_ACCOUNT_ID", values.0), ("AWS_REGION", region.clone()), ("AWS_DEFAULT_REGION", region)] {
        options.fallbacks.insert(name.to_owned(), value);
    }
}

/// The stack's name and environment. A folder's name is no identity: the same files in another folder would be another stack.
fn identity(request: &Request<'_>, project: &Project, findings: &mut Findings) -> Result<Identity> {
    let env = request.project.env.clone().or_else(|| project.variables.get("ENV_NAME").filter(|env| !env.is_empty()).cloned());
    let name = stack_name(request.project, request.name, project);
    let fits = name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !fits {
        let failure = Failure::usage(format!("\"{name}\" can't be the name of a CloudFormation stack"));
        return Err(failure.help("a letter first, then letters, digits and hyphens; give one with -n").into());
    }
    if project.name_origin == NameOrigin::Folder && request.name.is_none() {
        let message = format!("the project has no name but its folder's, {}", project.name);
        let help = "add `name:` to the compose file, or give one with -p or -n";
        if request.touches_stack {
            return Err(Failure::usage(message)
                .cause("the same files in another folder would be another stack")
                .help(help)
                .into());
        }
        findings.push(Finding::warning(Code::PROJECT_NAME, message).at(project.key_place(&["name"])).help(help));
    }
    // Whoever gave the stack a name has named the project too, where nothing but its folder does.
    let project_name = match request.name {
        Some(name) if project.name_origin == NameOrigin::Folder => name.to_owned(),
        _ => project.name.clone(),
    };
    Ok(Identity { name, project: project_name, env })
}

/// The name of the stack, `-n` first.
pub(super) fn stack_name(args: &ProjectArgs, name: Option<&str>, project: &Project) -> String {
    let own = match (name, &args.env) {
        (Some(name), _) => return name.to_owned(),
        (None, Some(env)) => format!("{}-{env}", project.name),
        (None, None) => project.name.clone(),
    };
    // Compose takes underscores in names, CloudFormation doesn't.
    own.replace(['_', '.'], "-")
}

/// Findings of the finished template with the places that they come from: the service whose resource it is, or its section.
fn at_their_source(findings: Findings, project: &Project, template: &Template) -> Findings {
    let source = |path: &str| {
        let id = path.strip_prefix("Resources.").map(|rest| rest.split('.').next().unwrap_or(rest));
        let of_family = template
            .services
            .iter()
            .filter(|service| id.is_some_and(|id| id.starts_with(service.service.trim_end_matches("Service"))))
            .max_by_key(|service| service.service.len());
        match (of_family.and_then(|service| service.containers.first()), id) {
            (Some(name), Some(id)) if id.ends_with("Role") => project.key_place(&["services", name, "x-iam"]),
            (Some(name), _) => project.key_place(&["services", name]),
            (None, Some(id)) if id.contains("LoadBalancer") => project.key_place(&["x-elbv2"]),
            (None, _) => project.key_place(&["services"]),
        }
    };
    let placed = |finding: &Finding| {
        let place = finding.place.clone().or_else(|| Some(source(finding.path.as_deref().unwrap_or_default())));
        Finding { place, ..finding.clone() }
    };
    findings.iter().map(placed).collect()
}

/// A run's findings with the places that their keys have in the files, for what was found out in an account.
pub(super) fn placed(error: Error, project: &Project) -> Error {
    let Error::Findings(findings) = error else { return error };
    let place = |finding: &Finding| {
        let path = finding.path.as_deref().filter(|_| finding.place.is_none())?;
        let mut steps: Vec<&str> = path.split('.').collect();
        // What has a section of its own now stood in x-dns in 2020.
        let old = matches!(path, "x-cloudmap" | "x-route53") && project.extensions.get(path).is_none();
        if old && project.extensions.get("x-dns").is_some() {
            steps = vec!["x-dns"];
        }
        Some(project.key_place(&steps))
    };
    Error::Findings(
        findings
            .iter()
            .map(|finding| Finding { place: finding.place.clone().or_else(|| place(finding)), ..finding.clone() })
            .collect(),
    )
}

/// Findings in the order of the files, with the account's variables as the user knows them.
fn readable(findings: Findings) -> Findings {
    let clear = |finding: Finding| Finding {
        message: without_marks(finding.message),
        path: finding.path.map(without_marks),
        help: finding.help.map(without_marks),
        ..finding
    };
    findings.into_iter().map(clear).collect::<Findings>().sorted()
}
