//! `images`: whether the services' images are there, and copies of them into ECR.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::{env, iter};

use futures_util::stream::{self, StreamExt as _};

use super::project::{Account as Known, Ready, Request, load};
use super::session::must_be_answerable;
use super::world::{Interrupt, block_on, connect};
use crate::aws::{Account, EcrLogin};
use crate::base::{Code, Error, Exit, Failure, Finding, Findings, Result, nearest};
use crate::cli::{Cli, ImagesArgs, ImagesCheckArgs, ImagesPushArgs, ImagesVerb};
use crate::deploy;
use crate::images::{
    self, Checked, CredentialSource, Credentials, DockerConfig, Outcome, Reference, Registry, Renew, Scan, Standing, Wanted,
};
use crate::stack::Architecture;
use crate::ui::{Pushed, Ui};

pub(super) fn run(cli: &Cli, args: &ImagesArgs, ui: &mut Ui) -> Result<Exit> {
    match &args.verb {
        ImagesVerb::Check(args) => block_on(check(cli, args, ui)),
        ImagesVerb::Push(args) => {
            must_be_answerable("images push", cli, ui)?;
            block_on(push(cli, args, ui))
        }
    }
}

async fn check(cli: &Cli, args: &ImagesCheckArgs, ui: &mut Ui) -> Result<Exit> {
    // Without an account everything but ECR can still be asked.
    let account = connect().await;
    let ready = ready(cli, account.as_ref().ok(), ui)?;
    let wanted = wanted(&ready, &args.services)?;
    let ecr = match &account {
        Ok(account) => Ecr::of(account).await.map_err(|error| error.to_string()),
        Err(error) => Err(without_account(error)),
    };
    let login = |reference: &Reference| login(&ecr, reference);
    let mut checked = images::check(wanted, &login).await;
    if let (Ok(account), Ok(ecr)) = (&account, &ecr) {
        scans(account, &ecr.login, &mut checked).await;
    }
    let failed: Vec<&Checked> = checked.iter().filter(|image| image.standing() == Standing::Failed).collect();
    let exit = match failed.as_slice() {
        [] => Exit::Done,
        failed if failed.iter().all(|image| image.is_transient()) => Exit::Retry,
        _ => Exit::PreflightFailed,
    };
    ui.images_checked(&checked, exit as u8);
    Ok(exit)
}

async fn push(cli: &Cli, args: &ImagesPushArgs, ui: &mut Ui) -> Result<Exit> {
    let interrupt = Interrupt::listen();
    let account = connect().await?;
    let ready = ready(cli, Some(&account), ui)?;
    let ecr = Ecr::of(&account).await?;
    let copies = copies(&wanted(&ready, &args.services)?, &ecr.login.registry, args)?;
    if copies.is_empty() {
        ui.images_pushed(&[], &cli.project.again(None));
        return Ok(Exit::Done);
    }
    let mut missing: Vec<String> = Vec::new();
    for copy in &copies {
        let name = &copy.target.repository;
        if !missing.contains(name) && account.ecr_repository(name).await?.is_none() {
            missing.push(name.clone());
        }
    }
    let pairs: Vec<(&Reference, &Reference)> = copies.iter().map(|copy| (&copy.source, &copy.target)).collect();
    ui.images_planned(&pairs, &missing);
    let agreed = cli.display.yes || ui.confirm_unless("Copy?", interrupt.wait()).await? == Some(true);
    if !agreed || interrupt.happened() {
        return Err(Failure::new(Exit::Interrupted, "nothing was copied, and no repository was made").into());
    }
    let tags = ready.stack.tags.iter().map(|(key, value)| (key.clone(), value.to_string())).collect();
    for name in &missing {
        account.create_ecr_repository(name, args.kms_key.as_deref(), &tags).await?;
    }
    let known = account.ecr_repositories().await.unwrap_or_default();
    let mut pushed = Vec::new();
    for copy in copies {
        let work = carry(&copy, &ecr, &known, ui);
        let result = tokio::select! {
            ended = work => ended?,
            () = interrupt.wait() => {
                let failure = Failure::new(Exit::Interrupted, format!("the copy to {} was broken off", copy.target));
                return Err(failure.help("run it again: layers that have arrived are not sent a second time").into());
            }
        };
        pushed.push(Pushed {
            services: copy.services,
            source: copy.source,
            target: copy.target,
            copied: result,
            place: copy.place,
        });
    }
    ui.images_pushed(&pushed, &cli.project.again(None));
    Ok(Exit::Done)
}

async fn carry(copy: &Copy, ecr: &Ecr, known: &[String], ui: &Ui) -> Result<images::Copied> {
    let source = if ecr.is_for(&copy.source) { ecr.source() } else { docker() };
    let from = Arc::new(Registry::of(&copy.source, source)?);
    let to = Arc::new(Registry::of(&copy.target, ecr.source())?);
    let view = Arc::new(ui.copy_progress(&copy.target));
    let report = {
        let view = Arc::clone(&view);
        Arc::new(move |event| view.show(&event))
    };
    // ECR takes a layer over from another repository of the account; the likely ones are asked, not all.
    let mounts: Vec<String> = known.iter().filter(|name| same_maker(name, &copy.target.repository)).take(3).cloned().collect();
    let copied = images::copy(&from, &copy.source, &to, &copy.target, &mounts, report).await;
    view.finish();
    Ok(copied?)
}

/// Repositories whose images are likely to share layers: those of one maker.
fn same_maker(one: &str, other: &str) -> bool {
    let maker = |name: &str| name.rsplit_once('/').map(|(maker, _)| maker.to_owned());
    one != other && maker(one).is_some() && maker(one) == maker(other)
}

/// ECR of the account, and how to log in to it.
struct Ecr {
    login: EcrLogin,
    renew: Renew,
}

impl Ecr {
    async fn of(account: &Account) -> std::result::Result<Self, crate::aws::CallError> {
        let login = account.ecr_login().await?;
        let account = account.clone();
        // The token is asked for when it is needed, so that a long copy gets a new one when the old one has ended.
        let renew: Renew = Arc::new(move || {
            let account = account.clone();
            Box::pin(async move {
                let login = account.ecr_login().await.map_err(|error| error.to_string())?;
                Ok(Credentials::Password { username: login.username, password: login.password })
            })
        });
        Ok(Self { login, renew })
    }

    /// A token of the account is good for every registry of ECR that lets the caller in.
    fn is_for(&self, reference: &Reference) -> bool {
        reference.registry == self.login.registry || is_ecr(reference)
    }

    fn source(&self) -> CredentialSource {
        CredentialSource::Renewed(Arc::clone(&self.renew))
    }
}

/// Every image of the project, as its registry has it.
pub(super) async fn looked_at(account: &Account, ready: &Ready) -> Result<Vec<Checked>> {
    let ecr = Ecr::of(account).await.map_err(|error| error.to_string());
    let login = |reference: &Reference| login(&ecr, reference);
    Ok(images::check(wanted(ready, &[])?, &login).await)
}

pub(super) fn is_ecr(reference: &Reference) -> bool {
    reference.registry.contains(".dkr.ecr.") || reference.registry.contains(".dkr.ecr-fips.")
}

fn login(ecr: &std::result::Result<Ecr, String>, reference: &Reference) -> std::result::Result<CredentialSource, String> {
    match ecr {
        Ok(ecr) if ecr.is_for(reference) => Ok(ecr.source()),
        Err(why) if is_ecr(reference) => Err(format!("ECR was not asked: {why}")),
        _ => Ok(docker()),
    }
}

fn docker() -> CredentialSource {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty());
    let (own, home) = (folder("DOCKER_CONFIG"), folder("HOME"));
    CredentialSource::Docker(DockerConfig::find(own.as_ref().map(Path::new), home.as_ref().map(Path::new)))
}

fn without_account(error: &Error) -> String {
    match error {
        Error::Failure(failure) => failure.headline.clone(),
        Error::Findings(_) => "no AWS account".to_owned(),
    }
}

/// Refuses a deploy of images that the project builds itself and that nobody has pushed yet; gives the commands that do. What a registry
/// would not tell is no reason to refuse.
pub(super) async fn must_be_pushed(account: &Account, ready: &Ready, ui: &mut Ui) -> Result<()> {
    let mut built: Vec<Wanted> = wanted(ready, &[])?.into_iter().filter(|image| image.built).collect();
    for image in &mut built {
        let containers = ready.stack.families.iter().flat_map(|family| &family.containers);
        if let Some(container) = containers.into_iter().find(|container| image.services.contains(&container.name)) {
            image.image = deploy::resolve(&container.image, account);
        }
    }
    if built.is_empty() {
        return Ok(());
    }
    let ecr = Ecr::of(account).await.map_err(|error| error.to_string());
    let login = |reference: &Reference| login(&ecr, reference);
    let checked = images::check(built, &login).await;
    for image in &checked {
        let name = &image.wanted.image;
        match &image.outcome {
            Outcome::Found(_) if image.standing() == Standing::Failed => {
                ui.note(&format!("image {name} is not built for {}, the processor of its task", image.wanted.architecture));
            }
            Outcome::Unasked(why) | Outcome::NoName(why) => ui.note(&format!("image {name} was not looked for: {why}")),
            Outcome::Failed(error) => ui.note(&format!("image {name}: whether it was pushed is not known: {error}")),
            Outcome::Found(_) | Outcome::Missing => {}
        }
    }
    let missing: Vec<&Checked> = checked.iter().filter(|image| matches!(image.outcome, Outcome::Missing)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let images: Vec<&str> = missing.iter().map(|image| image.wanted.image.as_str()).collect();
    let services: Vec<&str> = missing.iter().flat_map(|image| &image.wanted.services).map(String::as_str).collect();
    let mut failure = Failure::usage(format!("{} is built by the project, and not in its registry", images.join(", ")))
        .code(Code::IMAGE_NOT_PUSHED)
        .cause("ECS pulls images, and builds none; nothing was deployed");
    if let Some(registry) =
        images.iter().filter_map(|image| Reference::parse(image).ok()).find(is_ecr).map(|image| image.registry)
    {
        let region = &account.region;
        failure = failure.help(format!(
            "aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {registry}"
        ));
    }
    let services = services.join(" ");
    Err(failure.help(format!("docker compose build {services} && docker compose push {services}")).into())
}

fn ready(cli: &Cli, account: Option<&Account>, ui: &mut Ui) -> Result<Ready> {
    let account = account.map(|account| Known { id: account.caller.account.clone(), region: account.region.clone() });
    load(&Request { project: &cli.project, name: None, account, touches_stack: false }, ui)
}

/// The images of the services that were asked for, each once.
fn wanted(ready: &Ready, services: &[String]) -> Result<Vec<Wanted>> {
    let mut unknown = Findings::default();
    for service in services.iter().filter(|service| !ready.project.services.contains_key(service.as_str())) {
        let near = nearest(service, ready.project.services.keys().map(String::as_str));
        let help = near.map_or_else(|| "confluent-ecs config shows them".to_owned(), |near| format!("did you mean {near}?"));
        unknown.push(Finding::error(Code::NO_SUCH_SERVICE, format!("no such service: {service}")).help(help));
    }
    if unknown.has_errors() {
        return Err(Error::Findings(unknown));
    }
    let mut found: Vec<Wanted> = Vec::new();
    for (family, container) in ready.stack.families.iter().flat_map(|family| family.containers.iter().map(move |c| (family, c))) {
        if !services.is_empty() && !services.contains(&container.name) {
            continue;
        }
        let architecture = if family.architecture == Architecture::Arm64 { "arm64" } else { "amd64" };
        let image = container.image.to_string();
        if let Some(same) = found.iter_mut().find(|other| other.image == image && other.architecture == architecture) {
            same.services.push(container.name.clone());
            continue;
        }
        let built = ready.project.services.get(&container.name).is_some_and(|service| service.build.is_some());
        let place = Some(ready.project.place(&["services", &container.name, "image"]));
        found.push(Wanted { image, services: vec![container.name.clone()], architecture, built, place });
    }
    Ok(found)
}

/// One copy to be made.
struct Copy {
    services: Vec<String>,
    source: Reference,
    target: Reference,
    place: Option<crate::base::Place>,
}

/// What has to be copied from where to where: images of other registries under their own names, and with `--from` the one image that
/// is to be in ECR.
fn copies(wanted: &[Wanted], registry: &str, args: &ImagesPushArgs) -> Result<Vec<Copy>> {
    let read = |text: &str| Reference::parse(text).map_err(|why| Failure::usage("an image's name is wrong").cause(why).into());
    let mut copies = Vec::new();
    let mut seen = BTreeSet::new();
    if let Some(from) = &args.from {
        let [only] = wanted else {
            let failure = Failure::usage("--from is the source of one image, and several are meant");
            return Err(failure.help("name the service: confluent-ecs images push --from IMAGE SERVICE").into());
        };
        let source = read(from)?;
        let named: Result<Reference> = read(&only.image);
        let named = named?;
        let target = if named.registry == registry { named } else { target(&source, registry, args.prefix.as_deref()) };
        return Ok(vec![Copy { services: only.services.clone(), source, target, place: only.place.clone() }]);
    }
    for image in wanted {
        let source: Reference = read(&image.image)?;
        if source.registry == registry || !seen.insert(source.clone()) {
            continue;
        }
        let target = target(&source, registry, args.prefix.as_deref());
        copies.push(Copy { services: image.services.clone(), source, target, place: image.place.clone() });
    }
    Ok(copies)
}

/// Where an image of another registry goes: the same repository and tag, in ECR.
fn target(source: &Reference, registry: &str, prefix: Option<&str>) -> Reference {
    let parts = prefix.map(|prefix| prefix.trim_matches('/')).filter(|prefix| !prefix.is_empty());
    let repository = parts.into_iter().chain(iter::once(source.repository.as_str())).collect::<Vec<_>>().join("/");
    // A digest alone is no tag; ECR deletes what has none when somebody tidies up.
    let tag = source.tag.clone().or_else(|| match &source.digest {
        Some(digest) => Some(digest.short().replace(':', "-")),
        None => Some("latest".to_owned()),
    });
    Reference { registry: registry.to_owned(), repository, tag, digest: None }
}

/// Adds what ECR's scans found.
async fn scans(account: &Account, login: &EcrLogin, checked: &mut [Checked]) {
    let asked = stream::iter(checked.iter_mut()).for_each_concurrent(4, |image| async move {
        let Outcome::Found(facts) = &image.outcome else { return };
        let Ok(reference) = Reference::parse(&image.wanted.image) else { return };
        if reference.registry != login.registry {
            return;
        }
        // What can't be known about a scan is left out: it is an addition.
        if let Ok(Some(found)) = account.ecr_scan(&reference.repository, facts.digest.as_str()).await {
            image.scan = Some(Scan { status: found.status, findings: found.findings });
        }
    });
    asked.await;
}
