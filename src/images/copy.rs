//! An image from one registry into another, with the same digest: all platforms, all manifests, only the layers that lack.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::blob::{Mount, Way, carry, mount};
use super::error::RegistryError;
use super::manifest::{Content, Descriptor, Manifest};
use super::registry::Registry;
use super::{Digest, Reference};

/// Layers on their way at the same time.
pub(super) const AT_ONCE: usize = 6;

/// What happens on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// What the copy will bring over: the layers that the target lacks.
    Planned {
        layers: usize,
        bytes: u64,
        there: usize,
    },
    Began {
        digest: Digest,
        size: u64,
    },
    Advanced {
        digest: Digest,
        bytes: u64,
    },
    /// So many bytes of a file that is to be laid on an image are here; of how many, where its source says so.
    Fetching {
        name: String,
        at: u64,
        of: Option<u64>,
    },
    /// A file that is to be laid on an image is here, and proven.
    Fetched {
        name: String,
        size: u64,
    },
    /// A layer goes on from this byte, after what `why` says in a few words.
    Resumed {
        digest: Digest,
        at: u64,
        why: &'static str,
    },
    Ended {
        digest: Digest,
        mounted: bool,
    },
}

/// What a copy came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub digest: Digest,
    /// The target's tag stood for this digest already: nothing was sent.
    pub was_there: bool,
    pub layers: usize,
    pub bytes: u64,
    pub mounted: usize,
}

/// Copies an image. `mounts` are repositories of the target in which its layers may lie already.
///
/// The manifests go last, an index after all that it names: a copy that breaks off leaves layers, and no image that lacks some.
///
/// # Errors
/// The first request that failed for good; what has arrived stays, and is not sent again by the next attempt.
pub async fn copy(
    from: &Arc<Registry>,
    source: &Reference,
    to: &Arc<Registry>,
    target: &Reference,
    mounts: &[String],
    report: Arc<dyn Fn(Event) + Send + Sync>,
) -> Result<Copied, RegistryError> {
    let top = from.manifest(&source.repository, source.selector()).await?;
    let tag = target.tag.clone().unwrap_or_else(|| top.digest.to_string());
    let mut copied = Copied { digest: top.digest.clone(), was_there: false, layers: 0, bytes: 0, mounted: 0 };
    if to.stands_for(&target.repository, &tag).await?.as_ref() == Some(&top.digest) {
        copied.was_there = true;
        return Ok(copied);
    }
    let way = Way {
        from: Arc::clone(from),
        from_repository: source.repository.clone(),
        to: Arc::clone(to),
        to_repository: target.repository.clone(),
        report,
    };
    let children = children(&way, &top).await?;
    let wanted = pieces(children.iter().chain([&top]));
    let lacking = lacking(&way, wanted).await?;
    let (layers, bytes) = (lacking.missing.len(), lacking.missing.values().sum());
    (way.report)(Event::Planned { layers, bytes, there: lacking.there });
    let results = stream::iter(lacking.missing).map(|(digest, size)| {
        let way = &way;
        async move { bring(way, mounts, digest, size).await }
    });
    let brought: Vec<(u64, bool)> = results.buffer_unordered(AT_ONCE).try_collect().await?;
    copied.layers = brought.iter().filter(|(_, mounted)| !mounted).count();
    copied.bytes = brought.iter().filter(|(_, mounted)| !mounted).map(|(size, _)| size).sum();
    copied.mounted = brought.iter().filter(|(_, mounted)| *mounted).count();
    for child in &children {
        to.put_manifest(&target.repository, child.digest.as_str(), child).await?;
    }
    to.put_manifest(&target.repository, &tag, &top).await?;
    Ok(copied)
}

/// The manifests below an index, those first that others name.
async fn children(way: &Way, top: &Manifest) -> Result<Vec<Manifest>, RegistryError> {
    let mut found: Vec<Manifest> = Vec::new();
    let mut open: Vec<Digest> = below(top);
    let mut seen: BTreeSet<Digest> = BTreeSet::new();
    while let Some(digest) = open.pop() {
        if !seen.insert(digest.clone()) {
            continue;
        }
        let child = way.from.manifest(&way.from_repository, digest.as_str()).await?;
        open.extend(below(&child));
        found.insert(0, child);
    }
    Ok(found)
}

fn below(manifest: &Manifest) -> Vec<Digest> {
    match &manifest.content {
        Content::Image { .. } => Vec::new(),
        Content::Index(manifests) => manifests.iter().filter_map(Descriptor::digest).collect(),
    }
}

/// Every blob that the manifests name, each once, with its size.
pub(super) fn pieces<'a>(manifests: impl Iterator<Item = &'a Manifest>) -> BTreeMap<Digest, u64> {
    let mut found = BTreeMap::new();
    for manifest in manifests {
        let Content::Image { config, layers } = &manifest.content else { continue };
        for piece in std::iter::once(config).chain(layers.iter().filter(|layer| !layer.stays())) {
            found.extend(piece.digest().map(|digest| (digest, piece.size)));
        }
    }
    found
}

/// What a target lacks, and how much it has.
pub(super) struct Lacking {
    pub(super) missing: BTreeMap<Digest, u64>,
    pub(super) there: usize,
}

pub(super) async fn lacking(way: &Way, wanted: BTreeMap<Digest, u64>) -> Result<Lacking, RegistryError> {
    let asked = stream::iter(wanted).map(|(digest, size)| async move {
        let there = way.to.has_blob(&way.to_repository, &digest).await?;
        Ok((digest, size, there))
    });
    let answers: Vec<(Digest, u64, bool)> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
    let there = answers.iter().filter(|(_, _, there)| *there).count();
    let missing = answers.into_iter().filter(|(_, _, there)| !there).map(|(digest, size, _)| (digest, size)).collect();
    Ok(Lacking { missing, there })
}

pub(super) async fn bring(way: &Way, mounts: &[String], digest: Digest, size: u64) -> Result<(u64, bool), RegistryError> {
    (way.report)(Event::Began { digest: digest.clone(), size });
    let same_registry = way.from.name() == way.to.name();
    let own = same_registry.then_some(&way.from_repository).filter(|own| **own != way.to_repository);
    let others = mounts.iter().filter(|repository| **repository != way.to_repository);
    let begun = match mount(way, &digest, own.into_iter().chain(others)).await {
        Mount::Done => {
            (way.report)(Event::Ended { digest, mounted: true });
            return Ok((size, true));
        }
        Mount::Send(begun) => begun,
    };
    carry(way, &digest, size, begun).await?;
    (way.report)(Event::Ended { digest, mounted: false });
    Ok((size, false))
}
