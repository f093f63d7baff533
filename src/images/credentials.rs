//! Whose login a registry gets: ECR's token, which ends and is then fetched anew, or what `docker login` stored.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;

use crate::base::Secret;

/// A credential helper asks a keychain, which may ask the user.
const HELPER_LIMIT: Duration = Duration::from_secs(30);
/// The name under which Docker stores the login of Docker Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// What Docker stores as the user name of a login that is a token.
const TOKEN_USER: &str = "<token>";

/// A login.
#[derive(Debug, Clone)]
pub enum Credentials {
    Password {
        username: String,
        password: Secret,
        /// How long it holds, where that is known.
        life: Option<Duration>,
    },
    /// A refresh token, which the registry's token service takes instead of a password.
    Identity(Secret),
}

/// Fetches a login anew; an error is a sentence.
pub type Renew = Arc<dyn Fn() -> BoxFuture<'static, Result<Credentials, String>> + Send + Sync>;

/// Where the login of a registry comes from.
#[derive(Clone)]
pub enum CredentialSource {
    /// None is sent.
    Anonymous,
    /// What `docker login` stored, if anything.
    Docker(DockerConfig),
    /// From somebody who knows how to get one that is valid now.
    Renewed(Renew),
}

impl fmt::Debug for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Docker(_) => "Docker",
            Self::Renewed(_) => "Renewed",
        })
    }
}

impl CredentialSource {
    /// Whether a login of it ends, and a new one can be had.
    pub(super) fn renews(&self) -> bool {
        matches!(self, Self::Renewed(_))
    }

    /// The login for a registry, `host[:port]` as in image names; `None`: go without.
    pub(super) async fn get(&self, registry: &str) -> Result<Option<Credentials>, String> {
        match self {
            Self::Anonymous => Ok(None),
            Self::Docker(config) => config.get(registry).await,
            Self::Renewed(renew) => renew().await.map(Some),
        }
    }
}

/// Docker's configuration file, where `docker login` leaves logins or the name of the program that keeps them.
#[derive(Debug, Clone, Default)]
pub struct DockerConfig {
    file: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase", default)]
struct Entry {
    auth: Option<Secretly>,
    identitytoken: Option<Secretly>,
    username: Option<String>,
    password: Option<Secretly>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: Secretly,
}

/// A string that is a secret from the moment it is read.
struct Secretly(Secret);

impl<'de> Deserialize<'de> for Secretly {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

impl DockerConfig {
    /// `$DOCKER_CONFIG/config.json`, else the one in the user's home.
    pub fn find(docker_config: Option<&Path>, home: Option<&Path>) -> Self {
        let folder = docker_config.map(Path::to_path_buf).or_else(|| home.map(|home| home.join(".docker")));
        Self { file: folder.map(|folder| folder.join("config.json")) }
    }

    async fn get(&self, registry: &str) -> Result<Option<Credentials>, String> {
        let Some(file) = &self.file else { return Ok(None) };
        let text = match tokio::fs::read_to_string(file).await {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{} can't be read: {error}", file.display())),
        };
        // The error would quote what stands there, which may be a login.
        let written: Written = serde_json::from_str(&text)
            .map_err(|error| format!("{}:{}:{} is not as Docker writes it", file.display(), error.line(), error.column()))?;
        let key = if registry == "docker.io" { HUB_KEY } else { registry };
        if let Some(helper) = written.cred_helpers.get(registry).or_else(|| written.cred_helpers.get(key)) {
            return helped(helper, key).await;
        }
        // As Docker does it: what the store has counts before what the file holds.
        if let Some(store) = &written.creds_store
            && let Some(login) = helped(store, key).await?
        {
            return Ok(Some(login));
        }
        let same = || written.auths.iter().find(|(name, _)| host(name) == host(key) || host(name) == registry);
        let entry = written.auths.get(key).or_else(|| same().map(|(_, entry)| entry));
        let Some(Entry { auth, identitytoken, username, password }) = entry else { return Ok(None) };
        if let Some(token) = identitytoken {
            return Ok(Some(Credentials::Identity(token.0.clone())));
        }
        if let Some(auth) = auth.as_ref().filter(|auth| !auth.0.expose().is_empty()) {
            let read = decoded(&auth.0).ok_or_else(|| format!("{}: the login for {registry} is malformed", file.display()))?;
            return Ok(Some(read));
        }
        Ok(username.clone().zip(password.as_ref()).map(|(username, password)| Credentials::Password {
            username,
            password: password.0.clone(),
            life: None,
        }))
    }
}

/// The host of a name under which Docker stored a login: older versions stored whole addresses.
fn host(name: &str) -> &str {
    let rest = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://")).unwrap_or(name);
    rest.split('/').next().unwrap_or(rest)
}

/// `user:password` in Base64.
fn decoded(auth: &Secret) -> Option<Credentials> {
    let text = String::from_utf8(STANDARD.decode(auth.expose().trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    let password = Secret::new(password.trim_end_matches('\0'));
    Some(Credentials::Password { username: username.to_owned(), password, life: None })
}

/// Asks `docker-credential-NAME`; the registry's name goes in on standard input, the login comes out as JSON.
async fn helped(name: &str, key: &str) -> Result<Option<Credentials>, String> {
    let program = format!("docker-credential-{name}");
    let asked = async {
        let mut child = tokio::process::Command::new(&program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{program}, which Docker's configuration names, can't be run: {error}"))?;
        if let Some(mut input) = child.stdin.take() {
            // A helper that doesn't read has its reasons; what it answers decides.
            let _ = input.write_all(key.as_bytes()).await;
        }
        child.wait_with_output().await.map_err(|error| format!("{program} was broken off: {error}"))
    };
    let Ok(output) = tokio::time::timeout(HELPER_LIMIT, asked).await else {
        return Err(format!("{program} gave no login within {} seconds", HELPER_LIMIT.as_secs()));
    };
    let output = output?;
    if !output.status.success() {
        // The protocol has one answer that is no fault: there is no login for this registry.
        let said = String::from_utf8_lossy(&output.stdout).to_lowercase();
        return if said.contains("not found") { Ok(None) } else { Err(format!("{program} gave no login ({})", output.status)) };
    }
    let helped: Helped =
        serde_json::from_slice(&output.stdout).map_err(|_| format!("{program} answered something else than a login"))?;
    Ok(Some(if helped.username == TOKEN_USER {
        Credentials::Identity(helped.secret.0)
    } else {
        Credentials::Password { username: helped.username, password: helped.secret.0, life: None }
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Credentials, DockerConfig};

    fn get(config: &str, registry: &str) -> Result<Option<(String, String)>, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(DockerConfig::find(Some(folder.path()), None).get(registry))?;
        Ok(found.map(|found| match found {
            Credentials::Password { username, password, .. } => (username, password.expose().to_owned()),
            Credentials::Identity(token) => ("(token)".to_owned(), token.expose().to_owned()),
        }))
    }

    #[test]
    fn logins_are_found_as_docker_stores_them() {
        // user:pa:ss
        let config = r#"{"auths": {"https://index.docker.io/v1/": {"auth": "dXNlcjpwYTpzcw=="},
            "registry.example.com:5000": {"auth": "dXNlcjpwYTpzcw==", "identitytoken": "t"}, "empty.example.com": {}}}"#;
        let login = Some(("user".to_owned(), "pa:ss".to_owned()));
        assert_eq!(get(config, "docker.io"), Ok(login));
        assert_eq!(get(config, "registry.example.com:5000"), Ok(Some(("(token)".to_owned(), "t".to_owned()))));
        assert_eq!(get(config, "empty.example.com"), Ok(None));
        assert_eq!(get(config, "other.example.com"), Ok(None));
        assert_eq!(get("{}", "docker.io"), Ok(None));
    }

    #[test]
    fn logins_are_found_under_the_names_of_older_versions() {
        let config = r#"{"auths": {"https://a.example.com/v1/": {"auth": "dXNlcjpwYTpzcw=="}, "http://b.example.com:5000/v2/":
            {"username": "user", "password": "pa:ss"}, "docker.io": {"auth": "dXNlcjpwYTpzcw=="}}}"#;
        let login = Some(("user".to_owned(), "pa:ss".to_owned()));
        for registry in ["a.example.com", "b.example.com:5000", "docker.io"] {
            assert_eq!(get(config, registry), Ok(login.clone()), "{registry}");
        }
        for registry in ["a.example.com:5000", "b.example.com", "example.com"] {
            assert_eq!(get(config, registry), Ok(None), "{registry}");
        }
    }

    #[test]
    fn what_is_malformed_is_said_without_the_login() {
        let error = get(r#"{"auths": {"a.b": {"auth": "c2VjcmV0"}}}"#, "a.b").unwrap_err();
        assert!(error.ends_with("the login for a.b is malformed"), "{error}");
        let error = get("{\"auths\": {\"a.b\": \"hunter2\"}}", "a.b").unwrap_err();
        assert!(error.contains("config.json:1:") && !error.contains("hunter2"), "{error}");
        let error = get(r#"{"credsStore": "no-such-helper"}"#, "a.b").unwrap_err();
        assert!(error.contains("docker-credential-no-such-helper"), "{error}");
    }
}
