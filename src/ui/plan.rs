//! What a deploy would do, the gravest first, with a last line that counts.

use std::fmt::Write as _;

use super::{Ui, words};
use crate::base::Operation;
use crate::deploy::{Effect, Plan, Planned};

impl Ui {
    /// Shows a plan on stderr: what is asked about next.
    pub fn plan(&mut self, plan: &Plan) {
        let mut text = String::new();
        let what = if plan.operation == Operation::Create { "new stack" } else { "changes to" };
        let _ = writeln!(text, "{what} {}", self.style.strong(&plan.stack));
        let mut heading = None;
        for planned in &plan.changes {
            if heading != Some(planned.effect) {
                heading = Some(planned.effect);
                let _ = writeln!(text, "  {}", self.effect(planned.effect));
            }
            let _ = writeln!(text, "    {}", change(planned));
        }
        let counts: Vec<String> =
            plan.counts().into_iter().map(|(effect, count)| format!("{count} {}", counted(effect))).collect();
        let _ = writeln!(text, "{}", if counts.is_empty() { "no resource changes".to_owned() } else { counts.join(", ") });
        self.note(text.trim_end());
    }

    fn effect(&self, effect: Effect) -> String {
        match effect {
            Effect::Removes => self.style.bad("- removed"),
            Effect::Replaces => self.style.bad("± replaced: the old one goes when the new one is there"),
            Effect::MayReplace => self.style.doubtful("± perhaps replaced"),
            Effect::RestartsTasks => self.style.doubtful("↻ tasks restart"),
            Effect::Creates => self.style.strong("+ new"),
            Effect::InPlace => self.style.strong("~ changed in place"),
            Effect::Unnoticed => self.style.quiet("· nothing that runs notices"),
        }
    }
}

fn change(planned: &Planned) -> String {
    let name = words::resource(&planned.change.logical);
    let because =
        if planned.change.because.is_empty() { String::new() } else { format!("  ({})", planned.change.because.join(", ")) };
    format!("{name}{because}")
}

fn counted(effect: Effect) -> &'static str {
    match effect {
        Effect::Removes => "removed",
        Effect::Replaces => "replaced",
        Effect::MayReplace => "perhaps replaced",
        Effect::RestartsTasks => "with a restart of tasks",
        Effect::Creates => "new",
        Effect::InPlace => "in place",
        Effect::Unnoticed => "unnoticed",
    }
}
