//! [`Stack`](crate::stack::Stack) → [`Template`]: a pure function. Sorted, no time stamps, the same bytes every time.
//!
//! Comes in: the stack. Goes out: typed resources, parameters with their needs, text as YAML or JSON. Rules: no physical
//! names but those that the files ask for; account facts are parameters; nothing is decided here that the stack left open.

mod balancer;
mod exec;
mod expression;
mod family;
mod limits;
mod mistakes;
mod network;
mod overlay;
mod overlay_check;
mod resource;
mod resource_ecs;
mod resource_front;
mod resource_vpc;
mod resource_watch;
mod roles;
mod secret_stack;
mod stand_in;
mod task;
mod template;
mod vpc;
mod watch;
mod ways;

pub use expression::Expression;
pub use limits::check;
pub use mistakes::mistakes;
pub use resource::{Properties, Resource};
pub use secret_stack::{Answer, Content, MOST_BYTES, NewSecret, Piece, SecretStack};
pub use stand_in::{Parts, Pulled, REPOSITORY, SUFFIX, StandIn, There, referred};
pub use template::{DeployedApi, DeployedService, Output, Parameter, ParameterType, Template, Way};

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::base::{Code, Finding, Findings, is_mark};
use crate::stack::{Cluster, Group, Lookup, Namespace, Need, Stack, Text, VpcSource, logical};
use resource::{CapacityProvider, ClusterSetting, Tag};

/// Names of parameters and resources that are the same in every template.
const VPC: &str = "VpcId";
const CLUSTER: &str = "ClusterName";
/// The cluster, where the stack makes it.
const NEW_CLUSTER: &str = "Cluster";

/// The template of a stack.
pub fn template(stack: &Stack) -> Template {
    let mut builder = Builder {
        stack,
        parameters: BTreeMap::new(),
        resources: BTreeMap::new(),
        outputs: BTreeMap::new(),
        twice: BTreeSet::new(),
    };
    if let VpcSource::New(new) = &stack.vpc {
        builder.new_vpc(new);
    }
    builder.cluster();
    builder.namespaces();
    for balancer in &stack.balancers {
        builder.balancer(balancer);
    }
    builder.outside_rules();
    builder.topics();
    for alarm in &stack.alarms {
        builder.alarm(alarm);
    }
    let services = stack.families.iter().map(|family| builder.family(family)).collect();
    let environment = stack.env.as_ref().map(|env| format!(", environment {env}")).unwrap_or_default();
    let mut template = Template {
        stack_name: stack.name.clone(),
        description: format!("{}{environment}. Written by confluent-ecs.", stack.project),
        parameters: builder.parameters,
        resources: builder.resources,
        outputs: builder.outputs,
        tags: stack.tags.iter().map(|(key, value)| (key.clone(), value.to_string())).collect(),
        services,
        overlaid: BTreeMap::new(),
        overlaid_at: stack.overlay.iter().map(|resource| (resource.id.value.clone(), resource.id.place.clone())).collect(),
        findings: Findings::default(),
    };
    (template.overlaid, template.findings) = overlay::lay_over(&template, &stack.overlay);
    for name in builder.twice {
        let finding = Finding::error(Code::ONE_NAME, format!("two different things would be {name} in the template"));
        template
            .findings
            .push(finding.path(format!("Resources.{name}")).help("give one of those that it is made of another name"));
    }
    template
}

/// The template as it grows.
struct Builder<'a> {
    stack: &'a Stack,
    parameters: BTreeMap<String, Parameter>,
    resources: BTreeMap<String, Resource>,
    outputs: BTreeMap<String, Output>,
    /// Names under which two different things would stand.
    twice: BTreeSet<String>,
}

impl Builder<'_> {
    fn add(&mut self, id: &str, properties: Properties) {
        self.add_after(id, properties, Vec::new());
    }

    /// Adds what CloudFormation may make only after others, though it names none of them.
    fn add_after(&mut self, id: &str, properties: Properties, depends_on: Vec<String>) {
        let resource = Resource { properties, depends_on, retained: false };
        let same = |known: &Resource| known.to_value() == resource.to_value();
        if self.resources.get(id).is_some_and(|known| !same(known)) {
            self.twice.insert(id.to_owned());
        }
        self.resources.insert(id.to_owned(), resource);
    }

    fn output(&mut self, id: String, description: String, value: Expression) {
        self.outputs.insert(id, Output { description, value });
    }

    /// The tags of a resource: those of the stack, and its name where that helps to find it in a list.
    fn tags(&self, name: Option<&str>) -> Vec<Tag> {
        let mut tags: BTreeMap<&str, Expression> =
            self.stack.tags.iter().map(|(key, value)| (key.as_str(), Expression::from(value))).collect();
        if let Some(name) = name {
            tags.entry("Name").or_insert_with(|| Expression::sub(format!("${{AWS::StackName}}-{name}")));
        }
        tags.into_iter().map(|(key, value)| Tag { key: key.to_owned(), value }).collect()
    }

    /// The stack's tags, over which those of the resource itself go.
    fn tags_over(&self, name: Option<&str>, own: &BTreeMap<String, Text>) -> Vec<Tag> {
        let mut tags = self.tags(name);
        tags.retain(|tag| !own.contains_key(&tag.key));
        tags.extend(own.iter().map(|(key, value)| Tag { key: key.clone(), value: value.into() }));
        tags.sort_by(|one, other| one.key.cmp(&other.key));
        tags
    }

    /// A parameter; the same one when it is asked for again.
    fn parameter(&mut self, name: &str, make: impl FnOnce() -> Parameter) -> Expression {
        let parameter = make();
        let differs = self.parameters.get(name).map(|known| known.need != parameter.need);
        if differs == Some(true) {
            self.twice.insert(name.to_owned());
        } else if differs.is_none() {
            self.parameters.insert(name.to_owned(), parameter);
        }
        Expression::reference(name)
    }

    fn vpc(&mut self) -> Expression {
        let lookup = match &self.stack.vpc {
            VpcSource::New(_) => return Expression::reference(vpc::VPC),
            VpcSource::Existing(lookup) => lookup,
        };
        self.parameter(VPC, || Parameter {
            kind: ParameterType::VpcId,
            description: format!("VPC {}", lookup.words()),
            default: id_of(lookup),
            need: Need::Vpc(lookup.clone()),
        })
    }

    fn subnets(&mut self, usage: &str) -> Expression {
        let own = matches!(self.stack.vpc, VpcSource::New(_)).then(|| vpc::subnets(usage)).flatten();
        if let Some(own) = own {
            return Expression::List(own.into_iter().map(Expression::reference).collect());
        }
        let lookup = self.stack.subnets.get(usage).cloned().unwrap_or_default();
        self.parameter(&logical(usage), || Parameter {
            kind: ParameterType::SubnetIds,
            description: format!("Subnets {}", lookup.words()),
            default: id_of(&lookup),
            need: Need::Subnets { usage: usage.to_owned(), lookup },
        })
    }

    /// Makes the cluster, or asks for the one that is there.
    fn cluster(&mut self) {
        let stack = self.stack;
        match &stack.cluster {
            Cluster::New(new) => {
                let provider = |base, name: &str, weight| CapacityProvider { base, capacity_provider: name.to_owned(), weight };
                let strategy: Vec<CapacityProvider> =
                    new.strategy.iter().map(|entry| provider(entry.base, &entry.name.value, entry.weight)).collect();
                let value = new.insights.unwrap_or("enabled");
                let configuration = new.exec.as_ref().map(|logging| self.exec_configuration(logging));
                let cluster = resource::Cluster {
                    cluster_name: new.name.clone(),
                    cluster_settings: vec![ClusterSetting { name: "containerInsights", value }],
                    configuration,
                    // Both, so that a service may ask for either later.
                    capacity_providers: vec!["FARGATE", "FARGATE_SPOT"],
                    default_capacity_provider_strategy: strategy,
                    tags: self
                        .tags_over(None, &new.tags.iter().map(|(key, value)| (key.clone(), Text::from(&value.value))).collect()),
                };
                self.add(NEW_CLUSTER, Properties::Cluster(cluster));
            }
            Cluster::Existing(lookup) => {
                self.parameter(CLUSTER, || Parameter {
                    kind: ParameterType::String,
                    description: match lookup {
                        Lookup::Tags(_) => format!("Name of the ECS cluster {}", lookup.words()),
                        _ => "Name of the ECS cluster that the services run in".to_owned(),
                    },
                    default: id_of(lookup),
                    need: Need::Cluster(lookup.clone()),
                });
            }
        }
    }

    /// The cluster's name.
    fn cluster_name(&self) -> Expression {
        Expression::reference(self.cluster_id())
    }

    /// What the cluster's name is the `Ref` of.
    fn cluster_id(&self) -> &'static str {
        match self.stack.cluster {
            Cluster::New(_) => NEW_CLUSTER,
            Cluster::Existing(_) => CLUSTER,
        }
    }

    /// The id of a security group or a prefix list that is there: as written, or a parameter.
    fn group_id(&mut self, group: &Group, prefix_list: bool) -> Expression {
        if let Lookup::Id(id) = &group.lookup {
            return id.into();
        }
        let (suffix, kind, what) = if prefix_list {
            ("PrefixListId", ParameterType::String, "prefix list")
        } else {
            ("SecurityGroupId", ParameterType::SecurityGroupId, "security group")
        };
        let start = group.id.strip_suffix("SecurityGroup").unwrap_or(&group.id);
        self.parameter(&format!("{start}{suffix}"), || Parameter {
            kind,
            description: format!("Id of the {what} {}", group.lookup.words()),
            default: None,
            need: if prefix_list { Need::PrefixList(group.lookup.clone()) } else { Need::SecurityGroup(group.lookup.clone()) },
        })
    }

    fn namespaces(&mut self) {
        let stack = self.stack;
        for namespace in stack.namespaces.values().filter(|namespace| !namespace.existing) {
            let vpc = self.vpc();
            let tags = self.tags(None);
            let name = Expression::from(&namespace.name);
            self.add(
                &namespace.id,
                Properties::PrivateDnsNamespace(resource::PrivateDnsNamespace {
                    description: namespace.description.as_ref().map(Expression::from),
                    name,
                    tags,
                    vpc,
                }),
            );
        }
    }

    fn namespace_id(&mut self, namespace: &Namespace) -> Expression {
        if !namespace.existing {
            return Expression::attribute(&namespace.id, "Id");
        }
        self.parameter(&format!("{}Id", namespace.id), || Parameter {
            kind: ParameterType::String,
            description: format!("Id of the Cloud Map namespace {}", namespace.name),
            default: namespace.namespace_id.as_ref().and_then(Text::literal).map(str::to_owned),
            need: Need::Namespace { name: namespace.name.clone() },
        })
    }
}

/// A part of a template as the user wrote it, with what only the account knows as CloudFormation's own functions.
fn written(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().any(is_mark) => {
            serde_json::to_value(Expression::from(Text::from(text))).unwrap_or_default()
        }
        Value::Array(items) => items.iter().map(written).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), within(key, value))).collect(),
        other => other.clone(),
    }
}

/// What stands in `Fn::Sub` is a pattern already.
fn within(key: &str, value: &Value) -> Value {
    let pattern = |text: &str| Value::from(expression::marks_substituted(text));
    match (key, value) {
        ("Fn::Sub", Value::String(text)) => pattern(text),
        ("Fn::Sub", Value::Array(items)) => match items.split_first() {
            Some((Value::String(text), rest)) => std::iter::once(pattern(text)).chain(rest.iter().map(written)).collect(),
            _ => written(value),
        },
        _ => written(value),
    }
}

fn id_of(lookup: &Lookup) -> Option<String> {
    match lookup {
        Lookup::Id(id) => id.literal().map(str::to_owned),
        Lookup::Tags(_) | Lookup::Unsaid => None,
    }
}

#[cfg(test)]
mod tests;
