//! `images`: whether the services' images are there, and copies of them into ECR. Those with plugins are put together by [`layers`].

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::{env, iter};

use futures_util::stream::{self, StreamExt as _};

use super::layers::{self, Build};
use super::pin;
use super::project::{Account as Known, Ready, Request, load};
use super::session::must_be_answerable;
use super::world::{Interrupt, block_on, connect, connect_unless};
use crate::aws::{Account, EcrLogin};
use crate::base::{Code, Error, Exit, Failure, Finding, Findings, Result, nearest};
use crate::cli::{Cli, ImagesArgs, ImagesCheckArgs, ImagesPushArgs, ImagesVerb};
use crate::deploy;
use crate::images::{
    self, Checked, CredentialSource, Credentials, DockerConfig, Outcome, Reference, Registry, Renew, Scan, Standing, Wanted,
};
use crate::ui::{Pushed, Ui};

pub(super) fn run(cli: &Cli, args: &ImagesArgs, ui: &mut Ui) -> Result<Exit> {
    match &args.verb {
        ImagesVerb::Check(args) => block_on(check(cli, args, ui)),
        ImagesVerb::Push(args) => {
            must_be_answerable("images push", cli, ui)?;
            block_on(push(cli, args, ui))
        }
        ImagesVerb::Dockerfile(args) => {
            let ready = ready(cli, None, ui)?;
            must_be_services(&ready, std::slice::from_ref(&args.service))?;
            layers::written(&ready, &args.service, args.output_file.as_deref(), ui)
        }
    }
}

async fn check(cli: &Cli, args: &ImagesCheckArgs, ui: &mut Ui) -> Result<Exit> {
    // Without an account everything but ECR can still be asked.
    let account = connect().await;
    let ready = ready(cli, account.as_ref().ok(), ui)?;
    let ecr = match &account {
        Ok(account) => Ecr::of(account).await.map_err(|error| error.to_string()),
        Err(error) => Err(without_account(error)),
    };
    let mut wanted = wanted(&ready, &args.services, &ecr)?;
    wanted.extend(bases(&ready, &args.services));
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
    if args.pin {
        pin::pin(&checked, Path::new("."), ui)?;
    }
    Ok(exit)
}

async fn push(cli: &Cli, args: &ImagesPushArgs, ui: &mut Ui) -> Result<Exit> {
    let interrupt = Interrupt::listen();
    let account = connect_unless(&interrupt).await?;
    let ready = ready(cli, Some(&account), ui)?;
    let ecr = Ecr::of(&account).await?;
    let registry = ecr.registry().to_owned();
    let ecr = Ok(ecr);
    let wanted = wanted(&ready, &args.services, &ecr)?;
    let Ok(ecr) = ecr else { return Ok(Exit::Done) };
    let builds = layers::builds(&ready, &args.services, &registry)?;
    let copies = copies(wanted, &builds, &registry, args)?;
    if copies.is_empty() && builds.is_empty() {
        ui.images_pushed(&[], &cli.project.again(None));
        return Ok(Exit::Done);
    }
    let mut missing: Vec<String> = Vec::new();
    for target in copies.iter().map(|copy| &copy.target).chain(builds.iter().map(|build| &build.target)) {
        let name = &target.repository;
        if !missing.contains(name) && account.ecr_repository(name).await?.is_none() {
            missing.push(name.clone());
        }
    }
    let pairs: Vec<(&Reference, &Reference)> = copies.iter().map(|copy| (&copy.source, &copy.target)).collect();
    let parts = |build: &Build| build.layered.pieces.iter().map(|piece| piece.plugin.written.value.clone()).collect();
    let planned: Vec<(&Reference, &Reference, Vec<String>)> =
        builds.iter().map(|build| (&build.source, &build.target, parts(build))).collect();
    ui.images_planned(&pairs, &planned, &missing);
    let question = if builds.is_empty() { "Copy?" } else { "Push?" };
    let agreed = cli.display.yes || ui.confirm_unless(question, interrupt.wait()).await? == Some(true);
    if !agreed || interrupt.happened() {
        return Err(Failure::new(Exit::Interrupted, "nothing was pushed, and no repository was made").into());
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
            plugins: 0,
            place: copy.place,
        });
    }
    for build in builds {
        let work = layers::put(&build, &ecr, &known, &ready.project.directory, ui);
        let (result, note) = tokio::select! {
            ended = work => ended?,
            () = interrupt.wait() => {
                let failure = Failure::new(Exit::Interrupted, format!("the way to {} was broken off", build.target));
                return Err(failure.help("run it again: layers that have arrived are not sent a second time").into());
            }
        };
        if let Some(note) = note {
            ui.note(&note);
        }
        pushed.push(Pushed {
            services: build.services,
            source: build.source,
            target: build.target,
            copied: result,
            plugins: build.layered.pieces.len(),
            place: build.place,
        });
    }
    ui.images_pushed(&pushed, &cli.project.again(None));
    Ok(Exit::Done)
}

async fn carry(copy: &Copy, ecr: &Ecr, known: &[String], ui: &Ui) -> Result<images::Copied> {
    let source = source_login(ecr, &copy.source);
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

/// Whose login the source of an image gets.
pub(super) fn source_login(ecr: &Ecr, source: &Reference) -> CredentialSource {
    if ecr.is_for(source) { ecr.source() } else { docker() }
}

/// Repositories whose images are likely to share layers: those of one maker.
pub(super) fn same_maker(one: &str, other: &str) -> bool {
    let maker = |name: &str| name.rsplit_once('/').map(|(maker, _)| maker.to_owned());
    one != other && maker(one).is_some() && maker(one) == maker(other)
}

/// ECR of the account, and how to log in to it.
pub(super) struct Ecr {
    login: EcrLogin,
    renew: Renew,
}

impl Ecr {
    pub(super) async fn of(account: &Account) -> std::result::Result<Self, crate::aws::CallError> {
        Self::in_region(account, account.region.clone()).await
    }

    async fn in_region(account: &Account, region: String) -> std::result::Result<Self, crate::aws::CallError> {
        let login = account.ecr_login_of(&region).await?;
        let account = account.clone();
        // The token is asked for when it is needed, so that a long copy gets a new one when the old one has ended.
        let renew: Renew = Arc::new(move || {
            let (account, region) = (account.clone(), region.clone());
            Box::pin(async move {
                let login = account.ecr_login_of(&region).await.map_err(|error| error.to_string())?;
                Ok(Credentials::Password { username: login.username, password: login.password })
            })
        });
        Ok(Self { login, renew })
    }

    /// A token of the account is good for every registry of ECR that lets the caller in.
    fn is_for(&self, reference: &Reference) -> bool {
        reference.registry == self.login.registry || is_ecr(reference)
    }

    /// The account's registry, as image names begin.
    pub(super) fn registry(&self) -> &str {
        &self.login.registry
    }

    pub(super) fn source(&self) -> CredentialSource {
        CredentialSource::Renewed(Arc::clone(&self.renew))
    }
}

/// Every image of the project, as its registry has it.
pub(super) async fn looked_at(account: &Account, ready: &Ready) -> Result<Vec<Checked>> {
    let ecr = Ecr::of(account).await.map_err(|error| error.to_string());
    let login = |reference: &Reference| login(&ecr, reference);
    Ok(images::check(wanted(ready, &[], &ecr)?, &login).await)
}

/// An image that no file names, as its registry has it.
pub(super) async fn looked_at_alone(account: &Account, image: &str, architecture: &'static str) -> Option<Checked> {
    let there = Reference::parse(image).ok().filter(is_ecr);
    let there = there.and_then(|there| there.registry.split('.').nth(3).map(str::to_owned));
    // A token holds in the region that gave it.
    let ecr = match there.filter(|region| *region != account.region) {
        Some(region) => Ecr::in_region(account, region).await,
        None => Ecr::of(account).await,
    };
    let ecr = ecr.map_err(|error| error.to_string());
    let login = |reference: &Reference| login(&ecr, reference);
    let (image, services) = (image.to_owned(), Vec::new());
    let wanted = Wanted { image, services, architecture, built: false, plugins: None, unasked: None, place: None };
    images::check(vec![wanted], &login).await.pop()
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

/// Refuses a deploy of images that the project builds itself, or that hold plugins, and that nobody has pushed yet; gives the commands
/// that do. What a registry would not tell is no reason to refuse. `again` is how the project is typed.
pub(super) async fn must_be_pushed(account: &Account, ready: &Ready, again: &str, ui: &mut Ui) -> Result<()> {
    let mut containers = ready.stack.families.iter().flat_map(|family| &family.containers);
    let is_built = |name: &str| ready.project.services.get(name).is_some_and(|service| service.build.is_some());
    if !containers.any(|container| container.layered.is_some() || is_built(&container.name)) {
        return Ok(());
    }
    let ecr = Ecr::of(account).await.map_err(|error| error.to_string());
    let mut ours: Vec<Wanted> =
        wanted(ready, &[], &ecr)?.into_iter().filter(|image| image.built || image.plugins.is_some()).collect();
    for image in ours.iter_mut().filter(|image| image.built) {
        let containers = ready.stack.families.iter().flat_map(|family| &family.containers);
        if let Some(container) = containers.into_iter().find(|container| image.services.contains(&container.name)) {
            image.image = deploy::resolve(&container.image, account);
        }
    }
    let login = |reference: &Reference| login(&ecr, reference);
    let checked = images::check(ours, &login).await;
    for image in &checked {
        let name = &image.wanted.image;
        match &image.outcome {
            Outcome::Unasked(why) | Outcome::NoName(why) => ui.note(&format!("image {name} was not looked for: {why}")),
            Outcome::Failed(error) => ui.note(&format!("image {name}: whether it was pushed is not known: {error}")),
            Outcome::Found(_) | Outcome::Missing => {}
        }
    }
    if let Some(other) = checked.iter().find(|image| image.holds_others()) {
        return Err(holds_others(other).into());
    }
    let lacking = checked.iter().filter(|image| matches!(image.outcome, Outcome::Missing) || is_for_others(image));
    let (laid, built): (Vec<&Checked>, Vec<&Checked>) = lacking.partition(|image| image.wanted.plugins.is_some());
    if !laid.is_empty() {
        return Err(not_laid(&laid, again).into());
    }
    if built.is_empty() { Ok(()) } else { Err(not_built(&built, account).into()) }
}

/// The registry says for which processors it is, and the task's is not among them.
fn is_for_others(image: &Checked) -> bool {
    let Outcome::Found(facts) = &image.outcome else { return false };
    !facts.platforms.is_empty() && !facts.runs_on(image.wanted.architecture)
}

/// The files name plugins, and no image holds them.
fn not_laid(missing: &[&Checked], again: &str) -> Failure {
    let (images, services) = named(missing);
    Failure::usage(format!("{} is not in ECR: the image with the plugins of {}", images.join(", "), services.join(", ")))
        .code(Code::IMAGE_PLUGINS)
        .cause("its tag changes with every plugin, hash and base that the files name; nothing was deployed")
        .help(format!("confluent-ecs images push{again} {}", services.join(" ")))
}

fn holds_others(image: &Checked) -> Failure {
    let name = &image.wanted.image;
    let failure = Failure::usage(format!("{name} holds other plugins than the files name"))
        .code(Code::IMAGE_PLUGINS)
        .cause("somebody has put another image there under this tag; nothing was deployed");
    match Reference::parse(name) {
        Ok(reference) => failure.help(layers::removal(&reference)),
        Err(_) => failure,
    }
}

fn not_built(missing: &[&Checked], account: &Account) -> Failure {
    let (images, services) = named(missing);
    let architecture = missing.first().map_or("amd64", |first| first.wanted.architecture);
    let (what, platform) = if missing.iter().any(|image| is_for_others(image)) {
        let what = format!("{} is built by the project, and not in its registry for linux/{architecture}", images.join(", "));
        (what, format!("DOCKER_DEFAULT_PLATFORM=linux/{architecture} "))
    } else {
        (format!("{} is built by the project, and not in its registry", images.join(", ")), String::new())
    };
    let mut failure =
        Failure::usage(what).code(Code::IMAGE_NOT_PUSHED).cause("ECS pulls images, and builds none; nothing was deployed");
    if let Some(registry) =
        images.iter().filter_map(|image| Reference::parse(image).ok()).find(is_ecr).map(|image| image.registry)
    {
        let region = &account.region;
        failure = failure.help(format!(
            "aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {registry}"
        ));
    }
    let services = services.join(" ");
    failure.help(format!("{platform}docker compose build {services} && docker compose push {services}"))
}

fn named<'a>(images: &[&'a Checked]) -> (Vec<&'a str>, Vec<&'a str>) {
    let services = images.iter().flat_map(|image| &image.wanted.services).map(String::as_str).collect();
    (images.iter().map(|image| image.wanted.image.as_str()).collect(), services)
}

fn ready(cli: &Cli, account: Option<&Account>, ui: &mut Ui) -> Result<Ready> {
    let account = account.map(|account| Known { id: account.caller.account.clone(), region: account.region.clone() });
    load(&Request { project: &cli.project, name: None, account, touches_stack: false }, ui)
}

fn must_be_services(ready: &Ready, services: &[String]) -> Result<()> {
    let mut unknown = Findings::default();
    for service in services.iter().filter(|service| !ready.project.services.contains_key(service.as_str())) {
        let near = nearest(service, ready.project.services.keys().map(String::as_str));
        let help = near.map_or_else(|| "confluent-ecs config shows them".to_owned(), |near| format!("did you mean {near}?"));
        unknown.push(Finding::error(Code::NO_SUCH_SERVICE, format!("no such service: {service}")).help(help));
    }
    if unknown.has_errors() { Err(Error::Findings(unknown)) } else { Ok(()) }
}

/// The images of the services that were asked for, each once. What holds plugins is looked for in the account's registry.
fn wanted(ready: &Ready, services: &[String], ecr: &std::result::Result<Ecr, String>) -> Result<Vec<Wanted>> {
    must_be_services(ready, services)?;
    let mut found: Vec<Wanted> = Vec::new();
    for (family, container) in ready.stack.families.iter().flat_map(|family| family.containers.iter().map(move |c| (family, c))) {
        if !services.is_empty() && !services.contains(&container.name) {
            continue;
        }
        let architecture = layers::word(family.architecture);
        let image = match (&container.layered, ecr) {
            (Some(layered), Ok(ecr)) => layers::target(layered, ecr.registry()).to_string(),
            _ => container.image.to_string(),
        };
        if let Some(same) = found.iter_mut().find(|other| other.image == image && other.architecture == architecture) {
            same.services.push(container.name.clone());
            continue;
        }
        let built = ready.project.services.get(&container.name).is_some_and(|service| service.build.is_some());
        let place = Some(ready.project.place(&["services", &container.name, "image"]));
        let plugins = container.layered.as_ref().map(|layered| layered.recipe.clone());
        let unasked = ecr.as_ref().err().filter(|_| plugins.is_some()).map(|why| format!("ECR was not asked: {why}"));
        found.push(Wanted { image, services: vec![container.name.clone()], architecture, built, plugins, unasked, place });
    }
    Ok(found)
}

/// The images that plugins are laid on, each once.
fn bases(ready: &Ready, services: &[String]) -> Vec<Wanted> {
    let mut found: Vec<Wanted> = Vec::new();
    for (family, container) in ready.stack.families.iter().flat_map(|family| family.containers.iter().map(move |c| (family, c))) {
        let Some(layered) = container.layered.as_ref().filter(|_| services.is_empty() || services.contains(&container.name))
        else {
            continue;
        };
        let (image, architecture) = (layered.base.to_string(), layers::word(family.architecture));
        if found.iter().any(|other| other.image == image && other.architecture == architecture) {
            continue;
        }
        let place = Some(ready.project.place(&["services", &container.name, "image"]));
        let services = vec![format!("base of {}", container.name)];
        found.push(Wanted { image, services, architecture, built: false, plugins: None, unasked: None, place });
    }
    found
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
fn copies(mut wanted: Vec<Wanted>, builds: &[Build], registry: &str, args: &ImagesPushArgs) -> Result<Vec<Copy>> {
    if let Some(flag) = [("--from", args.from.is_some()), ("--prefix", args.prefix.is_some())].iter().find(|flag| flag.1)
        && let Some(build) = builds.first()
    {
        let failure = Failure::usage(format!("{} is for copies, and {} has plugins", flag.0, build.services.join(", ")));
        return Err(failure
            .help("name the services that are meant; what has plugins stands where the template looks for it")
            .into());
    }
    wanted.retain(|image| image.plugins.is_none());
    let read = |text: &str| Reference::parse(text).map_err(|why| Failure::usage("an image's name is wrong").cause(why).into());
    let mut copies = Vec::new();
    let mut seen = BTreeSet::new();
    if let Some(from) = &args.from {
        let [only] = wanted.as_slice() else {
            let failure = Failure::usage("--from is the source of one image, and several are meant");
            return Err(failure.help("name the service: confluent-ecs images push --from IMAGE SERVICE").into());
        };
        let source = read(from)?;
        let named: Result<Reference> = read(&only.image);
        let named = named?;
        let target = if named.registry == registry { named } else { target(&source, registry, args.prefix.as_deref()) };
        return Ok(vec![Copy { services: only.services.clone(), source, target, place: only.place.clone() }]);
    }
    for image in &wanted {
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
