//! What CloudWatch takes as the properties of an alarm, in CloudFormation's own words: names, kinds, what belongs together.

use super::reader::{Fields, Item, Key, Reader};

const COMPOSITE: &[Key] = &[
    &["AlarmRule"],
    &["AlarmName"],
    &["AlarmDescription"],
    &["ActionsEnabled"],
    &["ActionsSuppressor"],
    &["ActionsSuppressorExtensionPeriod"],
    &["ActionsSuppressorWaitPeriod"],
    &["InsufficientDataActions"],
];

const METRIC: &[Key] = &[
    &["ActionsEnabled"],
    &["AlarmDescription"],
    &["AlarmName"],
    &["ComparisonOperator"],
    &["DatapointsToAlarm"],
    &["Dimensions"],
    &["EvaluateLowSampleCountPercentile"],
    &["EvaluationPeriods"],
    &["ExtendedStatistic"],
    &["InsufficientDataActions"],
    &["MetricName"],
    &["Metrics"],
    &["Namespace"],
    &["Period"],
    &["Statistic"],
    &["Threshold"],
    &["ThresholdMetricId"],
    &["TreatMissingData"],
    &["Unit"],
];

const OPERATORS: [&str; 7] = [
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
];
const STATISTICS: [&str; 5] = ["Average", "Maximum", "Minimum", "SampleCount", "Sum"];
const MISSING: [&str; 4] = ["breaching", "ignore", "missing", "notBreaching"];
/// What belongs to a metric that is named, and not to an expression over several.
const OF_ONE: [&str; 6] = ["MetricName", "Namespace", "Period", "Statistic", "ExtendedStatistic", "Dimensions"];

const DAY: u64 = 86_400;
const HOUR: u64 = 3_600;

impl Reader<'_> {
    /// The properties of an alarm; those that come from elsewhere are looked at before.
    pub(super) fn alarm_properties(&mut self, item: &Item<'_>, composite: bool) {
        let ours: &[Key] = &[&["AlarmActions"], &["OKActions"], &["Tags"]];
        let keys = if composite { COMPOSITE } else { METRIC };
        let Some(fields) = self.fields(item, &[keys, ours].concat(), &[]) else { return };
        if composite {
            return;
        }
        let mut missing: Vec<&str> =
            ["ComparisonOperator", "EvaluationPeriods"].into_iter().filter(|key| fields.get(key).is_none()).collect();
        if fields.get("Metrics").is_some() {
            for item in OF_ONE.iter().filter_map(|key| fields.get(key)) {
                self.wrong(item, "it says of one metric what Metrics says of each", "leave it out");
            }
        } else {
            missing.extend(["MetricName", "Namespace", "Period"].into_iter().filter(|key| fields.get(key).is_none()));
            if fields.get("Statistic").is_none() && fields.get("ExtendedStatistic").is_none() {
                missing.push("Statistic");
            }
        }
        if fields.get("Threshold").is_none() && fields.get("ThresholdMetricId").is_none() {
            missing.push("Threshold");
        }
        if !missing.is_empty() {
            self.wrong(item, format!("the alarm lacks {}", missing.join(", ")), "CloudWatch needs each of them");
        }
        self.alarm_words(&fields);
        self.alarm_times(&fields);
    }

    fn alarm_words(&mut self, fields: &Fields<'_>) {
        let words: [(&str, &[&'static str]); 3] =
            [("ComparisonOperator", &OPERATORS), ("Statistic", &STATISTICS), ("TreatMissingData", &MISSING)];
        for (key, known) in words {
            if let Some(item) = fields.get(key).filter(|item| item.node.as_map().is_none())
                && let Some(word) = self.choice(item, known)
                // CloudWatch looks at the case too.
                && item.node.written().as_deref() != Some(word.value)
            {
                self.wrong(item, format!("{key} is written {}", word.value), "CloudWatch looks at capitals");
            }
        }
        if let Some(item) = fields.get("Threshold").filter(|item| item.node.as_map().is_none())
            && item.node.written().is_none_or(|text| text.parse::<f64>().is_err())
        {
            self.wrong(item, format!("{} where a number is wanted", item.node.found()), "write the number alone");
        }
        for dimension in fields.get("Dimensions").map(|list| self.items(list)).unwrap_or_default() {
            let Some(fields) = self.fields(&dimension, &[&["Name"], &["Value"]], &[]) else { continue };
            if fields.get("Name").is_none() || fields.get("Value").is_none() {
                self.wrong(&dimension, "the dimension lacks Name or Value", "both are needed");
            }
        }
    }

    fn alarm_times(&mut self, fields: &Fields<'_>) {
        let mut number = |key: &str, most: u32| {
            let item = fields.get(key).filter(|item| item.node.as_map().is_none())?;
            self.number(item, 1..=most).map(|number| number.value)
        };
        let (period, evaluations) = (number("Period", 604_800), number("EvaluationPeriods", 100_800));
        let datapoints = number("DatapointsToAlarm", 100_800);
        if let Some(item) = fields.get("Period")
            && period.is_some_and(|period| !matches!(period, 10 | 20 | 30) && period % 60 != 0)
        {
            self.wrong(item, "CloudWatch has no such period", "10, 20, 30, or a multiple of 60 seconds");
        }
        if let (Some(item), Some(message)) = (fields.get("Period"), too_long(period.unwrap_or(60), evaluations.unwrap_or(1))) {
            self.wrong(item, message, "shorten Period or EvaluationPeriods");
        }
        if let (Some(item), Some(datapoints), Some(evaluations)) = (fields.get("DatapointsToAlarm"), datapoints, evaluations)
            && datapoints > evaluations
        {
            self.wrong(
                item,
                format!("{datapoints} of {evaluations} datapoints can't be over the threshold"),
                "at most EvaluationPeriods",
            );
        }
    }
}

/// An alarm looks back a day at most, and a week where its periods are hours.
pub(super) fn too_long(period: u32, evaluations: u32) -> Option<String> {
    let (period, evaluations) = (u64::from(period), u64::from(evaluations));
    let most = if period >= HOUR { 7 * DAY } else { DAY };
    (period * evaluations > most)
        .then(|| format!("{evaluations} periods of {period} s are more than the {most} s that an alarm looks back"))
}
