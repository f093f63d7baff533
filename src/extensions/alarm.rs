//! `x-alarms`: the predefined ones of a service, and those at the top in CloudFormation's own words.

use super::reader::{Item, Key, Placed, Reader};
use super::top::Wanted;

/// The alarms that ECS Compose-X has ready: a service that has its most tasks and is busy all the same.
pub(super) const PREDEFINED: [&str; 2] = ["HighCpuUsageAndMaxScaledOut", "HighRamUsageAndMaxScaledOut"];

/// One of [`PREDEFINED`] on a service.
#[derive(Debug, Clone)]
pub struct PredefinedAlarm {
    pub name: Placed<&'static str>,
    pub topics: Vec<TopicUse>,
    /// Percent of CPU or memory.
    pub threshold: Option<u32>,
    /// Tasks; else the most that scaling may start.
    pub tasks: Option<u32>,
    pub period: Option<u32>,
    pub evaluation_periods: Option<u32>,
    pub datapoints: Option<u32>,
}

/// An alarm at the top.
#[derive(Debug, Clone)]
pub struct Alarm {
    pub at: Placed<()>,
    pub kind: AlarmKind,
    pub topics: Vec<TopicUse>,
    /// The services that it scales.
    pub scaled: Vec<ScaledByAlarm>,
}

/// A service whose number of tasks follows an alarm: as many as the step says while it is on, the least when it is over.
#[derive(Debug, Clone)]
pub struct ScaledByAlarm {
    pub service: Placed<String>,
    pub steps: Vec<ScalingStep>,
    pub scale_in_cooldown: Option<u32>,
    pub scale_out_cooldown: Option<u32>,
}

/// So many tasks where the metric is this far over the alarm's threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScalingStep {
    pub lower: u32,
    /// Nothing: no end.
    pub upper: Option<u32>,
    pub count: u32,
}

#[derive(Debug, Clone)]
pub enum AlarmKind {
    /// CloudFormation's properties as written, and the service whose metric it is.
    Metric { properties: serde_json::Map<String, serde_json::Value>, service: Option<Placed<String>> },
    /// An expression over other alarms: `ALARM(one) AND ALARM(other)`.
    Composite { expression: Placed<String>, properties: serde_json::Map<String, serde_json::Value> },
}

/// Who hears of an alarm, and of what.
#[derive(Debug, Clone)]
pub struct TopicUse {
    pub topic: TopicRef,
    pub on_alarm: bool,
    pub on_ok: bool,
}

#[derive(Debug, Clone)]
pub enum TopicRef {
    Arn(Placed<String>),
    /// An entry of `x-sns`.
    Named(Placed<String>),
}

impl TopicRef {
    /// As what the account is asked for.
    pub fn wanted(arn: &Placed<String>) -> Wanted {
        Wanted::Ids(vec![arn.clone()])
    }
}

/// CloudFormation's properties of an alarm that come from elsewhere.
const OURS: [&str; 3] = ["AlarmActions", "OKActions", "Tags"];

impl Reader<'_> {
    /// `Predefined`, as a mapping by name or a list with `Name`.
    pub(super) fn predefined_alarms(&mut self, item: &Item<'_>) -> Vec<PredefinedAlarm> {
        let Some(fields) = self.fields(item, &[&["Predefined"]], &[]) else { return Vec::new() };
        let Some(predefined) = fields.get("Predefined") else { return Vec::new() };
        let mut alarms = Vec::new();
        if predefined.node.as_seq().is_some() {
            for entry in self.items(predefined) {
                let Some(fields) = self.fields(&entry, &[&["Name"], &["Topics"], &["Settings"]], &[]) else { continue };
                let Some(name) = fields.get("Name").cloned() else {
                    self.wrong(&entry, "the alarm has no name", format!("add Name: one of {}", PREDEFINED.join(", ")));
                    continue;
                };
                let Some(name) = self.choice(&name, &PREDEFINED) else { continue };
                alarms.extend(self.predefined(name, fields.get("Topics"), fields.get("Settings")));
            }
            return alarms;
        }
        for (written, entry) in self.entries(predefined).unwrap_or_default() {
            let name = Placed { value: written.to_owned(), place: self.key_place(&entry), path: entry.path.clone() };
            let Some(name) = self.known_alarm(&name) else { continue };
            let Some(fields) = self.fields(&entry, &[&["Topics"], &["Settings"]], &[]) else { continue };
            alarms.extend(self.predefined(name, fields.get("Topics"), fields.get("Settings")));
        }
        alarms
    }

    fn known_alarm(&mut self, name: &Placed<String>) -> Option<Placed<&'static str>> {
        if let Some(known) = PREDEFINED.into_iter().find(|known| *known == name.value) {
            return Some(Placed { value: known, place: name.place.clone(), path: name.path.clone() });
        }
        let help = match crate::base::nearest(&name.value, PREDEFINED) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known here: {}", PREDEFINED.join(", ")),
        };
        let finding = crate::base::Finding::error(
            crate::base::Code::UNKNOWN_EXTENSION,
            format!("there is no predefined alarm {}", name.value),
        );
        self.findings.push(finding.at(name.place.clone()).path(&name.path).help(help));
        None
    }

    fn predefined(
        &mut self,
        name: Placed<&'static str>,
        topics: Option<&Item<'_>>,
        settings: Option<&Item<'_>>,
    ) -> Option<PredefinedAlarm> {
        let topics = topics.map(|list| self.topic_uses(list)).unwrap_or_default();
        let metric = if name.value.starts_with("HighCpu") { "CPUUtilization" } else { "MemoryUtilization" };
        let mut alarm = PredefinedAlarm {
            name,
            topics,
            threshold: None,
            tasks: None,
            period: None,
            evaluation_periods: None,
            datapoints: None,
        };
        let Some(settings) = settings else { return Some(alarm) };
        let keys: &[Key] = if metric == "CPUUtilization" {
            &[&["CPUUtilization"], &["RunningTaskCount"], &["Period"], &["EvaluationPeriods"], &["DatapointsToAlarm"]]
        } else {
            &[&["MemoryUtilization"], &["RunningTaskCount"], &["Period"], &["EvaluationPeriods"], &["DatapointsToAlarm"]]
        };
        let fields = self.fields(settings, keys, &[])?;
        let mut number = |key: &str, range| fields.get(key).and_then(|item| self.number(item, range)).map(|number| number.value);
        alarm.threshold = number(metric, 1..=100);
        alarm.tasks = number("RunningTaskCount", 1..=100_000);
        alarm.period = number("Period", 10..=86_400);
        alarm.evaluation_periods = number("EvaluationPeriods", 1..=1440);
        alarm.datapoints = number("DatapointsToAlarm", 1..=1440);
        if let Some(item) = fields.get("Period").filter(|_| alarm.period.is_some_and(|period| period % 60 != 0)) {
            self.wrong(item, "ECS measures once a minute", "write a multiple of 60 seconds");
        }
        let (period, evaluations) = (alarm.period.unwrap_or(60), alarm.evaluation_periods.unwrap_or(1));
        if let Some(message) = super::metric::too_long(period, evaluations) {
            self.wrong(settings, message, "shorten Period or EvaluationPeriods");
        }
        Some(alarm)
    }

    /// An alarm at the top.
    pub(super) fn alarm(&mut self, item: &Item<'_>) -> Option<Alarm> {
        let fields = self.fields(item, &[&["Properties"], &["MacroParameters"], &["Topics"], &["Services"]], &["Settings"])?;
        let topics = fields.get("Topics").map(|list| self.topic_uses(list)).unwrap_or_default();
        let (mut expression, mut service) = (None, None);
        if let Some(short) = fields.get("MacroParameters") {
            let fields = self.fields(short, &[&["CompositeExpression"], &["ServiceName"]], &[])?;
            expression = fields.get("CompositeExpression").and_then(|item| self.word(item));
            service = fields.get("ServiceName").and_then(|item| self.word(item));
        }
        let mut properties = serde_json::Map::new();
        if let Some(written) = fields.get("Properties") {
            for (key, value) in self.entries(written)? {
                if OURS.contains(&key) {
                    self.wrong(&value, format!("{key} of an alarm come from Topics and x-tags"), "use Topics");
                } else {
                    properties.insert(key.to_owned(), super::json(value.node));
                }
            }
            let rule = properties.contains_key("AlarmRule") || expression.is_some();
            self.alarm_properties(written, rule);
        }
        if expression.is_none()
            && let Some(rule) = properties.remove("AlarmRule").as_ref().and_then(serde_json::Value::as_str)
        {
            expression = Some(self.placed(item, rule.to_owned()));
        }
        let kind = match expression {
            Some(expression) => AlarmKind::Composite { expression, properties },
            None if properties.is_empty() => {
                let help = "add Properties as CloudFormation has them, or MacroParameters.CompositeExpression";
                self.wrong(item, "the alarm watches nothing", help);
                return None;
            }
            None => AlarmKind::Metric { properties, service },
        };
        let scaled = fields.get("Services").map(|services| self.scaled_by_alarm(services)).unwrap_or_default();
        if let (Some(services), AlarmKind::Composite { .. }, false) = (fields.get("Services"), &kind, scaled.is_empty()) {
            let help = "put Services to one of the alarms that the expression asks";
            self.wrong(services, "a composite alarm can't scale a service", help);
        }
        if let (Some(services), AlarmKind::Metric { properties, .. }, false) = (fields.get("Services"), &kind, scaled.is_empty())
            && properties
                .get("ComparisonOperator")
                .and_then(serde_json::Value::as_str)
                .is_some_and(|it| it.starts_with("LessThan"))
        {
            let help = "turn the metric round, so that the alarm is on above its threshold";
            self.wrong(services, "the steps count up from the threshold, and the alarm is on below it", help);
        }
        Some(Alarm { at: Placed { value: (), place: self.key_place(item), path: item.path.clone() }, kind, topics, scaled })
    }

    /// `Services` of an alarm: by name, or once a list with `name`.
    fn scaled_by_alarm(&mut self, item: &Item<'_>) -> Vec<ScaledByAlarm> {
        let keys: &[Key] = &[&["Name", "name"], &["Access", "access"], &["Scaling", "scaling"]];
        let mut scaled = Vec::new();
        for (named, entry) in self.named(Some(item)) {
            let Some(fields) = self.fields(&entry, keys, &["ReturnValues"]) else { continue };
            let Some(service) = named.or_else(|| fields.get("Name").and_then(|item| self.word(item))) else {
                self.wrong(&entry, "the entry names no service", "add Name with a service of this project");
                continue;
            };
            let Some(scaling) = fields.get("Scaling") else {
                self.wrong(&entry, "the alarm does nothing to the service", "add Scaling with Steps");
                continue;
            };
            let keys: &[Key] = &[&["Steps", "steps"], &["ScaleInCooldown"], &["ScaleOutCooldown"]];
            let Some(fields) = self.fields(scaling, keys, &[]) else { continue };
            let mut seconds =
                |key: &str| fields.get(key).and_then(|item| self.number(item, 0..=86_400)).map(|number| number.value);
            let (scale_in_cooldown, scale_out_cooldown) = (seconds("ScaleInCooldown"), seconds("ScaleOutCooldown"));
            let steps = fields.get("Steps").map(|steps| self.scaling_steps(steps)).unwrap_or_default();
            if fields.get("Steps").is_none_or(|steps| steps.node.as_seq().is_some_and(<[_]>::is_empty)) {
                self.wrong(scaling, "the scaling has no steps", "add Steps, each with LowerBound and Count");
            }
            scaled.push(ScaledByAlarm { service, steps, scale_in_cooldown, scale_out_cooldown });
        }
        scaled
    }

    /// Steps that follow each other without a gap, as Application Auto Scaling takes them; the last has no end.
    fn scaling_steps(&mut self, item: &Item<'_>) -> Vec<ScalingStep> {
        let keys: &[Key] = &[&["LowerBound"], &["UpperBound"], &["Count"]];
        let mut steps: Vec<(ScalingStep, Item<'_>)> = Vec::new();
        for entry in self.items(item) {
            let Some(fields) = self.fields(&entry, keys, &[]) else { continue };
            let mut number =
                |key: &str| fields.get(key).and_then(|item| self.number(item, 0..=u32::MAX)).map(|number| number.value);
            let (lower, upper, count) = (number("LowerBound"), number("UpperBound"), number("Count"));
            let (Some(lower), Some(count)) = (lower, count) else {
                if fields.get("LowerBound").is_none() || fields.get("Count").is_none() {
                    self.wrong(&entry, "the step lacks LowerBound or Count", "both are needed");
                }
                continue;
            };
            if let Some(upper) = upper.filter(|upper| *upper <= lower) {
                self.wrong(&entry, format!("the step ends at {upper}, before it begins at {lower}"), "exchange the two bounds");
            }
            steps.push((ScalingStep { lower, upper, count }, entry));
        }
        steps.sort_by_key(|(step, _)| step.lower);
        for pair in steps.windows(2) {
            let [(before, _), (after, entry)] = pair else { continue };
            if before.upper != Some(after.lower) {
                let end = before.upper.map_or("nowhere".to_owned(), |upper| format!("at {upper}"));
                let message = format!("the step begins at {}, and the one before it ends {end}", after.lower);
                self.wrong(&entry.clone(), message, "let each step begin where the one before it ends");
            }
        }
        let mut steps: Vec<ScalingStep> = steps.into_iter().map(|(step, _)| step).collect();
        if let Some(last) = steps.last_mut() {
            last.upper = None;
        }
        steps
    }

    fn topic_uses(&mut self, item: &Item<'_>) -> Vec<TopicUse> {
        let mut uses = Vec::new();
        for entry in self.items(item) {
            if entry.node.as_map().is_none() {
                let topic = self.word(&entry).map(topic_ref);
                uses.extend(topic.map(|topic| TopicUse { topic, on_alarm: true, on_ok: false }));
                continue;
            }
            let Some(fields) = self.fields(&entry, &[&["TopicArn"], &["x-sns"], &["NotifyOn"]], &[]) else { continue };
            let topic = match (fields.get("TopicArn"), fields.get("x-sns")) {
                (Some(arn), _) => self.word(arn).map(TopicRef::Arn),
                (None, Some(name)) => self.word(name).map(TopicRef::Named),
                (None, None) => {
                    self.wrong(&entry, "the entry names no topic", "add TopicArn, or x-sns with an entry of x-sns");
                    continue;
                }
            };
            let (mut on_alarm, mut on_ok) = (true, false);
            let words = match fields.get("NotifyOn") {
                Some(item) if item.node.as_seq().is_some() => self.items(item),
                Some(item) => vec![item.clone()],
                None => Vec::new(),
            };
            if !words.is_empty() {
                on_alarm = false;
            }
            for word in words {
                match self.choice(&word, &["all", "alarm", "okay"]).map(|word| word.value) {
                    Some("all") => (on_alarm, on_ok) = (true, true),
                    Some("okay") => on_ok = true,
                    _ => on_alarm = true,
                }
            }
            uses.extend(topic.map(|topic| TopicUse { topic, on_alarm, on_ok }));
        }
        uses
    }
}

fn topic_ref(word: Placed<String>) -> TopicRef {
    if word.value.starts_with("arn:") { TopicRef::Arn(word) } else { TopicRef::Named(word) }
}
