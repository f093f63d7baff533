//! A service of the project as `confluent` sees it: its component, its environment with the secrets it takes, the clients inside.
//!
//! A secret with `JsonKeys` sets the variables that they name. A secret without them is injected whole, and its JSON's keys are read
//! as variables, as its authors expect of the image's start script; where it hasn't been read, the environment is open.

use std::collections::BTreeMap;

use super::acl::{AclNeed, Connector, acl_needs, connector_needs, feature_needs};
use super::client::{KafkaClient, RegistryClient};
use super::environment::{Environment, Text};
use super::properties::Properties;
use super::secret::{Injected, JsonKey, SecretDocument, Structure, structure};
use super::{clients, properties, recognise, registries};
use crate::base::{Failure, Result, nearest};
use crate::compose::{self, Project};
use crate::extensions::{Extensions, ServiceExtensions};
use crate::profile::{Catalogue, Component};

/// A service that runs a known component.
#[derive(Debug, Clone)]
pub struct ConfluentService<'a> {
    pub name: &'a str,
    pub component: &'a Component,
    pub image: &'a str,
    pub environment: Environment,
    pub properties: Properties,
    pub clients: Vec<KafkaClient>,
    pub registries: Vec<RegistryClient>,
    /// As `x-confluent` describes them.
    pub connectors: Vec<Connector>,
    /// Those with rights of their own that are used.
    pub features: Vec<String>,
    pub secrets: Vec<ServiceSecret<'a>>,
}

impl ConfluentService<'_> {
    /// The rights of its clients, of its connectors, and of the features that are used.
    pub fn needs(&self) -> Vec<AclNeed> {
        let of_connectors =
            self.connectors.iter().flat_map(|connector| connector_needs(self.component, &self.properties, connector));
        let used = feature_needs(self.component, &self.properties).into_iter();
        let used = used.filter(|need| need.feature.as_ref().is_some_and(|feature| self.features.contains(feature)));
        acl_needs(self.component, &self.properties).into_iter().chain(of_connectors).chain(used).collect()
    }
}

/// A secret that a service takes.
#[derive(Debug, Clone)]
pub struct ServiceSecret<'a> {
    /// Its name in the compose files.
    pub name: &'a str,
    /// No keys are named: the container gets it in one variable.
    pub whole: bool,
    pub structure: Structure,
}

/// What a service's image holds, by its name or by `x-confluent.component`.
pub fn component<'a>(
    catalogue: &'a Catalogue,
    service: &compose::Service,
    extensions: Option<&ServiceExtensions>,
) -> Option<&'a Component> {
    match extensions.and_then(|extensions| extensions.confluent.component.as_ref()) {
        Some(named) => catalogue.component(&named.value),
        None => recognise(catalogue, service.image.as_deref()?),
    }
}

/// Whether the start sets the address of the task: our command does, and so may one of the user's that names the variable. Where tasks
/// don't call each other there is nothing to set.
pub fn sets_address(service: &compose::Service, component: &Component) -> bool {
    let Some(variable) = &component.start.advertised_host else { return true };
    let words = [&service.command, &service.entrypoint].into_iter().filter_map(|line| line.as_ref()).flatten();
    is_as_made(service) || words.into_iter().any(|word| word.contains(variable.as_str()))
}

/// The image is the user's own, and starts with whatever they put into it.
pub fn has_own_start_script(service: &compose::Service) -> bool {
    let own_image = service.build.is_some() || !super::is_confluents_own(service.image.as_deref().unwrap_or_default());
    own_image && service.command.is_none() && service.entrypoint.is_none()
}

/// The image is as Confluent made it and starts as it does by itself.
pub fn is_as_made(service: &compose::Service) -> bool {
    let image = service.image.as_deref().unwrap_or_default();
    let own_start = service.build.is_none() && service.command.is_none() && service.entrypoint.is_none();
    own_start && super::is_confluents_own(image)
}

/// The services of a project that run a known component. `stored` holds the secrets that were read, by their names in the compose
/// files.
pub fn services<'a>(
    catalogue: &'a Catalogue,
    project: &'a Project,
    extensions: &'a Extensions,
    stored: &BTreeMap<String, SecretDocument>,
) -> Vec<ConfluentService<'a>> {
    let mut found = Vec::new();
    for (name, service) in &project.services {
        let Some(component) = component(catalogue, service, extensions.services.get(name)) else { continue };
        let image = service.image.as_deref().unwrap_or_default();
        let environment = environment(project, extensions, name, stored);
        let properties = properties(component, image, &environment);
        let clients = clients(component, &properties);
        let registries = registries(component, &properties);
        let sources = service.secrets.iter().filter_map(|mount| mount.source.as_deref());
        let secrets = sources
            .filter_map(|source| extensions.secrets.get_key_value(source))
            .map(|(name, extension)| {
                let keys = extension.keys.iter();
                let keys: Vec<JsonKey> =
                    keys.map(|key| JsonKey { secret_key: key.key.value.clone(), variable: key.variable.clone() }).collect();
                let whole = keys.is_empty();
                let structure = structure(
                    catalogue,
                    component,
                    &clients,
                    &properties,
                    if whole { Injected::Whole { own_script: has_own_start_script(service) } } else { Injected::Keys(&keys) },
                    &oauth_options(extensions),
                );
                ServiceSecret { name, whole, structure }
            })
            .collect();
        let described = extensions.services.get(name).into_iter().flat_map(|service| &service.confluent.connectors);
        let connectors = described.map(Connector::from).collect();
        let used = extensions.services.get(name).into_iter().flat_map(|service| &service.confluent.features);
        let features = used.map(|feature| feature.value.clone()).collect();
        found.push(ConfluentService {
            name,
            component,
            image,
            environment,
            properties,
            clients,
            registries,
            connectors,
            features,
            secrets,
        });
    }
    found
}

/// What a token endpoint or Confluent Cloud wants to know of an OAuth client beside its id and secret. None of it is secret.
fn oauth_options(extensions: &Extensions) -> Vec<(String, String)> {
    let Some(kafka) = &extensions.kafka else { return Vec::new() };
    // A cluster of Confluent Cloud is told which of the organisation's it is, and as which pool the client comes.
    let cloud = kafka.provider.as_ref().is_some_and(|provider| provider.value == "confluent-cloud");
    let cluster = kafka.cluster.as_ref().filter(|_| cloud);
    [
        ("scope", &kafka.oauth_scope.as_ref()),
        ("extension_logicalCluster", &cluster),
        ("extension_identityPoolId", &kafka.identity_pool.as_ref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value.as_ref()?.value.clone())))
    .collect()
}

/// The variables of a service: what the files say, and what its secrets set.
pub fn environment(
    project: &Project,
    extensions: &Extensions,
    name: &str,
    stored: &BTreeMap<String, SecretDocument>,
) -> Environment {
    let mut environment = Environment::default();
    let Some(service) = project.services.get(name) else { return environment };
    for (variable, value) in &service.environment {
        let Some(value) = value else { continue };
        let place = project.place(&["services", name, "environment", variable]);
        environment.insert(variable, Text::plain(&**value, Some(place)));
    }
    for source in service.secrets.iter().filter_map(|mount| mount.source.as_deref()) {
        let Some(extension) = extensions.secrets.get(source) else { continue };
        let document = stored.get(source);
        for key in &extension.keys {
            let value = document.and_then(|document| document.get(&key.key.value)).cloned();
            let place = Some(key.key.place.clone());
            environment.insert(&key.variable, Text::secret(source, Some(&key.key.value), value, place));
        }
        if extension.keys.is_empty() {
            let Some(document) = document else {
                environment.set_open();
                continue;
            };
            for (key, value) in document.iter() {
                let place = Some(extension.place.clone());
                environment.insert(key, Text::secret(source, Some(key), Some(value.clone()), place));
            }
        }
    }
    environment
}

/// The secret that a name means: a service's only one, or a secret by its own name.
pub fn secret_of<'s, 'a>(project: &Project, services: &'s [ConfluentService<'a>], name: &str) -> Result<&'s ServiceSecret<'a>> {
    let all = || services.iter().flat_map(|service| &service.secrets);
    if let Some(service) = services.iter().find(|service| service.name == name) {
        return match service.secrets.as_slice() {
            [secret] => Ok(secret),
            [] => {
                let failure = Failure::usage(format!("the service {name} takes no secret from Secrets Manager"));
                Err(failure.help("give it one: `secrets: [NAME]` at the service, and secrets.NAME with x-secrets").into())
            }
            several => {
                let names: Vec<&str> = several.iter().map(|secret| secret.name).collect();
                let failure = Failure::usage(format!("the service {name} takes several secrets"));
                Err(failure.help(format!("name the one that is meant: {}", names.join(", "))).into())
            }
        };
    }
    if let Some(secret) = all().find(|secret| secret.name == name) {
        return Ok(secret);
    }
    if project.services.contains_key(name) || project.secrets.contains_key(name) {
        let failure = Failure::usage(format!("{name} is no secret of a component that we know"));
        let help = "name the component with x-confluent.component at the service, or store the value with the AWS CLI";
        return Err(failure.cause("its structure can't be told from the service's image").help(help).into());
    }
    let known: Vec<&str> = services.iter().map(|service| service.name).chain(all().map(|secret| secret.name)).collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => "no service of the project runs a component that we know".to_owned(),
        None => format!("there are {}", known.join(", ")),
    };
    Err(Failure::usage(format!("the project has no service or secret {name}")).help(help).into())
}
