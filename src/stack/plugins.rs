//! What is laid on a service's image: which image then runs, and what it must hold.
//!
//! The image that the files name stays the base. What runs stands beside it in the account's ECR, under the base's repository, with a tag
//! that is made from all that goes in: the base's name, the processor, and each plugin's place and hash. So a template needs no registry
//! to be rendered, a change of any part is another image, and tags never have to move.

use sha2::{Digest as _, Sha256};

use super::build::Builder;
use super::family::Member;
use super::{Architecture, Container, Repository, Text, image};
use crate::base::{ACCOUNT_MARK, Code, REGION_MARK, SUFFIX_MARK};
use crate::extensions::{Placed, Plugin, PluginInto};

/// What the start script's own check of the cluster reads for a class path: newer images the first, older ones the second.
/// Source: cp-docker-utils, ub.go; confluent-docker-utils, cub.py.
const CHECK_PATHS: [&str; 2] = ["UB_CLASSPATH", "CUB_CLASSPATH"];
/// What that check reads where neither says anything, in newer images and in older ones.
const CHECK_FOLDERS: &str = "/usr/share/java/cp-base-java/*:/usr/share/java/cp-base-new/*";
/// A tag has at most 128 characters.
const LONGEST_BASE: usize = 100;
/// The rule of the layout: another one makes other images of the same parts.
const LAYOUT: &str = "confluent-ecs image 1";

/// An image of a base and plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layered {
    /// The image that the files name.
    pub base: Text,
    /// Where the built one stands in the account's ECR.
    pub repository: String,
    pub tag: String,
    /// The hash of all that goes in, as its label says it.
    pub recipe: String,
    pub pieces: Vec<Piece>,
    /// Variables of class paths that the worker's jars have to be on, each with what it holds where the base says nothing.
    pub class_paths: Vec<ClassPath>,
}

/// A plugin and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub plugin: Plugin,
    /// From the root, without a slash at either end.
    pub folder: String,
}

/// A class path that is made longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassPath {
    pub name: String,
    /// The variables that may hold it in the base, in the order in which they count.
    pub of: Vec<String>,
    pub or: String,
    pub by: String,
}

impl Builder<'_> {
    /// Gives a container the image that holds its plugins.
    pub(super) fn plugins(&mut self, member: &Member<'_>, architecture: Architecture, container: &mut Container) {
        let plugins = &member.extensions.confluent.plugins;
        let Some(first) = plugins.first() else { return };
        let written = member.service.image.as_deref().filter(|written| image::fault(written).is_none());
        if member.service.build.is_some() {
            let message = format!("{} is built from a Dockerfile of its own: nothing is laid on its image", member.name);
            self.error_at(Code::PLUGIN_PLACE, &first.written, message).help =
                Some("take build away, or the plugins: images dockerfile writes the lines for your own".to_owned());
            return;
        }
        let pieces: Vec<Piece> = plugins.iter().filter_map(|plugin| self.piece(member, plugin)).collect();
        let (Some(written), true) = (written, pieces.len() == plugins.len()) else { return };
        let pieces = once_each(pieces);
        let mut class_paths = Vec::new();
        if let Some(component) = member.component.filter(|_| plugins.iter().any(|plugin| plugin.into == PluginInto::Worker)) {
            let by = format!("{}/*", component.start.jars.trim_end_matches('/'));
            let check = CHECK_PATHS.map(str::to_owned).to_vec();
            class_paths.extend(check.iter().map(|name| ClassPath {
                name: name.clone(),
                of: check.clone(),
                or: CHECK_FOLDERS.to_owned(),
                by: by.clone(),
            }));
            let own = component.start.jars_variable.as_ref();
            for name in own.into_iter().chain(&check) {
                self.must_hold(member, name, &by, ':', &first.written);
            }
        }
        let name = image::Name::of(written);
        let word = if architecture == Architecture::Arm64 { "arm64" } else { "amd64" };
        let mut lines: Vec<String> = pieces
            .iter()
            .map(|Piece { plugin, folder }| format!("{folder} {} {}", plugin.file, plugin.sha256))
            .chain(class_paths.iter().map(|path| format!("{} {}", path.name, path.by)))
            .collect();
        lines.sort();
        lines.dedup();
        // The base's registry is left out: the account and the region in it may be unknown yet.
        let base = format!("{} {} {}", name.repository, name.tag.unwrap_or_default(), name.digest.unwrap_or_default());
        let recipe = hash(&[LAYOUT, &base, word].into_iter().chain(lines.iter().map(String::as_str)).collect::<Vec<_>>());
        let before = name.tag.or_else(|| name.digest.and_then(|digest| digest.get(7..19))).unwrap_or("latest");
        let before: String = before.chars().take(LONGEST_BASE).collect();
        let tag = format!("{before}-{word}-{}", recipe.get(..12).unwrap_or_default());
        let repository = name.repository.to_owned();
        let (account, region) = (Text::from(ACCOUNT_MARK.to_string()), Text::from(REGION_MARK.to_string()));
        container.repository = Some(Repository { account, region, name: Text::from(&repository) });
        container.image = Text::from(format!("{ACCOUNT_MARK}.dkr.ecr.{REGION_MARK}.{SUFFIX_MARK}/{repository}:{tag}"));
        container.layered = Some(Layered { base: Text::from(written), repository, tag, recipe, pieces, class_paths });
    }

    /// Where a plugin goes, in the image of what its service runs.
    fn piece(&mut self, member: &Member<'_>, plugin: &Plugin) -> Option<Piece> {
        let Some(component) = member.component else {
            let message = format!("what {} runs is not known, and so not where it loads {} from", member.name, plugin.file);
            self.error_at(Code::PLUGIN_PLACE, &plugin.written, message).help = Some("say it: x-confluent.component".to_owned());
            return None;
        };
        let title = &component.title;
        let folder = match plugin.into {
            PluginInto::Worker => {
                if plugin.file.strip_suffix(".jar").is_none() {
                    let message = format!("{} is an archive, and a class path holds jars", plugin.file);
                    self.error_at(Code::PLUGIN_PLACE, &plugin.written, message).help = Some("name each jar".to_owned());
                    return None;
                }
                component.start.jars.trim_matches('/').to_owned()
            }
            PluginInto::Plugin => {
                let Some(path) = &component.start.plugins else {
                    self.error_at(Code::PLUGIN_PLACE, &plugin.written, format!("{title} loads no plugins")).help =
                        Some("for its own class path, write into: worker".to_owned());
                    return None;
                };
                self.must_hold(member, &path.variable, &path.folder, ',', &plugin.written);
                format!("{}/{}", path.folder.trim_matches('/'), plugin.name)
            }
        };
        Some(Piece { plugin: plugin.clone(), folder })
    }

    /// A path that the files set takes the place of the image's: without our folder in it nothing there is found.
    fn must_hold(&mut self, member: &Member<'_>, variable: &str, folder: &str, between: char, plugin: &Placed<String>) {
        let Some(value) = member.service.environment.get(variable).and_then(Option::as_deref) else { return };
        let plain = |path: &str| path.trim().trim_end_matches(['*', '/']).to_owned();
        if value.trim_matches('"').split(between).any(|path| plain(path) == plain(folder)) {
            return;
        }
        let message = format!("{variable} leaves out {folder}, where {} goes", plugin.value);
        let path = ["services", member.name, "environment", variable];
        if self.findings.iter().any(|found| found.code == Code::PLUGIN_PLACE && found.message.starts_with(variable)) {
            return;
        }
        let value = value.trim_end_matches(between);
        self.error(Code::PLUGIN_PLACE, &path, message).help =
            Some(format!("leave it out, or write \"{value}{between}{folder}\""));
    }
}

/// The same bytes in the same place are one piece, however often and from wherever they are named.
fn once_each(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut kept: Vec<Piece> = Vec::new();
    for piece in pieces {
        let same = |other: &Piece| {
            other.folder == piece.folder && other.plugin.file == piece.plugin.file && other.plugin.sha256 == piece.plugin.sha256
        };
        if !kept.iter().any(same) {
            kept.push(piece);
        }
    }
    kept
}

/// The hash of some lines, in hexadecimal digits.
fn hash(lines: &[&str]) -> String {
    use std::fmt::Write as _;
    let mut hasher = Sha256::new();
    for line in lines {
        hasher.update(line.as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::Layered;
    use crate::stack::tests::{SIZE, decided};

    const ITEMS: [&str; 2] = ["file: a.jar, sha256: HASH", "file: b.jar, sha256: HASH, into: worker"];

    fn service(image: &str, more: &str, environment: &str, items: &[&str]) -> String {
        let hash = "0123456789abcdef".repeat(4);
        let items: String = items.iter().map(|item| "        - { ".to_owned() + &item.replace("HASH", &hash) + " }\n").collect();
        format!(
            "services:\n  connect:\n    image: {image}\n{more}    x-confluent:\n      plugins:\n{items}    environment: {{ \
             CONNECT_BOOTSTRAP_SERVERS: 'a:9092', CONNECT_GROUP_ID: g, CONNECT_CONFIG_STORAGE_TOPIC: c, CONNECT_OFFSET_STORAGE_TOPIC: \
             o, CONNECT_STATUS_STORAGE_TOPIC: s, CONNECT_KEY_CONVERTER: k, CONNECT_VALUE_CONVERTER: v{environment} }}\n{SIZE}"
        )
    }

    fn layered(image: &str, more: &str, items: &[&str]) -> Layered {
        let (stack, findings) = decided(&service(image, more, "", items));
        assert_eq!(findings, "");
        stack.families[0].containers[0].layered.clone().unwrap()
    }

    #[test]
    fn the_tag_says_all_that_goes_in_and_nothing_else() {
        let image = "confluentinc/cp-kafka-connect:8.0.7";
        let first = layered(image, "", &ITEMS);
        assert_eq!(first.repository, "confluentinc/cp-kafka-connect");
        let stack = decided(&service(image, "", "", &ITEMS)).0;
        let container = &stack.families[0].containers[0];
        assert_eq!(
            container.image.to_string(),
            format!("${{AWS_ACCOUNT_ID}}.dkr.ecr.${{AWS_REGION}}.amazonaws.com/confluentinc/cp-kafka-connect:{}", first.tag)
        );
        assert_eq!(container.repository.as_ref().unwrap().name.literal(), Some("confluentinc/cp-kafka-connect"));
        assert_eq!(first.tag, format!("8.0.7-amd64-{}", &first.recipe[..12]));
        let folders: Vec<&str> = first.pieces.iter().map(|piece| piece.folder.as_str()).collect();
        assert_eq!(folders, ["usr/share/confluent-hub-components/a", "etc/kafka-connect/jars"]);
        // Another order, another source of the same bytes, a mirror of the base: the same image.
        let url = "url: 'https://example.com/x/a.jar', sha256: HASH";
        assert_eq!(layered(image, "", &[ITEMS[1], ITEMS[0]]).tag, first.tag);
        assert_eq!(layered(image, "", &[url, ITEMS[1]]).tag, first.tag);
        let twice = layered(image, "", &[ITEMS[0], ITEMS[1], ITEMS[0]]);
        assert_eq!((twice.pieces.len(), &twice.tag), (2, &first.tag));
        assert_eq!(layered(&format!("1.dkr.ecr.eu-west-1.amazonaws.com/{image}"), "", &ITEMS).tag, first.tag);
        let digest = format!("{image}@sha256:{}", "0".repeat(64));
        for other in [
            layered(image, "", &ITEMS[..1]),
            layered(image, "", &[ITEMS[0], "file: b.jar, sha256: HASH"]),
            layered(image, "    x-ecs: { CpuArchitecture: ARM64 }\n", &ITEMS),
            layered(&digest, "", &ITEMS),
        ] {
            assert_ne!(other.recipe, first.recipe);
        }
    }

    #[test]
    fn a_plugin_that_nothing_would_load_is_found_where_it_is_written() {
        let image = "confluentinc/cp-kafka-connect:8.0.7";
        let found =
            |image: &str, more: &str, environment: &str, item: &str| decided(&service(image, more, environment, &[item])).1;
        for (image, more, environment, item, said) in [
            (
                image,
                "",
                ", CONNECT_PLUGIN_PATH: /opt/own",
                ITEMS[0],
                "CONNECT_PLUGIN_PATH leaves out /usr/share/confluent-hub-components/",
            ),
            (image, "", ", CLASSPATH: /opt/x.jar", ITEMS[1], "CLASSPATH leaves out /etc/kafka-connect/jars/*"),
            (image, "", ", CUB_CLASSPATH: /opt/x.jar", ITEMS[1], "write \"/opt/x.jar:/etc/kafka-connect/jars/*\""),
            (image, "    build: .\n", "", ITEMS[0], "nothing is laid on its image"),
            (image, "", "", "file: b.zip, sha256: HASH, into: worker", "a class path holds jars"),
            ("acme/own:1", "", "", ITEMS[0], "say it: x-confluent.component"),
            ("confluentinc/cp-schema-registry:8.0.7", "", "", ITEMS[0], "Schema Registry loads no plugins"),
        ] {
            let text = found(image, more, environment, item);
            assert!(text.contains(said), "{item}:\n{text}");
        }
        let text = found(image, "", ", CONNECT_PLUGIN_PATH: '/usr/share/java,/usr/share/confluent-hub-components'", ITEMS[0]);
        assert_eq!(text, "");
    }
}
