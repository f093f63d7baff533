//! Manifests: what an image is made of. Two families of media types, Docker's and OCI's, of one shape.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Digest;

pub(super) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(super) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(super) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// What we take, as the header says it.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A manifest as it came: the bytes are what the digest is of.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    pub(super) digest: Digest,
    pub(super) media_type: String,
    pub(super) bytes: Vec<u8>,
    pub(super) content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    /// One image for one platform.
    Image { config: Descriptor, layers: Vec<Descriptor> },
    /// Several, one for each platform.
    Index(Vec<Descriptor>),
}

/// A piece of content by its digest.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub(super) media_type: String,
    digest: String,
    pub(super) size: u64,
    pub(super) platform: Option<Platform>,
}

impl Descriptor {
    /// [`Manifest::read`] looked that it is one.
    pub(super) fn digest(&self) -> Option<Digest> {
        Digest::parse(&self.digest)
    }

    /// A layer that may not be given away stays where it is: the runtime gets it from its maker.
    pub(super) fn stays(&self) -> bool {
        self.media_type.contains("foreign") || self.media_type.contains("nondistributable")
    }
}

/// What an image runs on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub struct Platform {
    pub os: String,
    pub architecture: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_deref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    media_type: Option<String>,
    schema_version: Option<u32>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

/// Why a manifest can't be used.
#[derive(Debug)]
pub(super) struct Unread {
    /// It is one, of a kind that we can't take.
    pub(super) is_manifest: bool,
    pub(super) why: String,
}

impl Manifest {
    /// Reads a manifest; says what is wrong with one that can't be used. `media_type` is the registry's word for it.
    pub(super) fn read(bytes: Vec<u8>, media_type: Option<&str>) -> Result<Self, Unread> {
        let unusable = |why: &str| Unread { is_manifest: true, why: why.to_owned() };
        let written: Written = serde_json::from_slice(&bytes)
            .map_err(|error| Unread { is_manifest: false, why: format!("its manifest can't be read: {error}") })?;
        if written.schema_version == Some(1) {
            return Err(unusable("its manifest is of the first version, which ECR doesn't take"));
        }
        let stated = media_type.map(|word| word.split(';').next().unwrap_or(word).trim().to_owned());
        let content = match (written.config, written.layers, written.manifests) {
            (Some(config), Some(layers), None) => Content::Image { config, layers },
            (None, None, Some(manifests)) => Content::Index(manifests),
            _ => return Err(unusable("its manifest is neither an image's nor a list of images")),
        };
        let pieces: Vec<&Descriptor> = match &content {
            Content::Image { config, layers } => std::iter::once(config).chain(layers).collect(),
            Content::Index(manifests) => manifests.iter().collect(),
        };
        if let Some(bad) = pieces.iter().find(|piece| piece.digest().is_none()) {
            return Err(unusable(&format!("its manifest names a piece `{}`, which is no SHA-256", bad.digest)));
        }
        let known = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];
        let assumed = if matches!(content, Content::Index(_)) { OCI_INDEX } else { OCI_MANIFEST };
        let media_type = [written.media_type, stated].into_iter().flatten().find(|word| known.contains(&word.as_str()));
        Ok(Self { digest: Digest::of(&bytes), media_type: media_type.unwrap_or_else(|| assumed.to_owned()), bytes, content })
    }
}

/// The part of an image's configuration that we read.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Config {
    pub(super) os: Option<String>,
    pub(super) architecture: Option<String>,
    pub(super) variant: Option<String>,
    /// RFC 3339.
    pub(super) created: Option<String>,
    #[serde(rename = "config")]
    pub(super) inner: Option<Inner>,
}

/// What a container of the image starts with.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inner {
    pub(super) labels: Option<BTreeMap<String, String>>,
}

#[cfg(test)]
mod tests {
    use super::{Content, DOCKER_MANIFEST, Manifest, OCI_INDEX};

    #[test]
    fn both_families_are_read() {
        let digest = format!("sha256:{}", "1".repeat(64));
        let image = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"x","digest":"{digest}","size":2}},"layers":[{{"mediaType":"y","digest":"{digest}","size":3}}]}}"#
        );
        let read = Manifest::read(image.into_bytes(), Some(&format!("{DOCKER_MANIFEST}; charset=utf-8"))).unwrap();
        assert_eq!(read.media_type, DOCKER_MANIFEST);
        assert!(matches!(read.content, Content::Image { ref layers, .. } if layers.len() == 1));
        let index = format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{{"mediaType":"x","digest":"{digest}","size":2,
                "platform":{{"os":"linux","architecture":"arm64","variant":"v8"}}}}]}}"#
        );
        let read = Manifest::read(index.into_bytes(), Some("text/plain")).unwrap();
        assert_eq!(read.media_type, OCI_INDEX);
        let Content::Index(manifests) = read.content else { panic!("not an index") };
        assert_eq!(manifests[0].platform.as_ref().unwrap().to_string(), "linux/arm64/v8");
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for wrong in [
            "",
            "{}",
            "<html>",
            r#"{"schemaVersion":1,"fsLayers":[]}"#,
            r#"{"config":{"digest":"sha256:1","size":1},"layers":[]}"#,
        ] {
            assert!(Manifest::read(wrong.as_bytes().to_vec(), None).is_err(), "{wrong}");
        }
    }
}
