//! `services.*.x-confluent.plugins`: what is laid on the service's image, each pinned by the hash of its bytes.
//!
//! ```yaml
//! x-confluent:
//!   plugins:
//!     - { hub: confluentinc/kafka-connect-s3:10.5.17, sha256: … }
//!     - { maven: org.postgresql:postgresql:42.7.4, sha256: …, name: jdbc }
//!     - { maven: software.amazon.msk:aws-msk-iam-auth:2.3.6:all, sha256: …, into: worker }
//!     - { file: plugins/own.zip, sha256: … }
//! ```

use super::reader::{Item, Key, Placed, Reader};
use crate::base::{Code, Finding};

/// Where Confluent Hub keeps its archives.
const HUB: &str = "https://hub-downloads.confluent.io/api/plugins";
/// Where jars come from that name no repository.
const CENTRAL: &str = "https://repo1.maven.org/maven2";
const SOURCES: [&str; 4] = ["hub", "maven", "url", "file"];
const WORKER: &str = "worker";
const PLUGIN: &str = "plugin";

/// A plugin, or a jar for the worker itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// As it is written, with its place: `confluentinc/kafka-connect-s3:10.5.17`.
    pub written: Placed<String>,
    pub from: PluginSource,
    /// 64 hexadecimal digits, in small letters.
    pub sha256: String,
    pub into: PluginInto,
    /// The folder of a plugin: several of one name share it.
    pub name: String,
    /// What the file is called at its source.
    pub file: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginSource {
    Url(String),
    /// As it is written: below the folder of the project.
    File(String),
}

/// Who loads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PluginInto {
    /// Connect, from a folder of its plugin path.
    Plugin,
    /// The component itself, from its class path.
    Worker,
}

/// What a source says of a plugin before anything is fetched.
struct Found {
    from: PluginSource,
    name: String,
    file: String,
}

impl Reader<'_> {
    pub(super) fn plugins(&mut self, item: &Item<'_>) -> Vec<Plugin> {
        self.items(item).iter().filter_map(|item| self.plugin(item)).collect()
    }

    fn plugin(&mut self, item: &Item<'_>) -> Option<Plugin> {
        let keys: &[Key] = &[&["hub"], &["maven"], &["url"], &["file"], &["sha256"], &["into"], &["name"], &["repository"]];
        let fields = self.fields(item, keys, &[])?;
        let named: Vec<(&str, &Item<'_>)> = SOURCES.iter().filter_map(|key| fields.get(key).map(|item| (*key, item))).collect();
        let (kind, source) = match named.as_slice() {
            [one] => *one,
            [] => {
                self.wrong(item, "the plugin doesn't say where it comes from", "write one of hub, maven, url and file");
                return None;
            }
            [(first, _), (second, at), ..] => {
                let message = format!("{first} and {second}: a plugin comes from one place");
                self.wrong(at, message, "keep one of them, and write the other as an item of its own");
                return None;
            }
        };
        let repository = fields.get("repository");
        if let Some(repository) = repository.filter(|_| kind != "maven") {
            self.wrong(repository, "repository belongs to maven", "leave it out");
        }
        let written = self.word(source)?;
        let found = match kind {
            "hub" => self.of_hub(source, &written.value),
            "maven" => {
                let repository = match repository {
                    Some(item) => self.word(item).and_then(|base| self.https(item, &base.value))?,
                    None => CENTRAL.to_owned(),
                };
                self.of_maven(source, &written.value, &repository)
            }
            "url" => self.of_url(source, &written.value),
            _ => self.own_file(source, &written.value),
        };
        let into = match fields.get("into") {
            Some(item) => match self.choice(item, &[PLUGIN, WORKER])?.value {
                WORKER => PluginInto::Worker,
                _ => PluginInto::Plugin,
            },
            None => PluginInto::Plugin,
        };
        let name = match fields.get("name") {
            Some(item) => Some(self.folder_name(item)?),
            None => None,
        };
        let sha256 = fields.get("sha256").map(|item| self.sha256(item));
        if let (None, Some(found)) = (&sha256, &found) {
            self.unpinned(source, &written.value, &found.from);
        }
        let sha256 = sha256.flatten();
        let (found, sha256) = (found?, sha256?);
        let name = name.unwrap_or(found.name);
        Some(Plugin { written, from: found.from, sha256, into, name, file: found.file })
    }

    /// A plugin without its hash: whoever holds its source could change what runs.
    fn unpinned(&mut self, item: &Item<'_>, written: &str, from: &PluginSource) {
        let command = match from {
            PluginSource::Url(url) => format!("curl -sSfL {url} | sha256sum"),
            PluginSource::File(path) => format!("sha256sum {path}"),
        };
        let message = format!("{written} is not pinned: what it holds could change with nobody noticing");
        let finding = Finding::error(Code::PLUGIN_UNPINNED, message).at(self.place(item)).path(&item.path);
        self.findings.push(finding.help(format!("add sha256 beside it; this prints it: {command}")));
    }

    fn sha256(&mut self, item: &Item<'_>) -> Option<String> {
        let written = self.word(item)?.value;
        let hex = written.strip_prefix("sha256:").unwrap_or(&written).to_ascii_lowercase();
        if hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(hex);
        }
        self.wrong(item, format!("\"{written}\" is no SHA-256"), "64 hexadecimal digits, as sha256sum prints them");
        None
    }

    fn folder_name(&mut self, item: &Item<'_>) -> Option<String> {
        let name = self.word(item)?.value;
        if is_name(&name) {
            return Some(name);
        }
        self.wrong(item, format!("\"{name}\" can't be the name of a folder"), "letters, digits and . _ -, at most 128");
        None
    }

    /// `owner/name:version`.
    fn of_hub(&mut self, item: &Item<'_>, written: &str) -> Option<Found> {
        let parts = written.split_once('/').and_then(|(owner, rest)| Some((owner, rest.split_once(':')?)));
        let Some((owner, (name, version))) = parts.filter(|(o, (n, v))| is_name(o) && is_name(n) && is_name(v)) else {
            self.wrong(item, format!("\"{written}\" is nothing of Confluent Hub"), "write owner/name:version");
            return None;
        };
        if !self.is_pinned(item, version) {
            return None;
        }
        let file = format!("{owner}-{name}-{version}.zip");
        let from = PluginSource::Url(format!("{HUB}/{owner}/{name}/versions/{version}/{file}"));
        Some(Found { from, name: format!("{owner}-{name}"), file })
    }

    /// `group:artifact:version[:classifier][@extension]`.
    fn of_maven(&mut self, item: &Item<'_>, written: &str, repository: &str) -> Option<Found> {
        let Some(Maven { folder, artifact, version, file }) = Maven::parse(written) else {
            let help = "write group:artifact:version, with :classifier and @extension where it has them";
            self.wrong(item, format!("\"{written}\" are no Maven coordinates"), help);
            return None;
        };
        if !self.is_pinned(item, version) {
            return None;
        }
        let from = PluginSource::Url(format!("{repository}/{folder}/{artifact}/{version}/{file}"));
        self.taken(item, from, &file).map(|found| Found { name: artifact.to_owned(), ..found })
    }

    /// A version that stands for another file tomorrow is none.
    fn is_pinned(&mut self, item: &Item<'_>, version: &str) -> bool {
        let floats = version.eq_ignore_ascii_case("latest") || version.to_ascii_uppercase().ends_with("-SNAPSHOT");
        if floats {
            let message = format!("{version} is another file whenever somebody publishes one");
            let finding = Finding::error(Code::PLUGIN_UNPINNED, message).at(self.place(item)).path(&item.path);
            self.findings.push(finding.help("write the number of the version"));
        }
        !floats
    }

    fn of_url(&mut self, item: &Item<'_>, written: &str) -> Option<Found> {
        let url = self.https(item, written)?;
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let file = path.rsplit('/').next().unwrap_or_default();
        self.taken(item, PluginSource::Url(url.clone()), file)
    }

    /// An address that is asked over TLS: what comes in the clear may be anybody's, and the request shows who asks.
    fn https(&mut self, item: &Item<'_>, written: &str) -> Option<String> {
        let Some((scheme, rest)) = written.split_once("://") else {
            self.wrong(item, format!("\"{written}\" is no address"), "write https://…");
            return None;
        };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('@') {
            self.wrong(item, "the address holds a login, which everybody who reads the file would have", "leave it out");
            return None;
        }
        let this_machine = ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .any(|local| host.strip_prefix(local).is_some_and(|port| port.is_empty() || port.starts_with(':')));
        let secure = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http") && this_machine;
        if host.is_empty() || !secure || written.chars().any(|c| c.is_whitespace() || c.is_control()) {
            self.wrong(item, format!("\"{written}\" can't be fetched"), "an address begins with https://");
            return None;
        }
        Some(written.trim_end_matches('/').to_owned())
    }

    /// A file of the project, which stays inside of its folder: another machine has nothing else.
    fn own_file(&mut self, item: &Item<'_>, written: &str) -> Option<Found> {
        let path = written.strip_prefix("./").unwrap_or(written);
        let inside = !path.starts_with(['/', '~']) && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !inside {
            let help = "put it below the folder of the project, and write its path from there";
            self.wrong(item, format!("{written} is outside of the project"), help);
            return None;
        }
        let file = path.rsplit('/').next().unwrap_or_default();
        self.taken(item, PluginSource::File(path.to_owned()), file)
    }

    fn taken(&mut self, item: &Item<'_>, from: PluginSource, file: &str) -> Option<Found> {
        let known = [".tar.gz", ".tgz", ".zip", ".jar"].iter().find_map(|end| file.strip_suffix(end));
        let Some(name) = known.filter(|name| is_name(name) && is_name(file)) else {
            let message = format!("\"{file}\" is no jar and no archive that can be unpacked");
            self.wrong(item, message, "a name that ends in .jar, .zip, .tar.gz or .tgz");
            return None;
        };
        Some(Found { from, name: name.to_owned(), file: file.to_owned() })
    }
}

/// Coordinates of Maven, as they stand in an address.
struct Maven<'a> {
    folder: String,
    artifact: &'a str,
    version: &'a str,
    file: String,
}

impl<'a> Maven<'a> {
    fn parse(written: &'a str) -> Option<Self> {
        let (coordinates, extension) = written.split_once('@').unwrap_or((written, "jar"));
        let parts: Vec<&str> = coordinates.split(':').collect();
        let sound = matches!(parts.len(), 3 | 4) && parts.iter().all(|part| is_name(part)) && is_name(extension);
        let [group, artifact, version, classifier @ ..] = parts.as_slice() else { return None };
        let named: Vec<&str> = [artifact, version].into_iter().chain(classifier).copied().collect();
        let file = format!("{}.{extension}", named.join("-"));
        sound.then(|| Self { folder: group.replace('.', "/"), artifact, version, file })
    }
}

/// Where Maven Central has what these coordinates name.
pub fn maven_url(coordinates: &str) -> Option<String> {
    let Maven { folder, artifact, version, file } = Maven::parse(coordinates)?;
    Some(format!("{CENTRAL}/{folder}/{artifact}/{version}/{file}"))
}

/// One part of a path or of an address.
fn is_name(text: &str) -> bool {
    let fits = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c));
    fits && !text.is_empty() && text.len() <= 128 && !text.starts_with(['.', '-'])
}
