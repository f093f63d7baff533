//! `x-scaling`: how many tasks run, by load and by the clock.

use super::reader::{Item, Key, Placed, Reader};
use super::schedule;
use crate::base::{Code, Finding, Place};

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
    pub name: Option<Placed<String>>,
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
        for item in fields.get("ScheduledActions").map(|list| self.items(list)).unwrap_or_default() {
            let Some(action) = self.scheduled(&item) else { continue };
            // Of the two ends, the action leaves the one that it doesn't say.
            if let Some(least) = action.minimum.filter(|least| action.maximum.is_none() && *least > maximum) {
                let message = format!("MinCapacity {least} is over the most tasks of the range, {maximum}");
                self.wrong(&item, message, "add MaxCapacity, or widen the Range");
            }
            if let Some(most) = action.maximum.filter(|most| action.minimum.is_none() && *most < minimum) {
                let message = format!("MaxCapacity {most} is under the least tasks of the range, {minimum}");
                self.wrong(&item, message, "add MinCapacity, or widen the Range");
            }
            let named = |other: &ScheduledAction| {
                other.name.as_ref().zip(action.name.as_ref()).is_some_and(|(one, other)| one.value == other.value)
            };
            if let Some(name) = action.name.as_ref().filter(|_| schedule.iter().any(named)) {
                let finding = Finding::error(Code::WRONG_EXTENSION, format!("two actions are called {}", name.value));
                let finding = finding.at(name.place.clone()).path(&name.path);
                self.findings.push(finding.help("give each a ScheduledActionName of its own"));
            }
            schedule.push(action);
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
        if let Some(help) = schedule::fault(&written) {
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
        let name = fields.get("ScheduledActionName").and_then(|item| self.action_name(item));
        let timezone = fields.get("Timezone").and_then(|item| self.timezone(item));
        let [start, end] = ["StartTime", "EndTime"].map(|key| {
            let item = fields.get(key)?;
            let time = self.word(item)?.value;
            if !schedule::is_time(&time) {
                self.wrong(item, format!("\"{time}\" is no time"), "write it as 2026-12-24T18:00:00Z");
            }
            Some(time)
        });
        if let (Some(from), Some(to), Some(item)) = (&start, &end, fields.get("EndTime"))
            && from >= to
        {
            self.wrong(item, "the action ends before it starts", "exchange StartTime and EndTime");
        }
        Some(ScheduledAction { name, name_service, schedule: written, timezone, start, end, minimum, maximum })
    }

    fn action_name(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        let name = self.word(item)?;
        let refused = |c: char| c.is_control() || [':', '/', '|'].contains(&c);
        if name.value.len() > 256 || name.value.contains(refused) || name.value.trim() != name.value {
            let message = format!("\"{}\" can't be the name of a scheduled action", name.value);
            self.wrong(item, message, "at most 256 characters without : / and |, and no blank at the ends");
        }
        Some(name)
    }

    fn timezone(&mut self, item: &Item<'_>) -> Option<String> {
        let zone = self.word(item)?.value;
        if !schedule::is_timezone(&zone) {
            let help = match crate::base::nearest(&zone, schedule::timezones()) {
                Some(near) => format!("did you mean {near}?"),
                None => "a name of the IANA database, as in Europe/London".to_owned(),
            };
            self.wrong(item, format!("there is no time zone \"{zone}\""), help);
        }
        Some(zone)
    }
}
