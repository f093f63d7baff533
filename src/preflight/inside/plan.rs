//! What the task is told to check: the input without its values, as one short text; and the input again, with the task's own values.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::base::Secret as Value;
use crate::base::{Findings, Place, redact};
use crate::confluent::secret::SecretDocument;
use crate::confluent::{Connector, Environment, Jaas, Origin, Text};
use crate::kafka::AwsKeys;
use crate::preflight::cluster::ClusterFacts;
use crate::preflight::input::{Input, Own, OwnHost, Secret, SecretState, Service, StoredKeys};
use crate::preflight::report::{Aws, Category};
use crate::preflight::{Patience, Selection, Vantage};
use crate::profile::{Catalogue, Component};

/// A task definition takes 64 KiB in all; the service's own environment needs its part.
pub const MOST_PLAN: usize = 40 * 1024;
/// Nobody unpacks more.
const MOST_UNPACKED: u64 = 8 * 1024 * 1024;
/// Shorter values are no secrets that a text could be looked through for.
const LEAST_SECRET: usize = 6;
/// Stands where a value was.
const MASK: &str = "********";
/// What a message says in words of ours, or by names that stand in the plan as well: nothing of a value gets there.
const OURS: [&str; 12] =
    ["is", "run", "version", "code", "category", "service", "status", "cause", "kind", "type", "pattern", "needs"];

/// One service's part of the input, without a value of its variables.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    pub run: String,
    project: String,
    env: Option<String>,
    aws: Option<Aws>,
    cluster: ClusterFacts,
    service: String,
    image: String,
    component: String,
    /// The profile, where it isn't built in.
    profile: Option<String>,
    place: Option<Place>,
    connectors: Vec<Connector>,
    variables: Vec<Variable>,
    secrets: Vec<TakenSecret>,
    own: Option<Own>,
    own_hosts: BTreeMap<String, OwnHost>,
    only: BTreeSet<Category>,
    skip: BTreeSet<Category>,
    patience: Patience,
    wait: Option<u64>,
}

/// A variable that the files set.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Variable {
    name: String,
    place: Option<Place>,
    /// The secret and its key, where the value comes from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<(String, Option<String>)>,
}

/// A secret that ECS hands to the container.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct TakenSecret {
    name: String,
    stored_as: Option<String>,
    place: Option<Place>,
    /// Variable by key; of a secret that is handed over whole, its one variable.
    keys: BTreeMap<String, String>,
    whole: Option<String>,
}

/// Why a plan can't be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Faulty {
    #[error("the plan can't be read: {0}")]
    Unreadable(String),
    #[error("the plan names the component {0}, which this version doesn't know")]
    NoComponent(String),
}

/// The variables of the task.
pub type Variables = BTreeMap<String, Value>;

/// What the task checks, and how.
#[derive(Debug)]
pub struct Within {
    pub input: Input,
    pub selection: Selection,
    pub wait: Option<Duration>,
    /// Texts that must not get into a log.
    hidden: Vec<Value>,
}

impl Plan {
    /// For one service of the input. `whole` names the variables that take a secret as a whole.
    pub fn of(
        input: &Input,
        service: &str,
        catalogue: &Catalogue,
        whole: &BTreeMap<String, String>,
        selection: &Selection,
        wait: Option<Duration>,
        run: &str,
    ) -> Option<Self> {
        let service = input.services.iter().find(|known| known.name == service)?;
        let secrets: Vec<TakenSecret> = input
            .secrets
            .iter()
            .filter(|secret| secret.service == service.name)
            .map(|secret| TakenSecret {
                name: secret.name.clone(),
                stored_as: secret.stored_as.clone(),
                place: secret.place.clone(),
                keys: secret.keys.clone(),
                whole: whole.get(&secret.name).cloned().filter(|_| secret.keys.is_empty()),
            })
            .collect();
        let variables = service.environment.iter().filter_map(|(name, text)| {
            let secret = match &text.origin {
                Origin::Environment => None,
                // The keys of a secret that is handed over whole are no variables of the container.
                Origin::Secret { name: secret, key } => {
                    let taken = secrets.iter().find(|taken| taken.name == *secret)?;
                    taken.keys.values().any(|variable| variable == name).then(|| Some((secret.clone(), key.clone())))?
                }
                Origin::Image => return None,
            };
            Some(Variable { name: name.to_owned(), place: text.place.clone(), secret })
        });
        Some(Self {
            run: run.to_owned(),
            project: input.project.clone(),
            env: input.env.clone(),
            aws: input.aws.clone(),
            cluster: input.cluster.clone(),
            service: service.name.clone(),
            image: service.image.clone(),
            component: service.component.name.clone(),
            profile: catalogue.own_text(&service.component.name).map(str::to_owned),
            place: service.place.clone(),
            connectors: service.connectors.clone(),
            variables: variables.collect(),
            secrets,
            own: input.own.get(&service.name).cloned(),
            own_hosts: input.own_hosts.clone(),
            only: selection.only.clone(),
            skip: selection.skip.clone(),
            patience: selection.patience,
            wait: wait.map(|wait| wait.as_secs()),
        })
    }

    /// As the value of one variable.
    pub fn packed(&self) -> io::Result<String> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&serde_json::to_vec(self)?)?;
        Ok(BASE64_STANDARD.encode(packer.finish()?))
    }

    pub fn unpacked(text: &str) -> Result<Self, Faulty> {
        let unreadable = |why: String| Faulty::Unreadable(why);
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|error| unreadable(error.to_string()))?;
        let mut json = Vec::new();
        let read = GzDecoder::new(bytes.as_slice()).take(MOST_UNPACKED).read_to_end(&mut json);
        read.map_err(|error| unreadable(error.to_string()))?;
        serde_json::from_slice(&json).map_err(|error| unreadable(error.to_string()))
    }

    /// The input, with the values that the task has, and the texts that must stay in it.
    pub fn within(self, catalogue: &Catalogue, has: &Variables, aws_keys: Result<AwsKeys, String>) -> Result<Within, Faulty> {
        // What anybody may read who may read the task's definition.
        let mut public = serde_json::to_string(&self).unwrap_or_default();
        let component = if let Some(text) = &self.profile {
            Component::parse(text).map_err(Faulty::Unreadable)?
        } else {
            let known = catalogue.component(&self.component).cloned();
            known.ok_or_else(|| Faulty::NoComponent(self.component.clone()))?
        };
        let mut hidden = Vec::new();
        if let Ok(keys) = &aws_keys {
            hidden.extend([Some(&keys.secret_key), keys.session_token.as_ref()].into_iter().flatten().cloned());
        }
        let mut environment = Environment::default();
        for variable in &self.variables {
            let value = has.get(&variable.name);
            match (&variable.secret, value) {
                (None, Some(value)) => {
                    public.extend(["\n", value.expose()]);
                    environment.insert(&variable.name, Text::plain(value.expose(), variable.place.clone()));
                }
                (None, None) => {}
                (Some((secret, key)), value) => {
                    hidden.extend(value.map(|value| hide(&variable.name, value)).into_iter().flatten());
                    let text = Text::secret(secret, key.as_deref(), value.cloned(), variable.place.clone());
                    environment.insert(&variable.name, text);
                }
            }
        }
        let mut secrets = Vec::new();
        for taken in self.secrets {
            let state = match &taken.whole {
                None => of_keys(&taken, has),
                Some(variable) => whole(&taken, variable, has, &mut environment, &mut hidden),
            };
            secrets.push(Secret {
                name: taken.name,
                stored_as: taken.stored_as,
                service: self.service.clone(),
                keys: taken.keys,
                state,
                place: taken.place,
            });
        }
        let service = Service {
            name: self.service.clone(),
            component,
            image: self.image,
            environment,
            connectors: self.connectors,
            findings: Findings::default(),
            place: self.place,
            files: BTreeMap::new(),
        };
        let input = Input {
            project: self.project,
            env: self.env,
            files: Vec::new(),
            findings: Findings::default(),
            cluster: self.cluster,
            services: vec![service],
            secrets,
            own: self.own.into_iter().map(|own| (self.service.clone(), own)).collect(),
            aws: self.aws,
            aws_keys,
            as_task: true,
            account: None,
            own_hosts: self.own_hosts,
        };
        let selection = Selection { only: self.only, skip: self.skip, patience: self.patience };
        // A password that is a word of it, as the service's name: that it was taken out would say that it is one.
        hidden.retain(|value: &Value| !public.contains(value.expose()));
        Ok(Within { input, selection, wait: self.wait.map(Duration::from_secs), hidden })
    }

    /// Whether a Kafka client of the service logs in with the task's AWS credentials.
    pub fn wants_aws(&self, has: &Variables) -> bool {
        self.variables.iter().filter(|variable| variable.secret.is_none()).any(|variable| {
            has.get(&variable.name).is_some_and(|value| {
                let value = value.expose();
                value == "AWS_MSK_IAM" || value.ends_with("IAMOAuthBearerLoginCallbackHandler")
            })
        })
    }

    pub fn region(&self) -> Option<&str> {
        self.aws.as_ref().map(|aws| aws.region.as_str())
    }
}

impl Within {
    /// From where it runs.
    pub const VANTAGE: Vantage = Vantage::Inside;

    /// Takes the values of secrets out of what is to be sent: nothing puts one there, and this sees to it.
    pub fn without_secrets(&self, message: &mut Json) {
        mask(message, &self.hidden);
    }
}

fn mask(message: &mut Json, hidden: &[Value]) {
    match message {
        Json::String(text) => {
            for value in hidden.iter().map(Value::expose).filter(|value| !value.is_empty()) {
                if text.contains(value) {
                    *text = text.replace(value, MASK);
                }
            }
        }
        Json::Array(values) => values.iter_mut().for_each(|value| mask(value, hidden)),
        Json::Object(object) => {
            let theirs = object.iter_mut().filter(|(key, _)| !OURS.contains(&key.as_str()));
            theirs.for_each(|(_, value)| mask(value, hidden));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn spoilt<'a>(keys: impl Iterator<Item = (&'a str, &'a Value)>) -> BTreeMap<String, &'static str> {
    keys.filter_map(|(key, value)| Some((key.to_owned(), value.trouble()?))).collect()
}

const SOURCE: &str = "as ECS hands it to the task";

/// A secret of which ECS hands over some keys.
fn of_keys(taken: &TakenSecret, has: &Variables) -> SecretState {
    let found: Vec<(&str, &Value)> =
        taken.keys.iter().filter_map(|(key, variable)| Some((key.as_str(), has.get(variable)?))).collect();
    SecretState::Read(StoredKeys {
        keys: found.iter().map(|(key, _)| (*key).to_owned()).collect(),
        spoilt: spoilt(found.into_iter()),
        source: SOURCE.to_owned(),
    })
}

/// A secret that ECS hands over whole: its keys are the variables that the image's start script makes of it.
fn whole(
    taken: &TakenSecret,
    variable: &str,
    has: &Variables,
    environment: &mut Environment,
    hidden: &mut Vec<Value>,
) -> SecretState {
    let Some(value) = has.get(variable) else {
        environment.set_open();
        return SecretState::Broken(format!("ECS set no variable {variable}"));
    };
    hidden.extend(hide(variable, value));
    let document = match SecretDocument::parse(value) {
        Ok(document) => document,
        Err(error) => {
            environment.set_open();
            return SecretState::Broken(error.to_string());
        }
    };
    for (key, value) in document.iter() {
        hidden.extend(hide(key, value));
        environment.insert(key, Text::secret(&taken.name, Some(key), Some(value.clone()), taken.place.clone()));
    }
    SecretState::Read(StoredKeys {
        keys: document.keys().map(str::to_owned).collect(),
        spoilt: spoilt(document.iter()),
        source: SOURCE.to_owned(),
    })
}

/// What of a value must not be shown: all of it where its name is that of a credential, and the credentials inside of it.
fn hide(name: &str, value: &Value) -> Vec<Value> {
    let text = value.expose();
    let mut found = Vec::new();
    if redact(&format!("{name}={text}")) != format!("{name}={text}") || text.starts_with('{') {
        found.push(text.to_owned());
    }
    if let Ok(jaas) = Jaas::parse(text) {
        let secret = |option: &str| redact(&format!("{option}=x")) != format!("{option}=x");
        let options = jaas.options.iter().filter(|(option, _)| secret(option));
        found.extend(options.map(|(_, value)| value.expose().to_owned()));
    }
    // NAME:PASSWORD, alone or in a URL.
    let login =
        text.split_once("://").map_or(Some(text), |(_, rest)| rest.split('/').next()?.rsplit_once('@').map(|(login, _)| login));
    if let Some((_, password)) = login.filter(|_| !found.is_empty()).and_then(|login| login.split_once(':')) {
        found.push(password.to_owned());
    }
    let mut hidden = Vec::new();
    for text in found.into_iter().filter(|text| text.len() >= LEAST_SECRET) {
        // As it stands in JSON, too, once and twice: lines are JSON in JSON.
        let once = serde_json::to_string(&text).unwrap_or_default();
        hidden.push(Value::new(once.trim_matches('"')));
        hidden.push(Value::new(text));
    }
    hidden
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Value, hide, mask};

    fn hidden(name: &str, value: &str) -> Vec<String> {
        hide(name, &Value::new(value)).iter().map(|value| value.expose().to_owned()).collect()
    }

    #[test]
    fn every_part_of_a_value_that_is_a_password_is_looked_for() {
        let jaas = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"ABCD\" password=\"hunter\\\"22\" keyPassword=\"third-one\";";
        let found = hidden("CONNECT_SASL_JAAS_CONFIG", jaas);
        assert!(["hunter\"22", "third-one", jaas].iter().all(|part| found.contains(&(*part).to_owned())), "{found:?}");
        assert!(!found.contains(&"ABCD".to_owned()));
        assert!(hidden("SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO", "ABCD:hunter22").contains(&"hunter22".to_owned()));
        assert!(hidden("CONNECT_URL", "https://ana:hunter22@registry.example.com/a").contains(&"hunter22".to_owned()));
        assert!(hidden("CONNECT_BOOTSTRAP_SERVERS", "broker.example.com:9092").is_empty());
        assert!(hidden("CONNECT_SASL_MECHANISM", "PLAIN").is_empty());
    }

    #[test]
    fn a_password_that_is_a_word_of_ours_spoils_no_message() {
        let hidden: Vec<Value> = ["message", "passed", "aws-secret"].map(Value::new).into();
        let mut message = json!({ "is": "check", "check": {
            "status": "passed", "code": "CE304", "message": "passed with aws-secret", "evidence": "{\"a\":\"aws-secret\"}", "parts": ["message"] } });
        mask(&mut message, &hidden);
        let masked = json!({ "is": "check", "check": { "status": "passed", "code": "CE304",
            "message": "******** with ********", "evidence": "{\"a\":\"********\"}", "parts": ["********"] } });
        assert_eq!(message, masked);
    }
}
