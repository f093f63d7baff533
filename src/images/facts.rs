//! What an image is, as its registry tells it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::{Kind, RegistryError};
use super::manifest::{Config, Content, Manifest};
use super::{Digest, Platform, Reference, Registry};

/// An image that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageFacts {
    /// Of the whole: of the list, where there are several platforms.
    pub digest: Digest,
    /// Of the image for the wanted platform, where there is one: what the task pulls, and what ECR scans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_digest: Option<Digest>,
    pub platforms: Vec<Platform>,
    /// When the image for the wanted platform was built, RFC 3339, where it says so.
    pub created: Option<String>,
    /// Bytes of the wanted platform's layers, as they are sent.
    pub size: Option<u64>,
    /// Of the image for the wanted platform.
    #[serde(skip)]
    pub labels: BTreeMap<String, String>,
}

impl ImageFacts {
    /// Whether it has something for this processor, on Linux.
    pub fn runs_on(&self, architecture: &str) -> bool {
        self.platforms.iter().any(|platform| platform.os == "linux" && platform.architecture == architecture)
    }
}

/// Asks for an image; `None`: there is none of this name. `architecture` as in `amd64`.
pub async fn facts(registry: &Registry, reference: &Reference, architecture: &str) -> Result<Option<ImageFacts>, RegistryError> {
    let top = match registry.manifest(&reference.repository, reference.selector()).await {
        Ok(top) => top,
        Err(error) if error.kind == Kind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut facts = ImageFacts {
        digest: top.digest.clone(),
        platform_digest: None,
        platforms: Vec::new(),
        created: None,
        size: None,
        labels: BTreeMap::new(),
    };
    let image = match &top.content {
        Content::Image { .. } => Some(top),
        Content::Index(manifests) => {
            let platforms = manifests.iter().filter_map(|manifest| manifest.platform.clone());
            // What builders add about how an image was made stands in the list under a platform that is none.
            facts.platforms = platforms.filter(|platform| platform.os != "unknown").collect();
            let fits = |platform: &Platform| platform.os == "linux" && platform.architecture == architecture;
            let wanted = manifests.iter().find(|manifest| manifest.platform.as_ref().is_some_and(fits));
            match wanted.and_then(super::manifest::Descriptor::digest) {
                Some(digest) => Some(registry.manifest(&reference.repository, digest.as_str()).await?),
                None => None,
            }
        }
    };
    if let Some(image) = image {
        of_image(registry, reference, &image, &mut facts).await?;
    }
    facts.platforms.sort();
    facts.platforms.dedup();
    Ok(Some(facts))
}

async fn of_image(
    registry: &Registry,
    reference: &Reference,
    image: &Manifest,
    facts: &mut ImageFacts,
) -> Result<(), RegistryError> {
    let Content::Image { config, layers } = &image.content else { return Ok(()) };
    facts.platform_digest = Some(image.digest.clone());
    facts.size = Some(layers.iter().map(|layer| layer.size).sum());
    let Some(digest) = config.digest() else { return Ok(()) };
    let bytes = registry.short_blob(&reference.repository, &digest).await?;
    let Ok(config) = serde_json::from_slice::<Config>(&bytes) else {
        // An artefact that is no image: nothing runs it.
        return Ok(());
    };
    facts.created = config.created;
    facts.labels = config.inner.and_then(|inner| inner.labels).unwrap_or_default();
    if facts.platforms.is_empty()
        && let (Some(os), Some(architecture)) = (config.os, config.architecture)
    {
        facts.platforms.push(Platform { os, architecture, variant: config.variant });
    }
    Ok(())
}
