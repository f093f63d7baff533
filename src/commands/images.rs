//! `images`: whether the services' images are there, and copies of them into ECR. Those with plugins are put together by [`layers`].

use std::collections::BTreeMap;
use std::iter;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use super::layers::{self, Build};
use super::pin;
use super::project::{Account as Known, Ready, Request, load};
use super::registries::{Ecr, is_ecr, login, source_login};
use super::session::must_be_answerable;
use super::world::{Interrupt, block_on, connect, connect_unless};
use crate::aws::{Account, EcrLogin, EcrRepository};
use crate::base::{Code, Error, Exit, Failure, Finding, Findings, Place, Result, ecr_registry, nearest};
use crate::cli::{Cli, ImagesArgs, ImagesCheckArgs, ImagesPushArgs, ImagesVerb};
use crate::deploy;
use crate::images::{self, Checked, Digest, Outcome, Reference, Registry, Scan, Standing, Wanted};
use crate::ui::{Pushed, Target, Ui};

/// What a base is by now is worth a moment, and no more.
const BASE_LIMIT: Duration = Duration::from_secs(10);

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
    newer_bases(&ready, &mut checked);
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
    let seen = tokio::select! {
        seen = looked_before(&account, &ecr, &copies, &builds) => seen?,
        () = interrupt.wait() => return Err(nothing_pushed().into()),
    };
    let Before { missing, standing } = seen;
    let pairs: Vec<(&Reference, &Reference, Target)> =
        copies.iter().zip(standing).map(|(copy, standing)| (&copy.source, &copy.target, standing)).collect();
    let parts = |build: &Build| build.layered.pieces.iter().map(|piece| piece.plugin.written.value.clone()).collect();
    let planned: Vec<(&Reference, &Reference, Vec<String>)> =
        builds.iter().map(|build| (&build.source, &build.target, parts(build))).collect();
    ui.images_planned(&pairs, &planned, &missing);
    let question = if builds.is_empty() { "Copy?" } else { "Push?" };
    let agreed = cli.display.yes || ui.confirm_unless(question, interrupt.wait()).await? == Some(true);
    if !agreed || interrupt.happened() {
        return Err(nothing_pushed().into());
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
            places: copy.places,
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
            places: build.places,
        });
    }
    ui.images_pushed(&pushed, &cli.project.again(None));
    Ok(Exit::Done)
}

fn nothing_pushed() -> Failure {
    Failure::new(Exit::Interrupted, "nothing was pushed, and no repository was made")
}

/// What is known before anybody is asked whether to go on.
struct Before {
    /// Repositories that have to be made.
    missing: Vec<String>,
    /// What the target of each copy stands for now.
    standing: Vec<Target>,
}

/// Looks at where the images go. A tag that stands for another image, in a repository that keeps its tags, ends it here: nothing was sent.
async fn looked_before(account: &Account, ecr: &Ecr, copies: &[Copy], builds: &[Build]) -> Result<Before> {
    let mut known: BTreeMap<&str, Option<EcrRepository>> = BTreeMap::new();
    for target in copies.iter().map(|copy| &copy.target).chain(builds.iter().map(|build| &build.target)) {
        let name = target.repository.as_str();
        if !known.contains_key(name) {
            known.insert(name, account.ecr_repository(name).await?);
        }
    }
    let mut standing = Vec::new();
    for Copy { source, target, .. } in copies {
        let Some(Some(repository)) = known.get(target.repository.as_str()) else {
            standing.push(Target::Free);
            continue;
        };
        let to = Registry::of(target, ecr.source(target))?;
        let from = Registry::of(source, source_login(ecr, source))?;
        let (there, here) = (images::stands_for(&to, target).await?, images::stands_for(&from, source).await?);
        standing.push(match (there, here) {
            (None, _) => Target::Free,
            (there, here) if there == here => Target::Same,
            (Some(there), Some(here)) if repository.immutable => {
                let failure = Failure::usage(format!("{target} is there, and is another image than {source}"));
                let cause = format!("the repository keeps its tags: this one stands for {there}, and the source's is {here}");
                return Err(failure.cause(cause).help(taken()).help(layers::removal(target)).into());
            }
            (Some(there), _) => Target::Other(there),
        });
    }
    let missing = known.into_iter().filter(|(_, found)| found.is_none()).map(|(name, _)| name.to_owned()).collect();
    Ok(Before { missing, standing })
}

fn taken() -> &'static str {
    "name another tag in the compose files, or copy under another name: --prefix PREFIX"
}

async fn carry(copy: &Copy, ecr: &Ecr, known: &[String], ui: &Ui) -> Result<images::Copied> {
    let source = source_login(ecr, &copy.source);
    let from = Arc::new(Registry::of(&copy.source, source)?);
    let to = Arc::new(Registry::of(&copy.target, ecr.source(&copy.target))?);
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
pub(super) fn same_maker(one: &str, other: &str) -> bool {
    let maker = |name: &str| name.rsplit_once('/').map(|(maker, _)| maker.to_owned());
    one != other && maker(one).is_some() && maker(one) == maker(other)
}

/// Every image of the project, as its registry has it.
pub(super) async fn looked_at(account: &Account, ready: &Ready) -> Result<Vec<Checked>> {
    let ecr = Ecr::of(account).await.map_err(|error| error.to_string());
    let login = |reference: &Reference| login(&ecr, reference);
    Ok(images::check(wanted(ready, &[], &ecr)?, &login).await)
}

/// An image that no file names, as its registry has it.
pub(super) async fn looked_at_alone(account: &Account, image: &str, architecture: &'static str) -> Option<Checked> {
    let ecr = Ecr::of(account).await.map_err(|error| error.to_string());
    let login = |reference: &Reference| login(&ecr, reference);
    let (image, services) = (image.to_owned(), Vec::new());
    let wanted = Wanted { image, services, architecture, built: false, plugins: None, unasked: None, places: Vec::new() };
    images::check(vec![wanted], &login).await.pop()
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
    for image in &checked {
        if let Some(note) = stands_on_older(ready, &ecr, image).await {
            ui.note(&note);
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

/// An image with plugins whose base is another one by now: it is deployed as it is, and that is said.
async fn stands_on_older(ready: &Ready, ecr: &std::result::Result<Ecr, String>, image: &Checked) -> Option<String> {
    let (Outcome::Found(facts), Some(recipe)) = (&image.outcome, &image.wanted.plugins) else { return None };
    let mut containers = ready.stack.families.iter().flat_map(|family| &family.containers);
    let layered = containers.find_map(|container| container.layered.as_ref().filter(|layered| layered.recipe == *recipe))?;
    let base = Reference::parse(&layered.base.to_string()).ok()?;
    let from = Registry::of(&base, login(ecr, &base).ok()?).ok()?;
    let then = facts.labels.get(images::BASE_LABEL).map(String::as_str);
    let now = tokio::time::timeout(BASE_LIMIT, layers::newer(&from, &base, then)).await.ok().flatten()?;
    Some(layers::moved(&image.wanted.image, &base, &now))
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
        let region = ecr_registry(&registry).map_or(account.region.as_str(), |(_, region)| region);
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
        let place = ready.project.place(&["services", &container.name, "image"]);
        if let Some(same) = found.iter_mut().find(|other| other.image == image && other.architecture == architecture) {
            same.services.push(container.name.clone());
            same.places.push(place);
            continue;
        }
        let built = ready.project.services.get(&container.name).is_some_and(|service| service.build.is_some());
        let plugins = container.layered.as_ref().map(|layered| layered.recipe.clone());
        let unasked = ecr.as_ref().err().filter(|_| plugins.is_some()).map(|why| format!("ECR was not asked: {why}"));
        found.push(Wanted {
            image,
            services: vec![container.name.clone()],
            architecture,
            built,
            plugins,
            unasked,
            places: vec![place],
        });
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
        let place = ready.project.place(&["services", &container.name, "image"]);
        let service = format!("base of {}", container.name);
        if let Some(same) = found.iter_mut().find(|other| other.image == image && other.architecture == architecture) {
            same.services.push(service);
            same.places.push(place);
            continue;
        }
        found.push(Wanted {
            image,
            services: vec![service],
            architecture,
            built: false,
            plugins: None,
            unasked: None,
            places: vec![place],
        });
    }
    found
}

/// One copy to be made.
struct Copy {
    services: Vec<String>,
    source: Reference,
    target: Reference,
    places: Vec<Place>,
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
    if let Some(from) = &args.from {
        let [only] = wanted.as_slice() else {
            let failure = Failure::usage("--from is the source of one image, and several are meant");
            return Err(failure.help("name the service: confluent-ecs images push --from IMAGE SERVICE").into());
        };
        let source = read(from)?;
        let named: Result<Reference> = read(&only.image);
        let named = named?;
        let target = if named.registry == registry { named } else { target(&source, registry, args.prefix.as_deref()) };
        return Ok(vec![Copy { services: only.services.clone(), source, target, places: only.places.clone() }]);
    }
    for image in &wanted {
        let source: Reference = read(&image.image)?;
        if source.registry == registry {
            continue;
        }
        // The same image for another processor is one copy: all of them come over.
        if let Some(same) = copies.iter_mut().find(|copy: &&mut Copy| copy.source == source) {
            same.services.extend(image.services.iter().cloned());
            same.places.extend(image.places.iter().cloned());
            continue;
        }
        let target = target(&source, registry, args.prefix.as_deref());
        copies.push(Copy { services: image.services.clone(), source, target, places: image.places.clone() });
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

/// Adds which images stand on a base that is another one by now. The bases were asked for beside them.
fn newer_bases(ready: &Ready, checked: &mut [Checked]) {
    let now: BTreeMap<String, Digest> = checked
        .iter()
        .filter_map(|image| match &image.outcome {
            Outcome::Found(facts) => Some((image.wanted.image.clone(), facts.digest.clone())),
            _ => None,
        })
        .collect();
    let containers = || ready.stack.families.iter().flat_map(|family| &family.containers);
    for image in checked.iter_mut() {
        let (Outcome::Found(facts), Some(recipe)) = (&image.outcome, &image.wanted.plugins) else { continue };
        let layered = containers().filter_map(|container| container.layered.as_ref()).find(|layered| layered.recipe == *recipe);
        let base = layered.map(|layered| layered.base.to_string()).unwrap_or_default();
        let moved = now.get(&base).filter(|now| facts.labels.get(images::BASE_LABEL).is_some_and(|then| then != now.as_str()));
        let pinned = |now| Some(Reference::parse(&base).ok()?.pinned(now).to_string());
        image.newer_base = moved.and_then(pinned);
    }
}

/// Adds what ECR's scans found.
async fn scans(account: &Account, login: &EcrLogin, checked: &mut [Checked]) {
    let asked = stream::iter(checked.iter_mut()).for_each_concurrent(4, |image| async move {
        let Outcome::Found(facts) = &image.outcome else { return };
        let Ok(reference) = Reference::parse(&image.wanted.image) else { return };
        if reference.registry != login.registry {
            return;
        }
        // ECR scans what runs on a platform, and no list of such.
        let digests = facts.platform_digest.iter().chain([&facts.digest]);
        for digest in digests {
            match account.ecr_scan(&reference.repository, digest.as_str()).await {
                Ok(None) => {}
                Ok(Some(found)) => {
                    image.scan = Some(Scan { status: found.status, findings: found.findings });
                    break;
                }
                Err(error) => {
                    let status = format!("unknown: {error}");
                    image.scan = Some(Scan { status, findings: BTreeMap::new() });
                    break;
                }
            }
        }
    });
    asked.await;
}
