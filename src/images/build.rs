//! An image from another one, or from nothing, and layers of our own. Comes in: the base as its registry has it, the layers, and what
//! the configuration says beside. Goes out: an [`Image`], which [`put`] brings into a registry.
//!
//! Rules: one processor an image; the base's own layers and settings stay as they are, in their order; no time of ours is in it, so that
//! the same base and the same layers are the same digest. The manifest goes last.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};

use super::blob::Way;
use super::copy::{AT_ONCE, Copied, Event, Lacking, bring, lacking, pieces};
use super::error::{Kind, RegistryError};
use super::layer::Layer;
use super::manifest::{Content, DOCKER_MANIFEST, Manifest, OCI_CONFIG, OCI_LAYER, OCI_MANIFEST};
use super::upload::{Blob, Source, send};
use super::{Digest, Reference, Registry};

/// The label with the hash of all that was laid on an image.
pub const PLUGINS_LABEL: &str = "confluent-ecs.plugins";
/// The labels with the image it was laid on. Source: OCI image specification, annotations.
pub const BASE_LABEL: &str = "org.opencontainers.image.base.digest";
pub const BASE_NAME_LABEL: &str = "org.opencontainers.image.base.name";
/// When things of ours were made: never, so that they are the same tomorrow.
const NO_TIME: &str = "1970-01-01T00:00:00Z";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// An image that others are laid on, for one processor.
#[derive(Debug, Clone)]
pub struct Base {
    registry: Arc<Registry>,
    repository: String,
    manifest: Manifest,
    config: Value,
    /// What its name stands for: of the whole list, where there are several platforms.
    pub digest: Digest,
}

impl Base {
    /// Asks for an image; `None`: there is no such name. One that isn't made for `architecture` (`amd64`, `arm64`) is an error.
    pub async fn of(registry: &Arc<Registry>, reference: &Reference, architecture: &str) -> Result<Option<Self>, RegistryError> {
        let repository = &reference.repository;
        let top = match registry.manifest(repository, reference.selector()).await {
            Ok(top) => top,
            Err(error) if error.kind == Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let digest = top.digest.clone();
        let other = || {
            let why = format!("it has nothing for linux/{architecture}");
            RegistryError::new(Kind::NotFound, registry.name(), reference.to_string(), why)
        };
        let manifest = match &top.content {
            Content::Image { .. } => top,
            Content::Index(manifests) => {
                let fits = manifests.iter().find(|manifest| {
                    manifest.platform.as_ref().is_some_and(|on| on.os == "linux" && on.architecture == architecture)
                });
                let child = fits.and_then(super::manifest::Descriptor::digest).ok_or_else(other)?;
                registry.manifest(repository, child.as_str()).await?
            }
        };
        let foreign = |why: &str| RegistryError::new(Kind::Foreign, registry.name(), reference.to_string(), why);
        let Content::Image { config, .. } = &manifest.content else { return Err(foreign("it is a list of lists")) };
        let config = config.digest().ok_or_else(|| foreign("it names no configuration"))?;
        let config = registry.short_blob(repository, &config).await?;
        let config: Value = serde_json::from_slice(&config).map_err(|_| foreign("its configuration can't be read"))?;
        if config["architecture"].as_str() != Some(architecture) || config["os"].as_str().is_some_and(|os| os != "linux") {
            return Err(other());
        }
        if !config["rootfs"]["diff_ids"].is_array() {
            return Err(foreign("its configuration doesn't name its layers"));
        }
        Ok(Some(Self { registry: Arc::clone(registry), repository: repository.clone(), manifest, config, digest }))
    }

    /// A label of its configuration.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.config["config"]["Labels"][name].as_str()
    }
}

/// What a name stands for now; `None`: nothing.
pub async fn stands_for(registry: &Registry, reference: &Reference) -> Result<Option<Digest>, RegistryError> {
    registry.stands_for(&reference.repository, reference.selector()).await
}

/// What an image gets beside its layers.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub labels: BTreeMap<String, String>,
    pub environment: Vec<Variable>,
    /// The base's, where there is none.
    pub entrypoint: Option<Vec<String>>,
    pub command: Option<Vec<String>>,
    pub user: Option<String>,
    /// What `docker history` shows as the maker of the layers.
    pub made_by: String,
}

/// A variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    Is {
        name: String,
        value: String,
    },
    /// Another part of a path: behind what the base says under the first of these names, or where it says nothing behind `or`.
    Extended {
        name: String,
        of: Vec<String>,
        or: String,
        by: String,
    },
}

/// An image that is put together and nowhere yet.
#[derive(Debug)]
pub struct Image {
    base: Option<Base>,
    layers: Vec<Layer>,
    config: Blob,
    manifest: Manifest,
}

impl Image {
    /// Puts an image together, on Linux. `architecture` counts where there is no base.
    pub fn new(base: Option<Base>, architecture: &str, layers: Vec<Layer>, settings: &Settings) -> Self {
        let docker = base.as_ref().is_some_and(|base| base.manifest.media_type == DOCKER_MANIFEST);
        let nothing = json!({ "architecture": architecture, "os": "linux", "created": NO_TIME, "config": {},
            "rootfs": { "type": "layers", "diff_ids": [] }, "history": [] });
        let mut config = base.as_ref().map_or(nothing, |base| base.config.clone());
        configure(&mut config, &layers, settings);
        let bytes = Bytes::from(config.to_string());
        let config = Blob { digest: Digest::of(&bytes), size: bytes.len() as u64, source: Source::Memory(bytes) };
        let empty = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": { "mediaType": OCI_CONFIG }, "layers": [] });
        let read = base.as_ref().and_then(|base| serde_json::from_slice(&base.manifest.bytes).ok());
        let mut manifest: Value = read.unwrap_or(empty);
        manifest["config"]["digest"] = config.digest.as_str().into();
        manifest["config"]["size"] = config.size.into();
        if let Some(list) = manifest["layers"].as_array_mut() {
            let kind = if docker { DOCKER_LAYER } else { OCI_LAYER };
            list.extend(layers.iter().map(|layer| json!({ "mediaType": kind, "digest": layer.digest, "size": layer.size })));
        }
        let bytes = manifest.to_string().into_bytes();
        let media_type = base.as_ref().map_or(OCI_MANIFEST, |base| base.manifest.media_type.as_str()).to_owned();
        // What it names beyond the base is sent from here; only the base's part is read again.
        let content = Content::Index(Vec::new());
        let manifest = Manifest { digest: Digest::of(&bytes), media_type, bytes, content };
        Self { base, layers, config, manifest }
    }

    pub fn digest(&self) -> &Digest {
        &self.manifest.digest
    }
}

/// Writes layers and settings into an image's configuration.
fn configure(config: &mut Value, layers: &[Layer], settings: &Settings) {
    if let Some(list) = config["rootfs"]["diff_ids"].as_array_mut() {
        list.extend(layers.iter().map(|layer| Value::from(layer.diff_id.as_str())));
    }
    if !config["history"].is_array() {
        config["history"] = json!([]);
    }
    if let Some(list) = config["history"].as_array_mut() {
        list.extend(layers.iter().map(|_| json!({ "created": NO_TIME, "created_by": settings.made_by })));
    }
    if !config["config"].is_object() {
        config["config"] = json!({});
    }
    let inner = &mut config["config"];
    if !settings.labels.is_empty() && !inner["Labels"].is_object() {
        inner["Labels"] = json!({});
    }
    for (name, value) in &settings.labels {
        inner["Labels"][name] = value.as_str().into();
    }
    let mut lines: Vec<String> =
        inner["Env"].as_array().into_iter().flatten().filter_map(|line| line.as_str().map(str::to_owned)).collect();
    let base: BTreeMap<String, String> =
        lines.iter().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for variable in &settings.environment {
        let (name, value) = match variable {
            Variable::Is { name, value } => (name, value.clone()),
            Variable::Extended { name, of, or, by } => {
                // Older images of Confluent quote the path for the shell that reads it, and others don't read it with one.
                let before = of.iter().find_map(|name| base.get(name)).map(|path| path.trim_matches('"')).unwrap_or_default();
                (name, format!("{}:{by}", if before.is_empty() { or } else { before }))
            }
        };
        let line = format!("{name}={value}");
        match lines.iter_mut().find(|line| line.split_once('=').is_some_and(|(known, _)| known == name)) {
            Some(known) => *known = line,
            None => lines.push(line),
        }
    }
    if !lines.is_empty() {
        inner["Env"] = lines.into();
    }
    let words = [("Entrypoint", &settings.entrypoint), ("Cmd", &settings.command)];
    for (name, list) in words.into_iter().filter_map(|(name, list)| list.as_ref().map(|list| (name, list))) {
        inner[name] = list.clone().into();
    }
    if let Some(user) = &settings.user {
        inner["User"] = user.as_str().into();
    }
}

/// Brings an image into a registry, under its tag or, without one, its digest. `mounts` are repositories of the target in which layers of
/// the base may lie already.
///
/// # Errors
/// The first request that failed for good; what has arrived stays.
pub async fn put(
    image: &Image,
    to: &Arc<Registry>,
    target: &Reference,
    mounts: &[String],
    report: Arc<dyn Fn(Event) + Send + Sync>,
) -> Result<Copied, RegistryError> {
    let repository = &target.repository;
    let digest = image.digest().clone();
    let selector = target.tag.clone().unwrap_or_else(|| digest.to_string());
    let mut copied = Copied { digest: digest.clone(), was_there: false, layers: 0, bytes: 0, mounted: 0 };
    if to.stands_for(repository, &selector).await?.as_ref() == Some(&digest) {
        copied.was_there = true;
        return Ok(copied);
    }
    let from_base = match &image.base {
        Some(base) => {
            let way = Way {
                from: Arc::clone(&base.registry),
                from_repository: base.repository.clone(),
                to: Arc::clone(to),
                to_repository: repository.clone(),
                report: Arc::clone(&report),
            };
            let mut wanted = pieces(std::iter::once(&base.manifest));
            if let Content::Image { config, .. } = &base.manifest.content
                && let Some(config) = config.digest()
            {
                wanted.remove(&config);
            }
            let lacking = lacking(&way, wanted).await?;
            Some((way, lacking))
        }
        None => None,
    };
    let own = image.layers.iter().map(|layer| Blob {
        digest: layer.digest.clone(),
        size: layer.size,
        source: Source::File(layer.file().to_owned()),
    });
    let mut missing = Vec::new();
    for blob in own.chain([image.config.clone()]) {
        if !to.has_blob(repository, &blob.digest).await? {
            missing.push(blob);
        }
    }
    let (from_base, there) = match from_base {
        Some((way, Lacking { missing, there })) => (Some((way, missing)), there),
        None => (None, 0),
    };
    let of_base = || from_base.iter().flat_map(|(_, missing)| missing.values());
    report(Event::Planned {
        layers: missing.len() + of_base().count(),
        bytes: of_base().sum::<u64>() + missing.iter().map(|blob| blob.size).sum::<u64>(),
        there: there + image.layers.len() + 1 - missing.len(),
    });
    if let Some((way, missing)) = from_base {
        let way = &way;
        let results = stream::iter(missing).map(|(digest, size)| async move { bring(way, mounts, digest, size).await });
        let brought: Vec<(u64, bool)> = results.buffer_unordered(AT_ONCE).try_collect().await?;
        for (size, mounted) in brought {
            if mounted {
                copied.mounted += 1;
            } else {
                copied.layers += 1;
                copied.bytes += size;
            }
        }
    }
    for blob in missing {
        report(Event::Began { digest: blob.digest.clone(), size: blob.size });
        send(to, repository, &blob, &report).await?;
        report(Event::Ended { digest: blob.digest, mounted: false });
        copied.layers += 1;
        copied.bytes += blob.size;
    }
    to.put_manifest(repository, &selector, &image.manifest).await?;
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::{Content, Image, Settings, Variable, configure};
    use crate::images::layer::{self, Layer};
    use crate::images::manifest::Manifest;

    fn layer() -> (tempfile::TempDir, Layer) {
        let folder = tempfile::tempdir().unwrap();
        let entry = layer::Entry { path: "a".to_owned(), mode: 0o755, content: layer::Content::Bytes(b"x".to_vec()) };
        let layer = Layer::write(vec![entry], folder.path()).unwrap();
        (folder, layer)
    }

    #[test]
    fn a_base_keeps_what_it_says() {
        let (_folder, layer) = layer();
        let mut config = json!({ "architecture": "arm64", "created": "2026-08-24T10:00:00Z", "rootfs": { "diff_ids": ["sha256:1"] },
            "config": { "Env": ["PATH=/bin", "CUB_CLASSPATH=\"/cp/*\""], "Labels": { "vendor": "Confluent" }, "Cmd": ["run"] } });
        let extended = |name: &str| Variable::Extended {
            name: name.to_owned(),
            of: vec!["UB_CLASSPATH".to_owned(), "CUB_CLASSPATH".to_owned()],
            or: "/none/*".to_owned(),
            by: "/jars/*".to_owned(),
        };
        let settings = Settings {
            labels: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
            environment: vec![extended("CUB_CLASSPATH"), extended("UB_CLASSPATH")],
            made_by: "us".to_owned(),
            ..Settings::default()
        };
        configure(&mut config, &[layer], &settings);
        let inner = &config["config"];
        assert_eq!(inner["Env"], json!(["PATH=/bin", "CUB_CLASSPATH=/cp/*:/jars/*", "UB_CLASSPATH=/cp/*:/jars/*"]));
        assert_eq!(inner["Labels"], json!({ "vendor": "Confluent", "a": "b" }));
        assert_eq!((&inner["Cmd"], &config["created"]), (&json!(["run"]), &json!("2026-08-24T10:00:00Z")));
        assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), 2);
        assert_eq!(config["history"], json!([{ "created": "1970-01-01T00:00:00Z", "created_by": "us" }]));
    }

    #[test]
    fn an_image_from_nothing_can_be_read() {
        let (_folder, layer) = layer();
        let digest = layer.digest.clone();
        let settings = Settings { entrypoint: Some(vec!["/a".to_owned()]), ..Settings::default() };
        let image = Image::new(None, "amd64", vec![layer], &settings);
        let read = Manifest::read(image.manifest.bytes.clone(), None).unwrap();
        assert_eq!(&read.digest, image.digest());
        let Content::Image { config, layers } = read.content else { panic!("no image") };
        assert_eq!(config.digest().unwrap(), image.config.digest);
        assert_eq!(layers.iter().filter_map(super::super::manifest::Descriptor::digest).collect::<Vec<_>>(), [digest]);
    }
}
