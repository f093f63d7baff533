//! `x-scaling`: how many tasks run, by load and by the clock.

use super::reader::{Item, Key, Reader};
use crate::base::Place;

/// `x-scaling`.
#[derive(Debug, Clone)]
pub struct Scaling {
    pub place: Place,
    pub path: String,
    pub minimum: u32,
    pub maximum: u32,
    pub cpu: Option<u32>,
    pub memory: Option<u32>,
    pub scale_in_cooldown: Option<u32>,
    pub scale_out_cooldown: Option<u32>,
    pub disable_scale_in: bool,
    pub schedule: Vec<ScheduledAction>,
}

#[derive(Debug, Clone)]
pub struct ScheduledAction {
    pub name: Option<String>,
    /// The service's name stands before its own.
    pub name_service: bool,
    pub schedule: String,
    pub timezone: Option<String>,
    pub start: Option<String>,
    pub end: Option<String>,
    pub minimum: Option<u32>,
    pub maximum: Option<u32>,
}

impl Reader<'_> {
    pub(super) fn scaling(&mut self, item: &Item<'_>) -> Option<Scaling> {
        let keys: &[Key] = &[
            &["Range", "range"],
            &["TargetScaling", "target_scaling", "target_tracking"],
            &["ScheduledActions", "scheduled_actions", "schedule"],
            &["AllowZero", "allow_zero"],
        ];
        let fields = self.fields(item, keys, &[])?;
        let target_keys: &[Key] = &[
            &["MemoryTarget", "memory_target", "RamTarget", "ram_target"],
            &["CpuTarget", "cpu_target"],
            &["ScaleInCooldown", "scale_in_cooldown"],
            &["ScaleOutCooldown", "scale_out_cooldown"],
            &["DisableScaleIn", "disable_scale_in"],
            // In 2020 the range stood here.
            &["Range", "range"],
            &["AllowZero", "allow_zero"],
        ];
        let target = match fields.get("TargetScaling") {
            Some(target) => Some(self.fields(target, target_keys, &[])?),
            None => None,
        };
        let inner = |key: &str| target.as_ref().and_then(|fields| fields.get(key));
        let Some(range) = fields.get("Range").or_else(|| inner("Range")) else {
            self.wrong(item, "scaling has no range", "add Range with the least and the most tasks, for example \"1-3\"");
            return None;
        };
        let (minimum, maximum) = self.range(range)?;
        // In 2020 the least was 0 where this said so, whatever the range.
        let zero = fields.get("AllowZero").or_else(|| inner("AllowZero")).and_then(|item| self.flag(item));
        let minimum = if zero.is_some_and(|flag| flag.value) { 0 } else { minimum };
        let mut percent = |key: &str| inner(key).and_then(|item| self.number(item, 1..=100)).map(|number| number.value);
        let (cpu, memory) = (percent("CpuTarget"), percent("MemoryTarget"));
        let mut seconds = |key: &str| inner(key).and_then(|item| self.number(item, 0..=86_400)).map(|number| number.value);
        let (scale_in_cooldown, scale_out_cooldown) = (seconds("ScaleInCooldown"), seconds("ScaleOutCooldown"));
        let disable_scale_in = inner("DisableScaleIn").and_then(|item| self.flag(item)).is_some_and(|flag| flag.value);
        let mut schedule = Vec::new();
        for action in fields.get("ScheduledActions").map(|list| self.items(list)).unwrap_or_default() {
            schedule.extend(self.scheduled(&action));
        }
        Some(Scaling {
            place: self.place(range),
            path: range.path.clone(),
            minimum,
            maximum,
            cpu,
            memory,
            scale_in_cooldown,
            scale_out_cooldown,
            disable_scale_in,
            schedule,
        })
    }

    /// `1-3`.
    fn range(&mut self, item: &Item<'_>) -> Option<(u32, u32)> {
        let text = self.word(item)?.value;
        let ends = text.split_once('-').map(|(least, most)| (least.trim().parse::<u32>(), most.trim().parse::<u32>()));
        let Some((Ok(least), Ok(most))) = ends else {
            self.wrong(item, format!("\"{text}\" is not a range"), "write the least and the most tasks, for example \"1-3\"");
            return None;
        };
        if least > most {
            self.wrong(item, format!("the range {text} runs backwards"), format!("write \"{most}-{least}\""));
            return None;
        }
        Some((least, most))
    }

    fn scheduled(&mut self, item: &Item<'_>) -> Option<ScheduledAction> {
        let keys: &[Key] = &[
            &["ScheduledActionName"],
            &["Schedule"],
            &["Timezone"],
            &["StartTime"],
            &["EndTime"],
            &["ScalableTargetAction"],
            &["MacroParameters"],
        ];
        let fields = self.fields(item, keys, &[])?;
        let (Some(schedule), Some(action)) = (fields.get("Schedule"), fields.get("ScalableTargetAction")) else {
            self.wrong(item, "the scheduled action lacks Schedule or ScalableTargetAction", "both are needed");
            return None;
        };
        let written = self.word(schedule)?.value;
        if !is_schedule(&written) {
            let help = "cron(minute hour day month weekday year), rate(5 minutes), or at(2026-12-24T18:00:00)";
            self.wrong(schedule, format!("\"{written}\" is no schedule"), help);
            return None;
        }
        let range = self.fields(action, &[&["MinCapacity"], &["MaxCapacity"]], &[])?;
        let mut number = |key: &str| range.get(key).and_then(|item| self.number(item, 0..=100_000)).map(|number| number.value);
        let (minimum, maximum) = (number("MinCapacity"), number("MaxCapacity"));
        match (minimum, maximum) {
            (None, None) => {
                self.wrong(action, "the scheduled action changes nothing", "add MinCapacity, MaxCapacity, or both");
                return None;
            }
            (Some(least), Some(most)) if least > most => {
                self.wrong(action, format!("MinCapacity {least} is over MaxCapacity {most}"), "exchange the two");
                return None;
            }
            _ => {}
        }
        let mut name_service = false;
        if let Some(item) = fields.get("MacroParameters") {
            let fields = self.fields(item, &[&["AddServiceName"]], &["AddRandomId"])?;
            name_service = fields.get("AddServiceName").and_then(|item| self.flag(item)).is_some_and(|flag| flag.value);
        }
        let mut text = |key: &str| fields.get(key).and_then(|item| self.word(item)).map(|text| text.value);
        let [name, timezone, start, end] = ["ScheduledActionName", "Timezone", "StartTime", "EndTime"].map(&mut text);
        Some(ScheduledAction { name, name_service, schedule: written, timezone, start, end, minimum, maximum })
    }
}

/// The three forms that Application Auto Scaling knows.
fn is_schedule(text: &str) -> bool {
    let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(cron) = inner("cron") {
        return cron.split_whitespace().count() == 6;
    }
    if let Some(rate) = inner("rate") {
        let words: Vec<&str> = rate.split_whitespace().collect();
        let units = ["minute", "minutes", "hour", "hours", "day", "days"];
        return matches!(words[..], [count, unit] if count.parse::<u32>().is_ok_and(|count| count > 0) && units.contains(&unit));
    }
    inner("at").is_some_and(|time| time.len() == 19 && time.as_bytes()[10] == b'T')
}

#[cfg(test)]
mod tests {
    use super::is_schedule;

    #[test]
    fn schedules_have_one_of_three_forms() {
        for good in ["cron(45 2 ? * MON-FRI *)", "rate(1 hour)", "at(2026-12-24T18:00:00)"] {
            assert!(is_schedule(good), "{good}");
        }
        for bad in ["cron(45 2 ? * MON-FRI)", "rate(0 hours)", "rate(5 weeks)", "at(tomorrow)", "45 2 * * *", ""] {
            assert!(!is_schedule(bad), "{bad}");
        }
    }
}
