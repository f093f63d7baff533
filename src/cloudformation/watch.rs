//! Alarms, and the topics that hear of them.

use serde_json::{Map, Value};

use super::balancer::arn_of;
use super::resource::{
    self, CompositeAlarm, Dimension, MetricAlarm, Properties, ScalingPolicy, StepAdjustment, Subscription, Tag, Topic,
};
use super::{Builder, Expression, Parameter, ParameterType, written};
use crate::stack::{Alarm, AlarmKind, Need, NewTopic, RulePart, ServiceMetric, StepScaling, Text, TopicSource};

impl Builder<'_> {
    pub(super) fn topics(&mut self) {
        let stack = self.stack;
        for topic in stack.topics.values() {
            if let TopicSource::New(new) = &topic.source {
                let resource = self.new_topic(new);
                self.add(&topic.id, Properties::Topic(resource));
            }
        }
    }

    fn new_topic(&mut self, new: &NewTopic) -> Topic {
        let mut tags = self.tags(None);
        tags.retain(|tag| !new.tags.iter().any(|(key, _)| *key == tag.key));
        let own = new.tags.iter().map(|(key, value)| Tag { key: key.clone(), value: Text::from(&value.value).into() });
        tags.extend(own);
        tags.sort_by(|one, other| one.key.cmp(&other.key));
        Topic {
            content_based_deduplication: new.deduplication.then_some(true),
            display_name: new.display_name.clone(),
            fifo_topic: new.fifo.then_some(true),
            kms_master_key_id: new.key.as_ref().map(|key| Text::from(&key.value).into()),
            subscription: new
                .subscriptions
                .iter()
                .map(|(protocol, endpoint)| Subscription { endpoint: Text::from(endpoint).into(), protocol: protocol.clone() })
                .collect(),
            tags,
            topic_name: new.name.clone(),
        }
    }

    pub(super) fn topic_arns(&mut self, keys: &[String]) -> Vec<Expression> {
        let stack = self.stack;
        let topics = keys.iter().filter_map(|key| stack.topics.get(key));
        topics
            .map(|topic| match &topic.source {
                TopicSource::New(_) => Expression::reference(&topic.id),
                TopicSource::Existing(lookup) => self.parameter(&format!("{}Arn", topic.id), || Parameter {
                    kind: ParameterType::String,
                    description: format!("ARN of the topic {}", lookup.words()),
                    default: arn_of(lookup),
                    need: Need::Topic(lookup.clone()),
                }),
            })
            .collect()
    }

    pub(super) fn alarm(&mut self, alarm: &Alarm) {
        let (mut alarm_actions, mut ok_actions) = (self.topic_arns(&alarm.on_alarm), self.topic_arns(&alarm.on_ok));
        for scaling in &alarm.scales {
            let [out, back] = self.steps(&alarm.id, scaling);
            alarm_actions.push(Expression::reference(out));
            ok_actions.push(Expression::reference(back));
        }
        let tags = self.tags(None);
        let properties = match &alarm.kind {
            AlarmKind::Service(metric) => Properties::MetricAlarm(Box::new(MetricAlarm {
                alarm_actions,
                alarm_description: alarm.description.clone(),
                comparison_operator: "GreaterThanOrEqualToThreshold",
                datapoints_to_alarm: metric.datapoints,
                dimensions: self.service_dimensions(&metric.family),
                evaluation_periods: metric.evaluation_periods,
                metric_name: metric.metric,
                namespace: metric.namespace,
                ok_actions,
                period: metric.period,
                statistic: metric.statistic,
                tags,
                threshold: metric.threshold,
                // A service without tasks is not busy.
                treat_missing_data: ServiceMetric::MISSING,
            })),
            AlarmKind::Written { properties, family } => {
                let mut map: Map<String, Value> = properties.iter().map(|(key, value)| (key.clone(), written(value))).collect();
                if let Some(family) = family {
                    let dimensions = self.service_dimensions(family);
                    map.insert("Dimensions".to_owned(), serde_json::to_value(dimensions).unwrap_or_default());
                }
                map.entry("AlarmDescription").or_insert_with(|| alarm.description.clone().into());
                for (key, arns) in [("AlarmActions", &alarm_actions), ("OKActions", &ok_actions)] {
                    map.insert(key.to_owned(), serde_json::to_value(arns).unwrap_or_default());
                }
                map.insert("Tags".to_owned(), serde_json::to_value(tags).unwrap_or_default());
                Properties::WrittenAlarm(map)
            }
            AlarmKind::Composite { rule, properties } => {
                let text: String = rule
                    .iter()
                    .map(|part| match part {
                        RulePart::Text(text) => text.clone(),
                        RulePart::Alarm(id) => format!("${{{id}.Arn}}"),
                    })
                    .collect();
                let mut others = properties.clone();
                others.remove("AlarmDescription");
                Properties::CompositeAlarm(CompositeAlarm {
                    alarm_actions,
                    alarm_description: alarm.description.clone(),
                    alarm_rule: Expression::sub(text),
                    ok_actions,
                    tags,
                    written: others.iter().map(|(key, value)| (key.clone(), written(value))).collect(),
                })
            }
        };
        self.add(&alarm.id, properties);
    }

    /// The policies of a family that follows an alarm: up by steps, and back to the least, which no number is below.
    fn steps(&mut self, alarm: &str, scaling: &StepScaling) -> [String; 2] {
        let family = self.stack.family(&scaling.family).map_or("", |family| family.id.as_str()).to_owned();
        let start = format!("{family}{}", alarm.strip_suffix("Alarm").unwrap_or(alarm));
        let up = scaling.steps.iter().map(|step| StepAdjustment {
            metric_interval_lower_bound: Some(step.lower),
            metric_interval_upper_bound: step.upper,
            scaling_adjustment: step.count,
        });
        let down =
            StepAdjustment { metric_interval_lower_bound: None, metric_interval_upper_bound: Some(0), scaling_adjustment: 0 };
        let policies =
            [("ScaleOut", up.collect(), scaling.scale_out_cooldown), ("ScaleIn", vec![down], scaling.scale_in_cooldown)];
        policies.map(|(direction, step_adjustments, cooldown)| {
            let id = format!("{start}{direction}");
            let policy = ScalingPolicy {
                policy_name: id.clone(),
                policy_type: "StepScaling",
                scaling_target_id: Expression::reference(format!("{family}ScalableTarget")),
                step_scaling_policy_configuration: Some(resource::StepScaling {
                    adjustment_type: "ExactCapacity",
                    cooldown,
                    step_adjustments,
                }),
                target_tracking_scaling_policy_configuration: None,
            };
            self.add(&id, Properties::ScalingPolicy(policy));
            id
        })
    }

    /// The dimensions by which a service's metrics are found.
    fn service_dimensions(&mut self, family: &str) -> Vec<Dimension> {
        let cluster = self.cluster_name();
        let Some(family) = self.stack.family(family) else { return Vec::new() };
        let service = Expression::attribute(format!("{}Service", family.id), "Name");
        vec![Dimension { name: "ClusterName", value: cluster }, Dimension { name: "ServiceName", value: service }]
    }
}
