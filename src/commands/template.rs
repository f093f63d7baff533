//! `secrets template`: the project's secrets as a CloudFormation template of their own; and its parameters, for `secrets compose`.

use std::collections::BTreeMap;

use super::catalogue::catalogue;
use super::project;
use crate::base::{Exit, Failure, Result, Secret};
use crate::cli::{Cli, SecretsTemplateArgs};
use crate::cloudformation::{Answer, Content, MOST_BYTES, NewSecret, Piece, SecretStack};
use crate::confluent::secret::{Form, FormPart, SecretDocument, form, parameter_file, scram_secret_name, scram_users};
use crate::confluent::{self, ConfluentService, ServiceSecret};
use crate::extensions::Extensions;
use crate::stack::{ENV_TAG, PROJECT_TAG, Text, logical};
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &SecretsTemplateArgs, ui: &mut Ui) -> Result<Exit> {
    let (project, extensions) = project::written(&cli.project, ui)?;
    let services = confluent::services(catalogue(&cli.project)?, &project, &extensions, &BTreeMap::new());
    let mut chosen: Vec<&ServiceSecret<'_>> = Vec::new();
    for name in &args.services {
        chosen.push(confluent::secret_of(&project, &services, name)?);
    }
    if args.services.is_empty() {
        chosen.extend(services.iter().flat_map(|service| &service.secrets));
    }
    chosen.sort_by_key(|secret| secret.name);
    chosen.dedup_by_key(|secret| secret.name);
    if chosen.is_empty() {
        return Err(Failure::usage("no component of the project takes a secret from Secrets Manager")
            .help("give one a secret: `secrets: [NAME]` at the service, and secrets.NAME with x-secrets")
            .into());
    }
    let env = cli.project.env.clone().or_else(|| project.variables.get("ENV_NAME").filter(|env| !env.is_empty()).cloned());
    let environment = env.as_ref().map(|env| format!(", environment {env}")).unwrap_or_default();
    let mut tags = vec![(PROJECT_TAG.to_owned(), project.name.clone())];
    tags.extend(env.iter().map(|env| (ENV_TAG.to_owned(), env.clone())));
    let mut stack = SecretStack {
        description: format!("Secrets of {}{environment}. Written by confluent-ecs.", project.name),
        secrets: Vec::new(),
        answers: Vec::new(),
        msk_cluster: msk_cluster(&extensions),
        tags,
    };
    let name = env.as_ref().map_or_else(|| project.name.clone(), |env| format!("{}-{env}", project.name));
    for secret in &chosen {
        let by: Vec<&str> = services
            .iter()
            .filter(|service| service.secrets.iter().any(|other| other.name == secret.name))
            .map(|service| service.name)
            .collect();
        add(&mut stack, secret, &extensions, args.plain_parameters, (&name, &by.join(", ")))?;
    }
    ui.result(&stack.to_yaml());
    if !args.plain_parameters {
        let again = cli.project.again(None);
        let first = readers(&services, chosen[0]);
        ui.note(&format!("its parameters, for a pipe: confluent-ecs secrets compose {first} --parameters{again}"));
    }
    Ok(Exit::Done)
}

/// How a person names a secret to `secrets compose`.
fn readers<'a>(services: &'a [ConfluentService<'a>], secret: &ServiceSecret<'a>) -> &'a str {
    let alone = |service: &&ConfluentService<'_>| service.secrets.len() == 1 && service.secrets[0].name == secret.name;
    services.iter().find(alone).map_or(secret.name, |service| service.name)
}

/// The MSK cluster that takes its users from secrets: its ARN, or nothing where the files don't have it.
fn msk_cluster(extensions: &Extensions) -> Option<String> {
    let kafka = extensions.kafka.as_ref()?;
    let scram = kafka.provider.as_ref().is_some_and(|provider| provider.value == "msk-scram");
    let arn = kafka.cluster.as_ref().map(|cluster| cluster.value.clone()).filter(|cluster| cluster.starts_with("arn:"));
    scram.then(|| arn.unwrap_or_default())
}

fn add(
    stack: &mut SecretStack,
    secret: &ServiceSecret<'_>,
    extensions: &Extensions,
    plain: bool,
    (project, by): (&str, &str),
) -> Result<()> {
    let id = logical(secret.name);
    let written = extensions.secrets.get(secret.name).and_then(|extension| extension.name.as_ref());
    let Some(name) = written.filter(|name| !name.value.starts_with("arn:")) else {
        return Err(Failure::usage(format!("the secret {} has no name of its own in the files", secret.name))
            .cause("it is looked up, by tags or by its ARN, and so it is there already")
            .help("to make it here, write its Name under x-secrets")
            .into());
    };
    let description = format!("Credentials of {project}, read by {by}");
    let scram = stack.msk_cluster.is_some();
    let of_msk = |stack: &mut SecretStack, content: Content| {
        stack.secrets.push(NewSecret {
            id: format!("{id}ScramUser"),
            name: Text::from(scram_secret_name(project, secret.name)),
            description: format!("The user of {} at Amazon MSK", secret.name),
            content,
            customer_key: true,
        });
    };
    if plain {
        let base = form(&secret.structure.without_license())?;
        let whole = form(&secret.structure)?;
        let parameter = |name: &str| format!("{id}{}", logical(name));
        let pieces = |form: &Form| -> Vec<Piece> {
            let piece = |part: &FormPart| match part {
                FormPart::Literal(text) => Piece::Literal(text.clone()),
                FormPart::Answer(index) => Piece::Answer(parameter(&form.blanks[*index].name)),
            };
            form.parts.iter().map(piece).collect()
        };
        // With a licence the secret has more keys.
        let optional = whole.blanks.iter().find(|blank| base.blanks.iter().all(|known| known.name != blank.name));
        let with = optional.map(|blank| (parameter(&blank.name), pieces(&whole)));
        let content = Content::Answers { pieces: pieces(&base), with };
        stack.answers.extend(whole.blanks.iter().map(|blank| Answer {
            id: parameter(&blank.name),
            description: blank.label.clone(),
            allowed: (blank.pattern(), blank.rule()),
            optional: optional.is_some_and(|optional| optional.name == blank.name),
        }));
        stack.secrets.push(NewSecret {
            id: id.clone(),
            name: Text::from(name.value.as_str()),
            description,
            content,
            customer_key: false,
        });
        if scram {
            let answer = |name: &str| Piece::Answer(format!("{id}{}", logical(name)));
            let literal = |text: &str| Piece::Literal(text.to_owned());
            let pieces = vec![
                literal("{\"username\":\""),
                answer("username"),
                literal("\",\"password\":\""),
                answer("password"),
                literal("\"}"),
            ];
            of_msk(stack, Content::Answers { pieces, with: None });
        }
        return Ok(());
    }
    let content = Content::Json {
        parameter: format!("{id}Json"),
        description: format!("What `confluent-ecs secrets compose {}` makes", secret.name),
    };
    stack.secrets.push(NewSecret {
        id: id.clone(),
        name: Text::from(name.value.as_str()),
        description,
        content,
        customer_key: false,
    });
    if scram {
        let description = "User name and password, as Amazon MSK takes them".to_owned();
        of_msk(stack, Content::Json { parameter: format!("{id}ScramUserJson"), description });
    }
    Ok(())
}

/// The parameters of the template for a composed secret, as AWS's own tools take them; one set of answers makes them all.
pub(super) fn parameters(secret: &ServiceSecret<'_>, document: &SecretDocument, extensions: &Extensions) -> Result<Secret> {
    let id = logical(secret.name);
    let mut values = vec![(format!("{id}Json"), document.to_ascii_json())];
    if msk_cluster(extensions).is_some() {
        let users = scram_users(&secret.structure, document);
        if users.len() > 1 {
            return Err(Failure::usage("the clients have accounts of their own, and the template makes one user")
                .help("store them with `confluent-ecs secrets put`: it makes a secret for each")
                .into());
        }
        values.extend(users.iter().map(|user| (format!("{id}ScramUserJson"), user.document().to_ascii_json())));
    }
    for (name, value) in &values {
        let length = value.length();
        if length > MOST_BYTES {
            return Err(Failure::usage(format!(
                "{name} is {length} bytes long; CloudFormation takes {MOST_BYTES} in a parameter"
            ))
            .help("store it with `confluent-ecs secrets put` instead: Secrets Manager takes 65536")
            .into());
        }
    }
    Ok(parameter_file(&values))
}
