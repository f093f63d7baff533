//! What a project that is there says already, so that a component or an environment can be added without saying it again.
//!
//! The files are read as they are written, without interpolation: what stands in them as a plain value is taken over, and what
//! doesn't is asked for.

use std::fs;
use std::path::Path;

use serde_yaml::Value;

use super::choices::registry_kind;
use super::given::{Certificate, Given};
use super::insert::{at, parse};
use crate::confluent;
use crate::profile::{Catalogue, Component, Registry};

/// The project in a folder.
#[derive(Debug, Default)]
pub struct Present {
    /// Its services that run a component: the component's name, where the service has the same.
    pub components: Vec<String>,
    /// Those that the environment's file speaks of.
    pub in_env: Vec<String>,
    env: Option<Value>,
}

impl Present {
    pub fn read(folder: &Path, env: Option<&str>, catalogue: &Catalogue) -> Self {
        let read = |path: &Path| parse(&fs::read_to_string(folder.join(path)).ok()?);
        let compose = read(Path::new("docker-compose.yml"));
        let env = env.and_then(|env| read(&Path::new("envs").join(format!("{env}.yml"))));
        let components = compose.as_ref().map(|compose| components(compose, catalogue)).unwrap_or_default();
        let of_env = |name: &&String| env.as_ref().is_some_and(|env| at(env, &path(&["services", name])).is_some());
        let in_env = components.iter().filter(of_env).cloned().collect();
        Self { components, in_env, env }
    }

    /// Takes over what nobody has given.
    pub fn fill(&self, given: &mut Given, catalogue: &Catalogue) {
        if given.profiles.is_empty() {
            given.profiles.clone_from(&self.components);
        }
        let Some(env) = &self.env else { return };
        let take = |slot: &mut Option<String>, keys: &[&str]| {
            let found = at(env, &path(keys)).and_then(Value::as_str).filter(|text| !text.contains('$'));
            if slot.is_none() {
                *slot = found.map(str::to_owned);
            }
        };
        take(&mut given.kafka, &["x-kafka", "provider"]);
        take(&mut given.bootstrap, &["x-kafka", "bootstrap"]);
        take(&mut given.cluster, &["x-kafka", "cluster"]);
        take(&mut given.kafka_environment, &["x-kafka", "environment"]);
        take(&mut given.identity_pool, &["x-kafka", "identity-pool"]);
        take(&mut given.oauth_scope, &["x-kafka", "oauth-scope"]);
        take(&mut given.security_group, &["x-kafka", "security-group"]);
        take(&mut given.admin_config, &["x-kafka", "admin-config"]);
        for component in self.in_env.iter().filter_map(|name| catalogue.component(name)) {
            self.of_service(component, given);
        }
    }

    /// A variable of a component's service in the environment's file.
    fn variable(&self, component: &Component, property: &str) -> Option<String> {
        let variable = confluent::variable_name(&component.environment, property);
        let environment = at(self.env.as_ref()?, &path(&["services", &component.name, "environment"]))?;
        let text = match environment {
            Value::Mapping(map) => map.get(variable.as_str())?.as_str()?.to_owned(),
            Value::Sequence(lines) => {
                lines.iter().find_map(|line| line.as_str()?.strip_prefix(&format!("{variable}="))).map(str::to_owned)?
            }
            _ => return None,
        };
        // A dollar that is meant stands twice; any other is a variable.
        (!text.replace("$$", "").contains('$')).then(|| text.replace("$$", "$"))
    }

    fn of_service(&self, component: &Component, given: &mut Given) {
        let Some(client) = component.clients.first() else { return };
        let of_client = |name: &str| self.variable(component, &format!("{}{name}", client.prefix));
        given.security = given.security.take().or_else(|| of_client("security.protocol"));
        given.mechanism = given.mechanism.take().or_else(|| of_client("sasl.mechanism"));
        given.token_endpoint = given.token_endpoint.take().or_else(|| of_client("sasl.oauthbearer.token.endpoint.url"));
        given.client_certificate |= of_client("ssl.keystore.type").as_deref() == Some("PEM");
        if given.ca.is_none() {
            let certificates = of_client("ssl.truststore.certificates").and_then(|text| confluent::unescape(&text).ok());
            given.ca = certificates.map(|text| Certificate { file: format!("the file of the {}", component.name), text });
        }
        for registry in component.registries.iter().filter(|registry| registry.init.is_some()) {
            if given.registry.is_some() {
                break;
            }
            if let Some(name) = self.glue(component, registry) {
                given.registry = Some("glue".to_owned());
                given.registry_name = given.registry_name.take().or(Some(name));
                break;
            }
            let Some(url) = self.variable(component, &registry.url) else { continue };
            let login = self.variable(component, &registry.credentials_source).is_some();
            given.registry = Some(registry_kind(&url).to_owned());
            given.registry_login |= login;
            given.registry_url = given.registry_url.take().or(Some(url));
        }
    }
}

impl Present {
    /// The name of the registry in AWS Glue, where a client is set up for one.
    fn glue(&self, component: &Component, registry: &Registry) -> Option<String> {
        let settings = registry.init.as_ref()?.glue.as_ref()?;
        let (property, _) = settings.iter().find(|(_, value)| *value == "{registry}")?;
        self.variable(component, property)
    }
}

fn path(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn components(compose: &Value, catalogue: &Catalogue) -> Vec<String> {
    let services = at(compose, &path(&["services"])).and_then(Value::as_mapping);
    let known = services.into_iter().flatten().filter_map(|(name, service)| {
        let named = at(service, &path(&["x-confluent", "component"])).and_then(Value::as_str);
        let component = match (named, service.as_mapping()?.get("image").and_then(Value::as_str)) {
            (Some(named), _) => catalogue.component(named),
            (None, image) => confluent::recognise(catalogue, image?),
        }?;
        (name.as_str() == Some(component.name.as_str())).then(|| component.name.clone())
    });
    known.collect()
}
