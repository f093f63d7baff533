//! [`Stack`](crate::stack::Stack) → [`Template`]: a pure function. Sorted, no time stamps, the same bytes every time.
//!
//! Comes in: the stack. Goes out: typed resources, parameters with their needs, text as YAML or JSON. Rules: no physical
//! names but those that the files ask for; account facts are parameters; nothing is decided here that the stack left open.

mod balancer;
mod expression;
mod family;
mod limits;
mod mistakes;
mod network;
mod resource;
mod roles;
mod secret_stack;
mod task;
mod template;

pub use expression::Expression;
pub use limits::check;
pub use mistakes::mistakes;
pub use resource::{Properties, Resource};
pub use secret_stack::{Answer, Content, MOST_BYTES, NewSecret, Piece, SecretStack};
pub use template::{DeployedService, Output, Parameter, ParameterType, Template};

use std::collections::BTreeMap;

use crate::stack::{Lookup, Namespace, Need, Stack, Text, logical};
use resource::Tag;

/// Names of parameters and resources that are the same in every template.
const VPC: &str = "VpcId";
const CLUSTER: &str = "ClusterName";

/// The template of a stack.
pub fn template(stack: &Stack) -> Template {
    let mut builder = Builder { stack, parameters: BTreeMap::new(), resources: BTreeMap::new(), outputs: BTreeMap::new() };
    builder.cluster();
    builder.namespaces();
    for balancer in &stack.balancers {
        builder.balancer(balancer);
    }
    builder.kafka_rules();
    let services = stack.families.iter().map(|family| builder.family(family)).collect();
    let environment = stack.env.as_ref().map(|env| format!(", environment {env}")).unwrap_or_default();
    Template {
        stack_name: stack.name.clone(),
        description: format!("{}{environment}. Written by confluent-ecs.", stack.project),
        parameters: builder.parameters,
        resources: builder.resources,
        outputs: builder.outputs,
        tags: stack.tags.iter().map(|(key, value)| (key.clone(), value.to_string())).collect(),
        services,
    }
}

/// The template as it grows.
struct Builder<'a> {
    stack: &'a Stack,
    parameters: BTreeMap<String, Parameter>,
    resources: BTreeMap<String, Resource>,
    outputs: BTreeMap<String, Output>,
}

impl Builder<'_> {
    fn add(&mut self, id: &str, properties: Properties) {
        self.add_after(id, properties, Vec::new());
    }

    /// Adds what CloudFormation may make only after others, though it names none of them.
    fn add_after(&mut self, id: &str, properties: Properties, depends_on: Vec<String>) {
        self.resources.insert(id.to_owned(), Resource { properties, depends_on, retained: false });
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

    /// A parameter; the same one when it is asked for again.
    fn parameter(&mut self, name: &str, make: impl FnOnce() -> Parameter) -> Expression {
        self.parameters.entry(name.to_owned()).or_insert_with(make);
        Expression::reference(name)
    }

    fn vpc(&mut self) -> Expression {
        let lookup = &self.stack.vpc;
        self.parameter(VPC, || Parameter {
            kind: ParameterType::VpcId,
            description: format!("VPC {}", lookup.words()),
            default: id_of(lookup),
            need: Need::Vpc(lookup.clone()),
        })
    }

    fn subnets(&mut self, usage: &str) -> Expression {
        let lookup = self.stack.subnets.get(usage).cloned().unwrap_or_default();
        self.parameter(&logical(usage), || Parameter {
            kind: ParameterType::SubnetIds,
            description: format!("Subnets {}", lookup.words()),
            default: id_of(&lookup),
            need: Need::Subnets { usage: usage.to_owned(), lookup },
        })
    }

    fn cluster(&mut self) -> Expression {
        let name = &self.stack.cluster;
        self.parameter(CLUSTER, || Parameter {
            kind: ParameterType::String,
            description: "Name of the ECS cluster that the services run in".to_owned(),
            default: name.literal().map(str::to_owned),
            need: Need::Cluster(Lookup::Id(name.clone())),
        })
    }

    fn namespaces(&mut self) {
        let stack = self.stack;
        for namespace in stack.namespaces.values().filter(|namespace| !namespace.existing) {
            let vpc = self.vpc();
            let tags = self.tags(None);
            let name = Expression::from(&namespace.name);
            self.add(&namespace.id, Properties::PrivateDnsNamespace(resource::PrivateDnsNamespace { name, tags, vpc }));
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

fn id_of(lookup: &Lookup) -> Option<String> {
    match lookup {
        Lookup::Id(id) => id.literal().map(str::to_owned),
        Lookup::Tags(_) | Lookup::Unsaid => None,
    }
}

#[cfg(test)]
mod tests;
