//! `x-alarms` → alarms of CloudWatch, and the topics of `x-sns` that hear of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::build::Builder;
use super::wiring::family_of;
use super::{
    Alarm, AlarmKind, Balancer, Family, Lookup, RulePart, ServiceMetric, StepScaling, Text, Topic, TopicSource, logical, standing,
};
use crate::base::{Code, nearest};
use crate::extensions::{self, Placed, PredefinedAlarm, TopicRef, TopicUse};

/// What the predefined alarms have unless the files say otherwise: the values of ECS Compose-X.
const THRESHOLD: u32 = 75;
const PERIOD: u32 = 60;
const EVALUATIONS: u32 = 10;
const DATAPOINTS: u32 = 5;
/// Seconds between two steps unless the files say: the value of ECS Compose-X.
const COOLDOWN: u32 = 60;
/// What a composite alarm asks of others.
const STATES: [&str; 3] = ["ALARM", "OK", "INSUFFICIENT_DATA"];

impl Builder<'_> {
    pub(super) fn alarms(&mut self, families: &[Family], balancers: &[Balancer]) -> Vec<Alarm> {
        let extensions = self.extensions;
        let mut alarms: BTreeMap<String, Alarm> = BTreeMap::new();
        for family in families {
            for container in &family.containers {
                let Some(service) = extensions.services.get(&container.name) else { continue };
                for predefined in &service.alarms {
                    for alarm in self.predefined(family, predefined) {
                        alarms.insert(alarm.id.clone(), alarm);
                    }
                }
            }
        }
        for (name, written) in &extensions.alarms {
            if let Some(alarm) = self.written_alarm(name, written, families, balancers) {
                if alarms.contains_key(&alarm.id) {
                    let message = format!("{name} would have the name of another alarm in the template, {}", alarm.id);
                    self.error_at(Code::ALARM, &written.at, message).help = Some("give it another name".to_owned());
                }
                alarms.insert(alarm.id.clone(), alarm);
            }
        }
        self.circles(&alarms);
        // A topic that nothing here speaks to may be for others.
        for (key, topic) in &extensions.topics {
            if let extensions::Topic::New(new) = topic {
                self.topics
                    .entry(key.clone())
                    .or_insert_with(|| Topic { id: topic_id(key), source: TopicSource::New(new.clone()) });
            }
        }
        alarms.into_values().collect()
    }

    /// Alarms that wait for each other, or for themselves, can't be made.
    fn circles(&mut self, alarms: &BTreeMap<String, Alarm>) {
        let asked = |id: &str| -> Vec<String> {
            match alarms.get(id).map(|alarm| &alarm.kind) {
                Some(AlarmKind::Composite { rule, .. }) => rule
                    .iter()
                    .filter_map(|part| match part {
                        RulePart::Alarm(id) => Some(id.clone()),
                        RulePart::Text(_) => None,
                    })
                    .collect(),
                _ => Vec::new(),
            }
        };
        let extensions = self.extensions;
        for (name, written) in &extensions.alarms {
            let id = alarm_id(name);
            let (mut open, mut seen) = (asked(&id), Vec::new());
            while let Some(next) = open.pop() {
                if next == id {
                    self.error_at(Code::CYCLE, &written.at, format!("{name} waits for itself")).help =
                        Some("ask alarms that don't ask this one".to_owned());
                    break;
                }
                if !seen.contains(&next) {
                    open.extend(asked(&next));
                    seen.push(next);
                }
            }
        }
    }

    /// Busy, and with the most tasks: two alarms that only the third speaks for.
    fn predefined(&mut self, family: &Family, written: &PredefinedAlarm) -> Vec<Alarm> {
        let most = family.scaling.as_ref().map(|scaling| scaling.maximum);
        let Some(tasks) = written.tasks.or(most) else {
            let message = format!("{} can never fire: {} has no most tasks to be at", written.name.value, family.name);
            self.error_at(Code::ALARM, &written.name, message).help =
                Some("add x-scaling with a Range, or Settings.RunningTaskCount".to_owned());
            return Vec::new();
        };
        if let Some(most) = most.filter(|most| tasks > *most) {
            let message = format!("{} can never fire: scaling stops at {most} tasks, it waits for {tasks}", written.name.value);
            self.error_at(Code::ALARM, &written.name, message).help = Some("leave RunningTaskCount out".to_owned());
        }
        let (evaluations, datapoints) = (
            written.evaluation_periods.unwrap_or(EVALUATIONS),
            written.datapoints.unwrap_or(DATAPOINTS.min(written.evaluation_periods.unwrap_or(EVALUATIONS))),
        );
        if datapoints > evaluations {
            let message = format!("{datapoints} of {evaluations} datapoints can't be over the threshold");
            self.error_at(Code::ALARM, &written.name, message).help =
                Some("DatapointsToAlarm is at most EvaluationPeriods".to_owned());
        }
        let (on_alarm, on_ok) = self.heard(&written.topics);
        if on_alarm.is_empty() && on_ok.is_empty() {
            let message = format!("nobody hears of {}", written.name.value);
            self.warn_at(Code::ALARM, &written.name, message).help =
                Some("add Topics with an entry of x-sns or an ARN".to_owned());
        }
        let (metric, busy) = if written.name.value.starts_with("HighCpu") {
            ("CPUUtilization", "HighCpuUsage")
        } else {
            ("MemoryUtilization", "HighRamUsage")
        };
        let quiet = |name: &str, description: String, metric: ServiceMetric| Alarm {
            id: format!("{}{name}Alarm", family.id),
            description,
            kind: AlarmKind::Service(metric),
            on_alarm: Vec::new(),
            on_ok: Vec::new(),
            scales: Vec::new(),
        };
        let threshold = written.threshold.unwrap_or(THRESHOLD);
        let busy = quiet(
            busy,
            format!("{metric} of {} is {threshold} % or more", family.name),
            ServiceMetric {
                family: family.name.clone(),
                namespace: "AWS/ECS",
                metric,
                statistic: "Average",
                threshold,
                period: written.period.unwrap_or(PERIOD),
                evaluation_periods: evaluations,
                datapoints,
            },
        );
        let maxed = quiet(
            &if written.tasks.is_some() { format!("{tasks}Tasks") } else { "ScalingOutMaxed".to_owned() },
            format!("{} runs {tasks} tasks or more; the cluster must have Container Insights", family.name),
            ServiceMetric {
                family: family.name.clone(),
                namespace: "ECS/ContainerInsights",
                metric: "RunningTaskCount",
                statistic: "Maximum",
                threshold: tasks,
                period: PERIOD,
                evaluation_periods: 1,
                datapoints: 1,
            },
        );
        let part = |alarm: &Alarm| {
            [RulePart::Text("ALARM(\"".to_owned()), RulePart::Alarm(alarm.id.clone()), RulePart::Text("\")".to_owned())]
        };
        let mut rule = part(&busy).to_vec();
        rule.push(RulePart::Text(" AND ".to_owned()));
        rule.extend(part(&maxed));
        let both = Alarm {
            id: format!("{}{}Alarm", family.id, written.name.value),
            description: format!("{} is busy with the most tasks that it may have", family.name),
            kind: AlarmKind::Composite { rule, properties: serde_json::Map::new() },
            on_alarm,
            on_ok,
            scales: Vec::new(),
        };
        vec![busy, maxed, both]
    }

    fn written_alarm(
        &mut self,
        name: &str,
        written: &extensions::Alarm,
        families: &[Family],
        balancers: &[Balancer],
    ) -> Option<Alarm> {
        let kind = match &written.kind {
            extensions::AlarmKind::Metric { properties, service } => {
                let family = match service {
                    Some(service) => {
                        self.known_family(service, families);
                        self.one_family(service, &service.value, families);
                        Some(family_of(families, &service.value)?.name.clone())
                    }
                    None => None,
                };
                let mut properties = properties.clone();
                if let Some(dimensions) = properties.get_mut("Dimensions") {
                    self.dimensions(dimensions, &written.at, balancers);
                }
                AlarmKind::Written { properties, family }
            }
            extensions::AlarmKind::Composite { expression, properties } => {
                AlarmKind::Composite { rule: self.rule(expression)?, properties: properties.clone() }
            }
        };
        let (on_alarm, on_ok) = self.heard(&written.topics);
        let scales = written.scaled.iter().filter_map(|scaled| self.scaled(scaled, families)).collect();
        Some(Alarm { id: alarm_id(name), description: format!("{name} of x-alarms"), kind, on_alarm, on_ok, scales })
    }

    /// A family that an alarm scales: within the range that it has.
    fn scaled(&mut self, written: &extensions::ScaledByAlarm, families: &[Family]) -> Option<StepScaling> {
        let name = &written.service;
        self.known_family(name, families);
        self.one_family(name, &name.value, families);
        let family = family_of(families, &name.value)?;
        let Some(scaling) = &family.scaling else {
            self.error_at(Code::SCALING, name, format!("{} has no range in which an alarm could scale it", family.name)).help =
                Some("add x-scaling with a Range to the service".to_owned());
            return None;
        };
        if let Some(step) = written.steps.iter().find(|step| !(scaling.minimum..=scaling.maximum).contains(&step.count)) {
            let message = format!(
                "a step of {} tasks is outside of the range of {}, {}-{}",
                step.count, family.name, scaling.minimum, scaling.maximum
            );
            self.error_at(Code::SCALING, name, message).help = Some("widen the Range, or correct the step's Count".to_owned());
        }
        Some(StepScaling {
            family: family.name.clone(),
            steps: written.steps.clone(),
            scale_in_cooldown: written.scale_in_cooldown.unwrap_or(COOLDOWN),
            scale_out_cooldown: written.scale_out_cooldown.unwrap_or(COOLDOWN),
        })
    }

    /// `x-elbv2::NAME` and `x-elbv2::NAME::SERVICE::PORT` as the values of dimensions.
    fn dimensions(&mut self, dimensions: &mut Value, at: &Placed<()>, balancers: &[Balancer]) {
        for dimension in dimensions.as_array_mut().into_iter().flatten() {
            let Some(value) = dimension.get_mut("Value") else { continue };
            let Some(named) = value.as_str().and_then(|text| text.strip_prefix("x-elbv2::")).map(str::to_owned) else { continue };
            let mut parts = named.splitn(2, "::");
            let name = parts.next().unwrap_or_default();
            let Some(balancer) = balancers.iter().find(|balancer| balancer.name == name) else {
                let known: Vec<String> = balancers.iter().map(|balancer| balancer.name.clone()).collect();
                let at = Placed { value: String::new(), place: at.place.clone(), path: at.path.clone() };
                self.no_such("x-elbv2", "load balancer", &at, name, known.iter());
                continue;
            };
            *value = match parts.next().map(|target| target.replace("::", ":")) {
                // An ARN ends in it.
                None if balancer.existing.is_some() => {
                    json!({ "Fn::Select": [1, { "Fn::Split": [":loadbalancer/", { "Ref": format!("{}Arn", balancer.id) }] }] })
                }
                None => json!({ "Fn::GetAtt": [balancer.id, "LoadBalancerFullName"] }),
                Some(target) => {
                    let fits = |group: &&super::TargetGroup| {
                        group.name == target
                            || group.members.iter().any(|member| {
                                let (family, container, port) = (&member.family, &member.container, member.port);
                                target == format!("{family}:{port}") || target == format!("{family}:{container}:{port}")
                            })
                    };
                    let Some(group) = balancer.targets.iter().find(fits) else {
                        let known: Vec<String> = balancer.targets.iter().map(|target| target.name.clone()).collect();
                        let at = Placed { value: String::new(), place: at.place.clone(), path: at.path.clone() };
                        self.no_such(&format!("x-elbv2.{name}"), "target", &at, &target, known.iter());
                        continue;
                    };
                    json!({ "Fn::GetAtt": [group.id, "TargetGroupFullName"] })
                }
            };
        }
    }

    /// `ALARM(one) AND NOT OK(other)`: the names between brackets are those of the files.
    fn rule(&mut self, expression: &Placed<String>) -> Option<Vec<RulePart>> {
        let extensions = self.extensions;
        let mut parts = Vec::new();
        let mut rest = expression.value.as_str();
        let mut found = false;
        while let Some(open) = rest.find('(') {
            let (before, after) = rest.split_at(open + 1);
            let word: String = before[..open].chars().rev().take_while(|c| c.is_ascii_alphabetic() || *c == '_').collect();
            let word: String = word.chars().rev().collect::<String>().to_uppercase();
            rest = after;
            if !STATES.contains(&word.as_str()) {
                parts.push(RulePart::Text(before.to_owned()));
                continue;
            }
            let Some(close) = after.find(')') else { break };
            let name = after[..close].trim().trim_matches(['"', '\'']);
            rest = &after[close..];
            if name.starts_with("arn:") {
                parts.push(RulePart::Text(format!("{before}\"{name}\"")));
                found = true;
                continue;
            }
            if !extensions.alarms.contains_key(name) {
                self.no_such("x-alarms", "alarm", expression, name, extensions.alarms.keys());
                return None;
            }
            parts.push(RulePart::Text(format!("{before}\"")));
            parts.push(RulePart::Alarm(alarm_id(name)));
            parts.push(RulePart::Text("\"".to_owned()));
            found = true;
        }
        parts.push(RulePart::Text(rest.to_owned()));
        let open = expression.value.matches('(').count();
        if !found || open != expression.value.matches(')').count() {
            let message = format!("\"{}\" asks no alarm", expression.value);
            self.error_at(Code::ALARM, expression, message).help = Some("write ALARM(one) AND ALARM(other)".to_owned());
            return None;
        }
        Some(parts)
    }

    /// The topics that hear of an alarm, and of its end.
    fn heard(&mut self, uses: &[TopicUse]) -> (Vec<String>, Vec<String>) {
        let (mut on_alarm, mut on_ok) = (Vec::new(), Vec::new());
        for used in uses {
            let Some(key) = self.topic(&used.topic) else { continue };
            if used.on_alarm && !on_alarm.contains(&key) {
                on_alarm.push(key.clone());
            }
            if used.on_ok && !on_ok.contains(&key) {
                on_ok.push(key);
            }
        }
        (on_alarm, on_ok)
    }

    /// Notes a topic as one that the stack needs, and gives its key.
    pub(super) fn topic(&mut self, named: &TopicRef) -> Option<String> {
        let extensions = self.extensions;
        let name = match named {
            TopicRef::Arn(arn) => {
                if !arn.value.contains(":sns:") {
                    let message = format!("{} is not the ARN of a topic", arn.value);
                    self.error_at(Code::ALARM, arn, message).help = Some("it starts with arn:aws:sns:".to_owned());
                    return None;
                }
                let source = TopicSource::Existing(Lookup::Id(Text::from(&arn.value)));
                let name = arn.value.rsplit(':').next().unwrap_or_default();
                self.topics.insert(arn.value.clone(), Topic { id: topic_id(name), source });
                return Some(arn.value.clone());
            }
            TopicRef::Named(name) => name,
        };
        let key = name.value.strip_prefix("x-sns::").unwrap_or(&name.value);
        let Some(topic) = extensions.topics.get(key) else {
            let help = nearest(key, extensions.topics.keys().map(String::as_str));
            let known = extensions.topics.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let help = match help {
                Some(near) => format!("did you mean {near}?"),
                None if known.is_empty() => "add it to x-sns at the top, or write its ARN".to_owned(),
                None => format!("x-sns has {known}"),
            };
            self.error_at(Code::UNDEFINED_REFERENCE, name, format!("there is no topic {key} in x-sns")).help = Some(help);
            return None;
        };
        let source = match topic {
            extensions::Topic::Existing(wanted) => TopicSource::Existing(standing::looked_up(wanted)),
            extensions::Topic::New(new) => TopicSource::New(new.clone()),
        };
        self.topics.insert(key.to_owned(), Topic { id: topic_id(key), source });
        Some(key.to_owned())
    }
}

fn alarm_id(name: &str) -> String {
    let id = logical(name);
    if id.ends_with("Alarm") { id } else { format!("{id}Alarm") }
}

fn topic_id(name: &str) -> String {
    let id = logical(name);
    if id.ends_with("Topic") { id } else { format!("{id}Topic") }
}
