//! One compose service → one container of a task definition.

use std::collections::BTreeMap;

use super::build::Builder;
use super::family::{Asked, Member, condition};
use super::{Api, Condition, Container, Port, Protocol, SecretSource, Size, Text, Ulimit, image};
use crate::base::Code;
use crate::compose::{self, Service};
use crate::confluent;
use crate::profile::Component;

/// Fargate's longest wait between SIGTERM and SIGKILL, in seconds.
const LONGEST_STOP: i64 = 120;
/// The capabilities that ECS knows.
const CAPABILITIES: [&str; 38] = [
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "SYSLOG",
    "WAKE_ALARM",
];
/// The files that a task of Fargate may have open.
const MOST_FILES: i64 = 1_048_576;
/// MiB of a task that a container without a limit of its own leaves to the others.
const NONE_OF_OTHERS: u32 = 0;

impl Builder<'_> {
    pub(super) fn container(&mut self, member: &Member<'_>, family: &[Member<'_>], asked: Asked, size: Size) -> Container {
        let Member { name, service, component, .. } = member;
        let ports = self.ports(name, service);
        let (secrets, read_by_itself) = self.secret_variables(name, service);
        let mut environment = self.environment(name, service, component.is_some());
        if let Some(component) = component {
            let others = family
                .iter()
                .filter(|other| other.name != *name)
                .map(|other| taken(other.service))
                .fold(NONE_OF_OTHERS, u32::saturating_add);
            let memory = asked.limit.unwrap_or_else(|| size.memory.saturating_sub(others));
            heap(component, memory, &secrets, &mut environment);
            for (variable, value) in &component.deployment.environment {
                if !secrets.contains_key(variable) {
                    environment.entry(variable.clone()).or_insert_with(|| Text::from(value));
                }
            }
        }
        let own_port = component.map(|component| listening(component, &ports));
        let health_check = self.health(name, service, *component, own_port);
        let start = self.start(name, service, *component);
        // The start sets it; the value of the files would be wrong for whoever looks into the container.
        environment.retain(|variable, _| start.sets.as_ref() != Some(variable));
        let (log_options, log_prefix) = self.log_options(name, service);
        Container {
            name: (*name).to_owned(),
            image: self.image(name, service),
            repository: service.image.as_deref().and_then(image::repository),
            layered: None,
            entrypoint: start.entrypoint,
            command: start.command,
            environment,
            topics: BTreeMap::new(),
            secrets,
            read_by_itself,
            ports: with(ports, own_port),
            api: component.zip(own_port).map(|(component, port)| Api {
                title: component.title.clone(),
                port,
                path: confluent::health_path(component, service.image.as_deref().unwrap_or_default()).to_owned(),
            }),
            essential: !matches!(Self::awaited(name, service, family), Some(Condition::Complete | Condition::Success)),
            health_check,
            stop_timeout: self.stop_timeout(name, service, *component),
            labels: labels(service),
            cpu: asked.cpu,
            memory: asked.limit,
            memory_reservation: self.reservation(name, asked),
            user: text(service.user.as_deref()),
            working_dir: self.working_dir(name, service),
            read_only: service.read_only,
            init: service.init == Some(true),
            tty: service.tty,
            interactive: service.stdin_open,
            ulimits: self.ulimits(name, service),
            depends_on: self.depends_on(name, service, family),
            mounts: Vec::new(),
            tmpfs: self.tmpfs(name, service, asked.limit.unwrap_or(size.memory)),
            mounts_of: self.mounts_of(member, family),
            // The one that Fargate adds; the others are findings.
            capabilities_added: service.cap_add.iter().filter(|cap| *cap == "SYS_PTRACE").cloned().collect(),
            capabilities_dropped: self.dropped(name, service),
            sysctls: self.sysctls(name, service),
            log_options,
            log_prefix,
        }
    }

    /// ECS takes the names of Linux's capabilities, and none that it doesn't know.
    fn dropped(&mut self, name: &str, service: &Service) -> Vec<String> {
        let mut dropped = Vec::new();
        for (index, written) in service.cap_drop.iter().enumerate() {
            let capability = written.trim_start_matches("CAP_");
            if !CAPABILITIES.contains(&capability) {
                let index = index.to_string();
                let help = match crate::base::nearest(capability, CAPABILITIES) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "ALL, or one that capabilities(7) lists, without CAP_".to_owned(),
                };
                let message = format!("there is no capability {written}");
                self.error(Code::WRONG_VALUE, &["services", name, "cap_drop", &index], message).help = Some(help);
            }
            dropped.push(capability.to_owned());
        }
        dropped
    }

    fn working_dir(&mut self, name: &str, service: &Service) -> Option<Text> {
        let folder = service.working_dir.as_deref().filter(|folder| !folder.is_empty())?;
        if !folder.starts_with('/') {
            let message = format!("\"{folder}\" is no folder of a container");
            self.error(Code::WRONG_VALUE, &["services", name, "working_dir"], message).help = Some("it starts with /".to_owned());
        }
        Some(Text::from(folder))
    }

    /// ECS takes a reservation below the limit only; one that equals it says nothing more.
    fn reservation(&mut self, name: &str, asked: Asked) -> Option<u32> {
        let (Some(limit), Some(reservation)) = (asked.limit, asked.reservation) else { return asked.reservation };
        if reservation > limit {
            let message = format!("{name} reserves {reservation} MiB, above its limit of {limit} MiB");
            self.error(Code::SIZE, &["services", name, "deploy", "resources", "reservations", "memory"], message);
        }
        (reservation < limit).then_some(reservation)
    }

    fn image(&mut self, name: &str, service: &Service) -> Text {
        let Some(image) = service.image.as_deref().filter(|image| !image.is_empty()) else {
            let finding =
                self.error(Code::IMAGE, &["services", name], format!("{name} has no image: ECS pulls one from a registry"));
            finding.help = Some("add image with the name that the built image is pushed as".to_owned());
            return Text::default();
        };
        if let Some(help) = super::image::fault(image) {
            let message = format!("\"{}\" is no name of an image", Text::from(image));
            self.error(Code::IMAGE, &["services", name, "image"], message).help = Some(help.to_owned());
        }
        Text::from(image)
    }

    /// `known`: it runs a component, whose own rules find the passwords in it.
    fn environment(&mut self, name: &str, service: &Service, known: bool) -> BTreeMap<String, Text> {
        let mut environment = BTreeMap::new();
        for (variable, value) in &service.environment {
            let path = ["services", name, "environment", variable];
            let Some(value) = value else {
                let finding = self.warn(Code::ENVIRONMENT, &path, format!("{variable} has no value here and is left out"));
                finding.help = Some("a task has no shell to take it from: write the value, or keep it in a secret".to_owned());
                continue;
            };
            if value.contains("{{resolve:") {
                let message = format!(
                    "CloudFormation would write the value that {variable} refers to into the task definition, in the clear"
                );
                self.error(Code::PLAIN_CREDENTIAL, &path, message).help = Some("use a secret with x-secrets".to_owned());
            } else if let Some(reference) = reference(value) {
                let message = format!("{reference} is passed on as it stands: values of other resources are not filled in");
                self.error(Code::UNRENDERED, &path, message).help = Some(match reference.strip_prefix("x-aws::AWS::") {
                    Some("Region") => "write ${AWS_REGION}".to_owned(),
                    Some("AccountId") => "write ${AWS_ACCOUNT_ID}".to_owned(),
                    _ => "write the value itself, or take it from an env file".to_owned(),
                });
            } else if !known && holds_password(variable, value) {
                let message = format!("{variable} holds a password that everybody who may read task definitions can see");
                self.warn(Code::PLAIN_CREDENTIAL, &path, message).help =
                    Some("keep it in Secrets Manager and name it with x-secrets and JsonKeys".to_owned());
            }
            environment.insert(variable.clone(), Text::from(&**value));
        }
        environment
    }

    /// The ports that a container listens on: `ports` and `expose`.
    fn ports(&mut self, name: &str, service: &Service) -> Vec<Port> {
        let mut ports: Vec<Port> = Vec::new();
        for (index, port) in service.ports.iter().enumerate() {
            let protocol = self.protocol(name, "ports", index, port.target, port.protocol.as_deref().unwrap_or_default());
            if let Ok(number) = u16::try_from(port.target) {
                ports.push(Port { number, protocol });
            }
        }
        for (index, exposed) in service.expose.iter().enumerate() {
            let (number, protocol) = exposed.split_once('/').unwrap_or((exposed, "tcp"));
            if let Ok(number) = number.parse() {
                let protocol = self.protocol(name, "expose", index, number, protocol);
                ports.push(Port { number, protocol });
            } else {
                let index = index.to_string();
                let message = format!("\"{}\" is not a port; write each port of a range", &**exposed);
                self.error(Code::PORT, &["services", name, "expose", &index], message);
            }
        }
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    fn protocol(&mut self, name: &str, key: &str, index: usize, port: impl std::fmt::Display, written: &str) -> Protocol {
        if written == "sctp" {
            let index = index.to_string();
            let message = format!("port {port} is of SCTP, which ECS doesn't carry");
            self.error(Code::PORT, &["services", name, key, &index], message).help =
                Some("ECS opens ports of TCP and UDP".to_owned());
        }
        if written == "udp" { Protocol::Udp } else { Protocol::Tcp }
    }

    fn stop_timeout(&mut self, name: &str, service: &Service, component: Option<&Component>) -> Option<u32> {
        let Some(period) = service.stop_grace_period else {
            return component.map(|component| component.deployment.stop_timeout_seconds);
        };
        let seconds = period.seconds();
        if seconds > LONGEST_STOP {
            let message = format!("a stop_grace_period of {seconds} s can't be honoured: Fargate waits {LONGEST_STOP} s at most");
            self.warn(Code::NOT_ON_ECS, &["services", name, "stop_grace_period"], message);
        }
        u32::try_from(seconds.clamp(0, LONGEST_STOP)).ok()
    }

    /// Fargate sets the parameters of a task's own network and no others.
    fn sysctls(&mut self, name: &str, service: &Service) -> BTreeMap<String, Text> {
        let mut set = BTreeMap::new();
        for (key, value) in &service.sysctls {
            if key.starts_with("net.") {
                set.insert(key.clone(), Text::from(value));
            } else {
                let message = format!("the kernel parameter {key} can't be honoured: Fargate sets those of the network only");
                self.warn(Code::NOT_ON_ECS, &["services", name, "sysctls", key], message);
            }
        }
        set
    }

    /// What `logging.options` say to the driver that ECS has; and how the names of the log streams begin.
    fn log_options(&mut self, name: &str, service: &Service) -> (BTreeMap<String, Text>, Option<Text>) {
        const PASSED: [&str; 4] = ["awslogs-datetime-format", "awslogs-multiline-pattern", "max-buffer-size", "mode"];
        const OURS: [&str; 3] = ["awslogs-create-group", "awslogs-group", "awslogs-stream-prefix"];
        let mut options = BTreeMap::new();
        let Some(logging) = service.logging.as_ref().filter(|logging| logging.driver.as_deref() == Some("awslogs")) else {
            return (options, None);
        };
        for (key, value) in &logging.options {
            let path = ["services", name, "logging", "options", key];
            if let Some(wanted) = refused_option(key, value) {
                self.error(Code::WRONG_VALUE, &path, format!("{key} can't be \"{value}\"")).help = Some(wanted.to_owned());
            } else if PASSED.contains(&key.as_str()) {
                options.insert(key.clone(), Text::from(value));
            } else if key == "awslogs-region" {
                if !value.chars().all(crate::base::is_mark) {
                    let message = format!("awslogs-region can't be honoured: logs go to the stack's own region, not to {value}");
                    self.warn(Code::NOT_ON_ECS, &path, message);
                }
            } else if !OURS.contains(&key.as_str()) {
                let help = match crate::base::nearest(key, PASSED.into_iter().chain(OURS)) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("known are {}", PASSED.join(", ")),
                };
                self.error(Code::WRONG_VALUE, &path, format!("awslogs has no option {key}")).help = Some(help);
            }
        }
        if options.contains_key("awslogs-datetime-format") && options.contains_key("awslogs-multiline-pattern") {
            let message = "awslogs takes a pattern or a format of the time to tell lines apart, not both";
            self.error(Code::CONTRADICTION, &["services", name, "logging", "options"], message);
        }
        if options.contains_key("max-buffer-size") && logging.options.get("mode").is_none_or(|mode| mode != "non-blocking") {
            let message = "a buffer is there in the mode non-blocking only";
            self.error(Code::CONTRADICTION, &["services", name, "logging", "options", "max-buffer-size"], message).help =
                Some("add mode: non-blocking".to_owned());
        }
        let prefix = logging.options.get("awslogs-stream-prefix").filter(|prefix| !prefix.is_empty()).map(Text::from);
        (options, prefix)
    }

    fn ulimits(&mut self, name: &str, service: &Service) -> Vec<Ulimit> {
        let mut ulimits = Vec::new();
        for (limit, value) in &service.ulimits {
            // Fargate changes the number of open files and nothing else.
            if limit != "nofile" {
                let message = format!("the limit {limit} can't be honoured: Fargate sets nofile only");
                self.warn(Code::NOT_ON_ECS, &["services", name, "ulimits", limit], message);
                continue;
            }
            let (soft, hard) = match *value {
                compose::Ulimit::Single(value) => (value, value),
                compose::Ulimit::Range { soft, hard } => (soft, hard),
            };
            let path = ["services", name, "ulimits", limit];
            if soft > hard {
                let message = format!("the soft limit {soft} is above the hard one, {hard}");
                self.error(Code::TASK_LIMIT, &path, message).help = Some("exchange the two".to_owned());
            } else if hard > MOST_FILES || soft < 0 {
                let message = format!("Fargate opens {MOST_FILES} files at most, not {hard}");
                self.error(Code::TASK_LIMIT, &path, message);
            }
            ulimits.push(Ulimit { name: limit.clone(), soft, hard });
        }
        ulimits
    }

    /// What others in the task wait for this container to come to.
    pub(super) fn awaited(name: &str, service: &Service, family: &[Member<'_>]) -> Option<Condition> {
        let mut asked = family.iter().filter_map(|other| other.service.depends_on.get(name));
        condition(service).or_else(|| asked.find_map(|dependency| compose_condition(dependency.condition.as_deref())))
    }

    /// What this container waits for in its own task. Order between tasks is nothing that ECS knows.
    fn depends_on(&mut self, name: &str, service: &Service, family: &[Member<'_>]) -> Vec<(String, Condition)> {
        let mut waits = Vec::new();
        for (target, dependency) in &service.depends_on {
            let path = ["services", name, "depends_on", target];
            let written = dependency.condition.as_deref();
            let Some(member) = family.iter().find(|member| member.name == target) else {
                if let Some(condition) = written.filter(|condition| *condition != "service_started") {
                    let message = format!("{name} can't wait for {target} ({condition}): ECS starts services on their own");
                    self.warn(Code::NOT_ON_ECS, &path, message).help =
                        Some("make it try again, or put both into one task with the label ecs.task.family".to_owned());
                }
                continue;
            };
            let condition = condition(member.service).or_else(|| compose_condition(written)).unwrap_or(Condition::Start);
            if condition == Condition::Healthy && member.service.healthcheck.is_none() && member.component.is_none() {
                let message = format!("{name} waits for {target} to be healthy, which has no healthcheck");
                self.error(Code::HEALTH_CHECK, &path, message).help = Some(format!("add a healthcheck to {target}"));
            }
            waits.push((target.clone(), condition));
        }
        waits
    }
}

fn compose_condition(word: Option<&str>) -> Option<Condition> {
    match word? {
        "service_healthy" => Some(Condition::Healthy),
        "service_completed_successfully" => Some(Condition::Success),
        _ => Some(Condition::Start),
    }
}

/// The memory that another container of the task takes.
fn taken(service: &Service) -> u32 {
    let resources = service.deploy.as_ref().map(|deploy| &deploy.resources);
    let sizes = resources.into_iter().flat_map(|resources| [&resources.limits, &resources.reservations]).flatten();
    let bytes = sizes.map(|size| size.memory.get()).find(|bytes| *bytes > 0).unwrap_or_else(|| service.mem_limit.get());
    u32::try_from(bytes.max(0) >> 20).unwrap_or(u32::MAX)
}

/// The JVM's heap, as a part of the memory that the container has; the rest is for what Java keeps outside of it.
fn heap(component: &Component, memory: u32, secrets: &BTreeMap<String, SecretSource>, environment: &mut BTreeMap<String, Text>) {
    let heap = &component.sizing.heap;
    if environment.contains_key(&heap.variable) || secrets.contains_key(&heap.variable) {
        return;
    }
    let mebibytes = u64::from(memory) * u64::from(heap.percent_of_memory) / 100;
    environment.insert(heap.variable.clone(), Text::from(format!("-Xms{mebibytes}m -Xmx{mebibytes}m")));
}

/// The port that a component listens on: its own where the file opens that or says nothing, else the one that is opened.
pub(super) fn listening(component: &Component, ports: &[Port]) -> u16 {
    let own = component.start.port;
    match ports {
        [only] => only.number,
        _ => own,
    }
}

fn with(mut ports: Vec<Port>, own: Option<u16>) -> Vec<Port> {
    if let Some(number) = own.filter(|own| ports.iter().all(|port| port.number != *own)) {
        ports.push(Port { number, protocol: Protocol::Tcp });
        ports.sort_unstable();
    }
    ports
}

/// The user's labels, without those that speak to us.
fn labels(service: &Service) -> BTreeMap<String, Text> {
    let ours = |key: &str| key.starts_with("ecs.");
    service.labels.iter().filter(|(key, _)| !ours(key)).map(|(key, value)| (key.clone(), Text::from(value))).collect()
}

fn text(value: Option<&str>) -> Option<Text> {
    value.filter(|text| !text.is_empty()).map(Text::from)
}

/// `scheme://user:password@host`.
fn in_url(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#', ',', ' ']).next().unwrap_or_default();
    let Some((user_info, _)) = authority.rsplit_once('@') else { return false };
    user_info.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !password.starts_with("${"))
}

/// What an option of awslogs takes instead, if it doesn't take this.
fn refused_option(key: &str, value: &str) -> Option<&'static str> {
    let group = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c) || crate::base::is_mark(c);
    match key {
        "awslogs-group" if value.is_empty() || value.len() > 512 || !value.chars().all(group) => {
            Some("at most 512 letters, digits and . _ - / #")
        }
        "mode" if !matches!(value, "blocking" | "non-blocking") => Some("blocking or non-blocking"),
        "max-buffer-size" if !is_size(value) => Some("a number with k, m or g, as in 25m"),
        _ => None,
    }
}

fn is_size(value: &str) -> bool {
    let digits = value.trim_end_matches(['k', 'm', 'g', 'K', 'M', 'G', 'b', 'B']);
    !digits.is_empty() && value.len() - digits.len() <= 2 && digits.chars().all(|c| c.is_ascii_digit())
}

/// `x-s3::bucket::BucketName`: what ECS Compose-X fills in.
fn reference(value: &str) -> Option<&str> {
    let part = |c: char| c.is_ascii_alphanumeric() || "-_:.".contains(c);
    let starts = value.match_indices("x-").map(|(start, _)| start);
    let words = starts.map(|start| value[start..].split(|c| !part(c)).next().unwrap_or_default());
    words.map(|word| word.trim_end_matches([':', '.'])).find(|word| {
        let mut parts = word.split("::");
        let kind = parts.next().is_some_and(|kind| kind.len() > 2 && !kind.contains([':', '.']));
        kind && parts.clone().count() == 2 && parts.all(|part| !part.is_empty() && !part.contains(':'))
    })
}

/// Whether a plain variable holds what belongs into a secret, by its name or by the form of its value.
fn holds_password(variable: &str, value: &str) -> bool {
    let ends_with = |end: &str| {
        let tail = variable.len().checked_sub(end.len()).and_then(|start| variable.get(start..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    let named = ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "SECRET_KEY", "ACCESS_KEY", "API_KEY", "_TOKEN", "PRIVATE_KEY"]
        .into_iter()
        .any(ends_with);
    let value = value.trim();
    let jaas = value.contains("LoginModule") && value.to_ascii_lowercase().contains("password");
    let user_info = ends_with("USER_INFO") && value.contains(':');
    // `${env:NAME}` and its like name a secret and hold none.
    (named || jaas || user_info || in_url(value)) && !value.is_empty() && !(value.starts_with("${") && value.ends_with('}'))
}

#[cfg(test)]
mod tests {
    use super::{holds_password, reference};

    #[test]
    fn a_reference_of_ecs_compose_x_is_known_by_its_form() {
        for (value, found) in [
            ("x-s3::bucket::BucketName", "x-s3::bucket::BucketName"),
            ("s3://x-s3::my-bucket::BucketName/x-aws::AWS::Region", "x-s3::my-bucket::BucketName"),
            ("x-aws::AWS::Region", "x-aws::AWS::Region"),
        ] {
            assert_eq!(reference(value), Some(found));
        }
        for value in ["", "x-", "max-age=1", "dev::http://x-y:8083", "x-forwarded-for", "[fe80::1]", "x-a::b"] {
            assert_eq!(reference(value), None, "{value}");
        }
    }

    #[test]
    fn a_password_in_the_clear_is_known_by_name_or_form() {
        for (variable, value) in [
            ("DB_PASSWORD", "x"),
            ("CONNECT_SASL_JAAS_CONFIG", "a.PlainLoginModule required username=\"u\" password=\"p\";"),
            ("CONNECT_VALUE_CONVERTER_BASIC_AUTH_USER_INFO", "key:secret"),
            ("DATABASE_URL", "postgres://app:hunter2@db.example.com/app"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
        ] {
            assert!(holds_password(variable, value), "{variable}");
        }
        for (variable, value) in [
            ("DB_PASSWORD", ""),
            ("DB_PASSWORD", "${env:DB}"),
            ("CONNECT_BASIC_AUTH_CREDENTIALS_SOURCE", "USER_INFO"),
            ("CONNECT_GROUP_ID", "connect"),
            ("DATABASE_URL", "postgres://db.example.com/app"),
            ("DATABASE_URL", "postgres://app@db.example.com:5432/app"),
            ("URL", "https://example.com/@a:b@c"),
        ] {
            assert!(!holds_password(variable, value), "{variable}");
        }
    }
}
