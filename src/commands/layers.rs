//! `images push` for services with plugins, and `images dockerfile`: a base, what is laid on it, one image.
//!
//! Everything is fetched and proven, taken apart and written into one layer before the first byte goes to ECR.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};

use super::images::same_maker;
use super::project::Ready;
use super::registries::{Ecr, source_login};
use crate::base::{Code, Error, Exit, Failure, Finding, Findings, Place, Result};
use crate::extensions::{Plugin, PluginInto, PluginSource};
use crate::images::{
    self, Base, Content, Copied, Digest, Entry, Event, FetchError, Image, Layer, Reference, Registry, Settings, Variable,
};
use crate::stack::{Architecture, Container, Family, Layered, Piece, dockerfile};
use crate::ui::Ui;

/// Files that are fetched at the same time.
const AT_ONCE: usize = 4;

/// One image that is to be put together.
pub(super) struct Build {
    pub(super) services: Vec<String>,
    pub(super) source: Reference,
    pub(super) target: Reference,
    pub(super) layered: Layered,
    pub(super) architecture: &'static str,
    pub(super) places: Vec<Place>,
}

type Report = Arc<dyn Fn(Event) + Send + Sync>;

/// The images of these services (of all, where none is named) that have plugins, each once.
pub(super) fn builds(ready: &Ready, services: &[String], registry: &str) -> Result<Vec<Build>> {
    let mut builds: Vec<Build> = Vec::new();
    for (family, container, layered) in layered(ready, services) {
        let target = target(layered, registry);
        if let Some(same) = builds.iter_mut().find(|build| build.target == target) {
            same.services.push(container.name.clone());
            same.places.push(ready.project.place(&["services", &container.name, "image"]));
            continue;
        }
        let wrong = |why| Failure::usage("an image's name is wrong").cause(why);
        let source = Reference::parse(&layered.base.to_string()).map_err(wrong)?;
        builds.push(Build {
            services: vec![container.name.clone()],
            source,
            target,
            layered: layered.clone(),
            architecture: word(family.architecture),
            places: vec![ready.project.place(&["services", &container.name, "image"])],
        });
    }
    Ok(builds)
}

fn layered<'a>(ready: &'a Ready, services: &'a [String]) -> impl Iterator<Item = (&'a Family, &'a Container, &'a Layered)> {
    let containers = ready.stack.families.iter().flat_map(|family| family.containers.iter().map(move |one| (family, one)));
    let wanted = containers.filter(|(_, container)| services.is_empty() || services.contains(&container.name));
    wanted.filter_map(|(family, container)| container.layered.as_ref().map(|layered| (family, container, layered)))
}

/// Where a built image stands, in the account's registry.
pub(super) fn target(layered: &Layered, registry: &str) -> Reference {
    let (repository, tag) = (layered.repository.clone(), Some(layered.tag.clone()));
    Reference { registry: registry.to_owned(), repository, tag, digest: None }
}

pub(super) fn word(architecture: Architecture) -> &'static str {
    if architecture == Architecture::Arm64 { "arm64" } else { "amd64" }
}

/// Puts one image together and into ECR, where it isn't there yet. With it comes what is to be said of its base.
pub(super) async fn put(build: &Build, ecr: &Ecr, known: &[String], folder: &Path, ui: &Ui) -> Result<(Copied, Option<String>)> {
    let to = Arc::new(Registry::of(&build.target, ecr.source(&build.target))?);
    let from = Arc::new(Registry::of(&build.source, source_login(ecr, &build.source))?);
    if let Some(there) = Base::of(&to, &build.target, build.architecture).await? {
        return standing(build, &there, &from).await;
    }
    let view = Arc::new(ui.copy_progress(&build.target));
    let report: Report = {
        let view = Arc::clone(&view);
        Arc::new(move |event| view.show(&event))
    };
    let copied = made(build, &from, &to, known, folder, report).await;
    view.finish();
    copied.map(|copied| (copied, None))
}

/// The tag is taken: by this image, or by another that nobody of us put there.
async fn standing(build: &Build, there: &Base, from: &Registry) -> Result<(Copied, Option<String>)> {
    let Build { target, layered, source, .. } = build;
    if there.label(images::PLUGINS_LABEL) != Some(&layered.recipe) {
        let failure = Failure::usage(format!("{target} is there, and holds other plugins than the files name"));
        return Err(failure
            .code(Code::IMAGE_PLUGINS)
            .cause("its tag is made from what goes in: somebody has put another image there under this name")
            .help(removal(target))
            .into());
    }
    let note = newer(from, source, there.label(images::BASE_LABEL)).await.map(|now| moved(target, source, &now));
    let digest = there.digest.clone();
    Ok((Copied { digest, was_there: true, layers: 0, bytes: 0, mounted: 0 }, note))
}

/// The base by its digest of today, where it is another one than when the plugins were laid on it. It may be gone by now, or not be asked
/// for from here: that changes nothing for the image.
pub(super) async fn newer(from: &Registry, base: &Reference, then: Option<&str>) -> Option<String> {
    let then = then?;
    let now = images::stands_for(from, base).await.ok().flatten();
    now.filter(|now| now.as_str() != then).map(|now| base.pinned(&now).to_string())
}

pub(super) fn moved(target: impl Display, base: impl Display, now: &str) -> String {
    format!("{base} is another image by now; {target} stays on the older one until the files name {now}")
}

/// The command that takes an image out of ECR.
pub(super) fn removal(target: &Reference) -> String {
    format!(
        "look at it, and if nothing needs it: aws ecr batch-delete-image --repository-name {} --image-ids imageTag={}",
        target.repository,
        target.selector()
    )
}

async fn made(
    build: &Build,
    from: &Arc<Registry>,
    to: &Arc<Registry>,
    known: &[String],
    folder: &Path,
    report: Report,
) -> Result<Copied> {
    let Build { layered, source, target, architecture, .. } = build;
    let Some(base) = Base::of(from, source, architecture).await? else {
        let failure = Failure::usage(format!("there is no image {source}, on which the plugins would be laid"));
        return Err(failure.help("confluent-ecs images check says more").into());
    };
    let work = tempfile::Builder::new().prefix("confluent-ecs-").tempdir();
    let work = work.map_err(|error| Failure::usage("there is no room for the plugins on this machine").cause(error))?;
    let sources = fetched(&layered.pieces, folder, work.path(), &report).await?;
    let place = work.path().to_owned();
    let layer = tokio::task::spawn_blocking(move || assembled(sources, &place)).await;
    let layer = layer.map_err(|error| Failure::fault("the layer was not written").cause(error))??;
    let labels = [
        (images::PLUGINS_LABEL, layered.recipe.clone()),
        (images::BASE_LABEL, base.digest.to_string()),
        (images::BASE_NAME_LABEL, source.to_string()),
    ];
    let settings = Settings {
        labels: labels.map(|(name, value)| (name.to_owned(), value)).into(),
        environment: layered.class_paths.iter().cloned().map(extended).collect(),
        made_by: "confluent-ecs images push".to_owned(),
        ..Settings::default()
    };
    let image = Image::new(Some(base), architecture, vec![layer], &settings);
    let mounts: Vec<String> = known.iter().filter(|name| same_maker(name, &target.repository)).take(3).cloned().collect();
    Ok(images::put(&image, to, target, &mounts, report).await?)
}

fn extended(path: crate::stack::ClassPath) -> Variable {
    Variable::Extended { name: path.name, of: path.of, or: path.or, by: path.by }
}

/// Every plugin in a file of ours, its bytes proven; all that is wrong with any is said at once.
async fn fetched(pieces: &[Piece], folder: &Path, work: &Path, report: &Report) -> Result<Vec<(Piece, PathBuf)>> {
    let work_of = |index| work.join(format!("source-{index}"));
    let results = stream::iter(pieces.iter().enumerate()).map(|(index, piece)| async move {
        let to = work_of(index);
        let name = &piece.plugin.file;
        let arrived = |at, of| report(Event::Fetching { name: name.clone(), at, of });
        let result = brought(&piece.plugin, folder, &to, &arrived).await;
        if result.is_ok() {
            let size = fs::metadata(&to).map(|facts| facts.len()).unwrap_or_default();
            report(Event::Fetched { name: name.clone(), size });
        }
        (piece, to, result)
    });
    let results: Vec<_> = results.buffered(AT_ONCE).collect().await;
    let mut findings = Findings::default();
    let mut sources = Vec::new();
    let mut passing = true;
    for (piece, to, result) in results {
        match result {
            Ok(()) => sources.push((piece.clone(), to)),
            Err(error) => {
                passing &= error.is_transient();
                findings.push(unfetched(&piece.plugin, &error));
            }
        }
    }
    let first = findings.iter().next().cloned();
    match first {
        None => Ok(sources),
        Some(first) if passing => Err(Failure::new(Exit::Retry, first.message).code(first.code).help("run it again").into()),
        Some(_) => Err(Error::Findings(findings.sorted())),
    }
}

async fn brought(plugin: &Plugin, folder: &Path, to: &Path, arrived: images::Arrived<'_>) -> std::result::Result<(), FetchError> {
    let wanted = Digest::parse(&format!("sha256:{}", plugin.sha256));
    let Some(wanted) = wanted else { return Err(FetchError::Refused("its hash can't be read".to_owned())) };
    match &plugin.from {
        PluginSource::Url(url) => images::fetch(url, &wanted, to, arrived).await,
        PluginSource::File(path) => {
            let (from, to) = (folder.join(path), to.to_owned());
            let work = tokio::task::spawn_blocking(move || images::copied(&from, &wanted, &to)).await;
            work.unwrap_or_else(|error| Err(FetchError::Refused(error.to_string())))
        }
    }
}

fn unfetched(plugin: &Plugin, error: &FetchError) -> Finding {
    let Plugin { written, file, from, .. } = plugin;
    let (code, message, help) = match error {
        FetchError::Other { found } => {
            let found = found.as_str().trim_start_matches("sha256:");
            let message = format!("the bytes of {file} are others than its sha256 says: nothing was used of them");
            (Code::PLUGIN_BYTES, message, format!("they have {found}: look who changed them before you write that"))
        }
        error => {
            let help = match from {
                PluginSource::Url(url) => format!("it is looked for at {url}"),
                PluginSource::File(path) => format!("it is looked for as {path}, from the folder of the project"),
            };
            (Code::PLUGIN_FETCH, format!("{file} can't be had: {error}"), help)
        }
    };
    Finding::error(code, message).at(written.place.clone()).path(&written.path).help(help)
}

/// One layer of all plugins.
fn assembled(sources: Vec<(Piece, PathBuf)>, work: &Path) -> Result<Layer> {
    let mut findings = Findings::default();
    let mut entries: BTreeMap<String, (Entry, String)> = BTreeMap::new();
    for (Piece { plugin, folder }, file) in sources {
        let refused = |message: String| {
            let finding = Finding::error(Code::PLUGIN_ARCHIVE, message).at(plugin.written.place.clone());
            finding
                .path(&plugin.written.path)
                .help("take another version of it, or unpack it and lay only what is needed on the image")
        };
        let found = match images::unpack(&file, &plugin.file, &folder, work) {
            Ok(found) => found,
            Err(why) => {
                findings.push(refused(format!("{} isn't unpacked: {why}", plugin.file)));
                continue;
            }
        };
        for entry in found {
            // The folder of the worker's jars is the base's, with the base's owner.
            if plugin.into == PluginInto::Worker && entry.content == Content::Folder {
                continue;
            }
            let known = entries.get(&entry.path);
            if let Some((_, other)) =
                known.filter(|(known, _)| known.content != Content::Folder || entry.content != Content::Folder)
            {
                findings.push(refused(format!("{} comes from {other} and from {}", entry.path, plugin.file)));
                continue;
            }
            entries.insert(entry.path.clone(), (entry, plugin.file.clone()));
        }
    }
    if findings.has_errors() {
        return Err(Error::Findings(findings.sorted()));
    }
    let entries = entries.into_values().map(|(entry, _)| entry).collect();
    let layer = Layer::write(entries, work);
    layer.map_err(|error| Failure::usage("the layer can't be written on this machine").cause(error).into())
}

/// The Dockerfile of a service's image, to `out` or as the result.
pub(super) fn written(ready: &Ready, service: &str, out: Option<&Path>, ui: &mut Ui) -> Result<Exit> {
    let services = [service.to_owned()];
    let Some((family, _, layered)) = layered(ready, &services).next() else {
        let failure = Failure::usage(format!("{service} has no plugins: its image is what image: names"));
        return Err(failure.help("x-confluent.plugins on the service says what is laid on it").into());
    };
    let text = dockerfile(layered, word(family.architecture));
    let Some(out) = out else {
        ui.result(&text);
        return Ok(Exit::Done);
    };
    // Somebody's own Dockerfile is never lost.
    let file = fs::OpenOptions::new().write(true).create_new(true).open(out);
    let file = file.and_then(|mut file| file.write_all(text.as_bytes()));
    file.map_err(|error| {
        let there = error.kind() == std::io::ErrorKind::AlreadyExists;
        let headline = if there { "is there, and is not overwritten" } else { "can't be written" };
        Failure::usage(format!("{} {headline}", out.display())).cause(error).help("name another file, or none to see it")
    })?;
    ui.note(&format!("wrote {}", out.display()));
    Ok(Exit::Done)
}
