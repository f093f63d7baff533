//! The task definition of a one-off task, out of the service's own: pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::aws::{OneOff, Placement, Tags};
use crate::cloudformation::{DeployedService, Template};

/// Everything that the template's expressions may name.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub account: String,
    pub region: String,
    pub partition: String,
    pub stack: String,
    /// Parameters by name.
    pub values: BTreeMap<String, String>,
    /// What stands for a resource, by its logical id: its physical id.
    pub physical: BTreeMap<String, String>,
    /// The types of the template's resources, by their logical ids.
    pub kinds: BTreeMap<String, String>,
}

/// What of a template can't be told before it is deployed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsaid {
    #[error("{place} refers to {name}, which isn't there yet")]
    NotThere { place: String, name: String },
    #[error("{place} is made by {function}, which only CloudFormation can tell")]
    Function { place: String, function: String },
    #[error("the template has no {0}")]
    Missing(String),
}

/// What the task runs, and as what; where something is named here it stands in for what the template says.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// The compose service that it stands for.
    pub service: &'a str,
    pub image: &'a str,
    pub command: Vec<String>,
    /// One more variable.
    pub variable: (String, String),
    /// The image is for ARM.
    pub arm: bool,
    pub execution_role: Option<&'a str>,
    pub task_role: Option<&'a str>,
    pub log_group: Option<&'a str>,
    pub groups: &'a [String],
    pub cluster: Option<&'a str>,
    pub tags: Tags,
}

impl Known {
    /// How the names of AWS's own hosts end.
    pub fn url_suffix(&self) -> &'static str {
        if self.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    fn name(&self, place: &str, name: &str) -> Result<String, Unsaid> {
        let pseudo = match name {
            "AWS::AccountId" => Some(&self.account),
            "AWS::Region" => Some(&self.region),
            "AWS::Partition" => Some(&self.partition),
            "AWS::StackName" => Some(&self.stack),
            _ => None,
        };
        if name == "AWS::URLSuffix" {
            return Ok(self.url_suffix().to_owned());
        }
        pseudo
            .or_else(|| self.values.get(name))
            .or_else(|| self.physical.get(name))
            .cloned()
            .ok_or_else(|| Unsaid::NotThere { place: place.to_owned(), name: name.to_owned() })
    }

    /// What can be told of a resource by its physical id. What can't is not guessed.
    fn attribute(&self, place: &str, id: &str, attribute: &str) -> Result<String, Unsaid> {
        let physical = self.name(place, id)?;
        let Self { partition, region, account, .. } = self;
        Ok(match (self.kinds.get(id).map_or("", String::as_str), attribute) {
            ("AWS::IAM::Role", "Arn") => format!("arn:{partition}:iam::{account}:role/{physical}"),
            ("AWS::Logs::LogGroup", "Arn") => format!("arn:{partition}:logs:{region}:{account}:log-group:{physical}:*"),
            ("AWS::ECS::Cluster", "Arn") => format!("arn:{partition}:ecs:{region}:{account}:cluster/{physical}"),
            ("AWS::EC2::SecurityGroup", "GroupId" | "Id") => physical,
            (_, attribute) if attribute.ends_with("Arn") && physical.starts_with("arn:") => physical,
            _ => return Err(Unsaid::Function { place: place.to_owned(), function: format!("{attribute} of {id}") }),
        })
    }

    /// A text of the template as it will be.
    fn text(&self, place: &str, value: &Value) -> Result<String, Unsaid> {
        let function = || {
            let function = value.as_object().and_then(|object| object.keys().next()).cloned();
            Unsaid::Function { place: place.to_owned(), function: function.unwrap_or_else(|| value.to_string()) }
        };
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            Value::Object(object) if object.len() == 1 => match object.iter().next() {
                Some((key, Value::String(name))) if key == "Ref" => self.name(place, name),
                Some((key, Value::String(text))) if key == "Fn::Sub" => self.substituted(place, text),
                Some((key, Value::Array(path))) if key == "Fn::GetAtt" => match path.as_slice() {
                    [Value::String(id), Value::String(attribute)] => self.attribute(place, id, attribute),
                    _ => Err(function()),
                },
                _ => Err(function()),
            },
            _ => Err(function()),
        }
    }

    fn substituted(&self, place: &str, text: &str) -> Result<String, Unsaid> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            match (name.strip_prefix('!'), name.split_once('.')) {
                (Some(literal), _) => out.extend(["${", literal, "}"]),
                (None, Some((id, attribute))) => out.push_str(&self.attribute(place, id, attribute)?),
                (None, None) => out.push_str(&self.name(place, name)?),
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// A list of texts; a parameter that is one holds them with commas.
    fn texts(&self, place: &str, value: &Value) -> Result<Vec<String>, Unsaid> {
        match value {
            Value::Array(values) => values.iter().map(|value| self.text(place, value)).collect(),
            Value::Null => Ok(Vec::new()),
            other => Ok(self.text(place, other)?.split(',').map(str::to_owned).collect()),
        }
    }
}

/// The subnets that a service's tasks run in.
pub fn subnets(template: &Template, deployed: &DeployedService, known: &Known) -> Result<Vec<String>, Unsaid> {
    let resources = template.resource_values();
    let service = resources.get(&deployed.service).ok_or_else(|| Unsaid::Missing(format!("resource {}", deployed.service)))?;
    let network = &service["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"];
    known.texts(&format!("the subnets of {}", deployed.family), &network["Subnets"])
}

/// The definition and the place of a task that stands for a service of the template.
pub fn of_service(
    template: &Template,
    deployed: &DeployedService,
    known: &Known,
    run: &Run<'_>,
) -> Result<(OneOff, Placement), Unsaid> {
    let resources = template.resource_values();
    let properties = |id: &str| {
        resources.get(id).map(|resource| resource["Properties"].clone()).ok_or_else(|| Unsaid::Missing(format!("resource {id}")))
    };
    let (definition, service) = (properties(&deployed.task_definition)?, properties(&deployed.service)?);
    let at = |what: &str| format!("{what} of {}", run.service);
    let container = definition["ContainerDefinitions"].as_array().into_iter().flatten();
    let container = container.into_iter().find(|container| container["Name"].as_str() == Some(run.service));
    let container = container.ok_or_else(|| Unsaid::Missing(format!("container {}", run.service)))?;
    let pairs = |list: &str, value: &str| -> Result<BTreeMap<String, String>, Unsaid> {
        let entries = container[list].as_array().into_iter().flatten();
        entries
            .map(|entry| {
                let name = entry["Name"].as_str().unwrap_or_default().to_owned();
                let text = known.text(&at(&format!("the variable {name}")), &entry[value])?;
                Ok((name, text))
            })
            .collect()
    };
    let mut environment = pairs("Environment", "Value")?;
    environment.insert(run.variable.0.clone(), run.variable.1.clone());
    let role = |named: Option<&str>, key: &str, what: &str| -> Result<Option<String>, Unsaid> {
        match (named, &definition[key]) {
            (Some(named), _) => Ok(Some(named.to_owned())),
            (None, Value::Null) => Ok(None),
            (None, value) => known.text(&at(what), value).map(Some),
        }
    };
    let execution_role = role(run.execution_role, "ExecutionRoleArn", "the execution role")?;
    let log_group = match run.log_group {
        Some(named) => named.to_owned(),
        None => known.name(&at("the log"), &deployed.log_group)?,
    };
    let network = &service["NetworkConfiguration"]["AwsvpcConfiguration"];
    let groups = if run.groups.is_empty() {
        known.texts(&at("the security groups"), &network["SecurityGroups"])?
    } else {
        run.groups.to_vec()
    };
    let cluster = match run.cluster {
        Some(named) => named.to_owned(),
        None => known.text(&at("the cluster"), &service["Cluster"])?,
    };
    let placement = Placement {
        cluster,
        subnets: known.texts(&at("the subnets"), &network["Subnets"])?,
        groups,
        public_ip: network["AssignPublicIp"].as_str() == Some("ENABLED"),
    };
    let wanted = OneOff {
        family: format!("{}-preflight-{}", known.stack, run.service.replace('.', "-")),
        container: "preflight".to_owned(),
        image: run.image.to_owned(),
        command: run.command.clone(),
        environment,
        secrets: pairs("Secrets", "ValueFrom")?,
        execution_role: execution_role.ok_or_else(|| Unsaid::Missing(at("execution role")))?,
        task_role: role(run.task_role, "TaskRoleArn", "the task role")?,
        log_group,
        log_prefix: "preflight".to_owned(),
        arm: run.arm,
        cpu: 256,
        memory: 512,
        tags: run.tags.clone(),
    };
    Ok((wanted, placement))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Known, Unsaid};

    fn known() -> Known {
        Known {
            account: "111122223333".into(),
            region: "eu-west-1".into(),
            partition: "aws".into(),
            stack: "shop-dev".into(),
            values: [("Arn".to_owned(), "arn:aws:x".to_owned()), ("Subnets".to_owned(), "subnet-1,subnet-2".to_owned())].into(),
            physical: [("Role", "shop-dev-Role-1"), ("Group", "sg-1"), ("Topic", "arn:aws:sns:x"), ("Zone", "ns-1")]
                .map(|(id, name)| (id.to_owned(), name.to_owned()))
                .into(),
            kinds: [("Role", "AWS::IAM::Role"), ("Group", "AWS::EC2::SecurityGroup")]
                .map(|(id, kind)| (id.to_owned(), kind.to_owned()))
                .into(),
        }
    }

    #[test]
    fn expressions_become_what_they_stand_for() {
        let known = known();
        let text = |value| known.text("x", &value);
        assert_eq!(text(json!({ "Fn::Sub": "${Arn}:KEY::" })), Ok("arn:aws:x:KEY::".into()));
        assert_eq!(text(json!({ "Fn::Sub": "${AWS::Region}.${AWS::URLSuffix}${!x}" })), Ok("eu-west-1.amazonaws.com${x}".into()));
        assert_eq!(text(json!({ "Fn::GetAtt": ["Role", "Arn"] })), Ok("arn:aws:iam::111122223333:role/shop-dev-Role-1".into()));
        assert_eq!(text(json!({ "Fn::GetAtt": ["Group", "GroupId"] })), Ok("sg-1".into()));
        assert_eq!(known.texts("x", &json!({ "Ref": "Subnets" })), Ok(vec!["subnet-1".into(), "subnet-2".into()]));
        assert_eq!(text(json!({ "Fn::GetAtt": ["Topic", "TopicArn"] })), Ok("arn:aws:sns:x".into()));
        // A name that only the service tells is not taken for the id.
        let function = "Name of Zone".to_owned();
        assert_eq!(text(json!({ "Fn::Sub": "${Zone.Name}" })), Err(Unsaid::Function { place: "x".into(), function }));
        assert_eq!(text(json!({ "Ref": "Queue" })), Err(Unsaid::NotThere { place: "x".into(), name: "Queue".into() }));
        assert_eq!(
            text(json!({ "Fn::Select": [0, []] })),
            Err(Unsaid::Function { place: "x".into(), function: "Fn::Select".into() })
        );
    }
}
