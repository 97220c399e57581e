//! What can be broken in a service level.

use model::definition::{Cel, Goal, OnReopen, ServiceLevel, Target};
use model::id::TargetId;

use super::Break;
use super::break_workflow::{path, twice};

/// Every way in which a service level is broken, one thing at a time.
pub(super) fn breaks_of_level(level: &ServiceLevel) -> Vec<Break<ServiceLevel>> {
    let mut breaker = Breaker {
        level,
        breaks: Vec::new(),
    };
    for (table, it) in &level.tables {
        for row in it.rows.keys() {
            let at = path(&["tables", table.as_str(), "rows", row.as_str()]);
            breaker.add("row removed", at, |it| {
                it.tables.get_mut(table)?.rows.shift_remove(row).map(drop)
            });
        }
    }
    for (id, target) in &level.targets {
        breaker.target(id, target);
    }
    breaker.breaks
}

struct Breaker<'l> {
    level: &'l ServiceLevel,
    breaks: Vec<Break<ServiceLevel>>,
}

impl Breaker<'_> {
    fn add(
        &mut self,
        kind: &'static str,
        path: Vec<String>,
        change: impl FnOnce(&mut ServiceLevel) -> Option<()>,
    ) {
        let mut definition = self.level.clone();
        // What cannot be changed is no break.
        if change(&mut definition).is_some() && definition != *self.level {
            self.breaks.push(Break {
                kind,
                path,
                definition,
            });
        }
    }

    fn target(&mut self, id: &TargetId, target: &Target) {
        let below = |more: &[&str]| path(&[&["targets", id.as_str()], more].concat());
        let never = || Cel("false".to_owned());
        self.add("clock never started", below(&["start"]), |it| {
            it.targets.get_mut(id)?.start = never();
            Some(())
        });
        self.add("clock never paused", below(&["pause"]), |it| {
            it.targets.get_mut(id)?.pause = None;
            Some(())
        });
        self.add("clock never stopped", below(&["stop"]), |it| {
            it.targets.get_mut(id)?.stop = never();
            Some(())
        });
        self.add("clock not taken up again", below(&["reopened"]), |it| {
            it.targets.get_mut(id)?.reopened = OnReopen::Ignore;
            Some(())
        });
        self.add("goal changed", below(&["goal"]), |it| {
            let goal = &mut it.targets.get_mut(id)?.goal;
            *goal = changed(goal)?;
            Some(())
        });
        if let Goal::Plugin { .. } = &target.goal {
            self.add("goal set by no plugin", below(&["goal"]), |it| {
                let goal = &mut it.targets.get_mut(id)?.goal;
                if let Goal::Plugin { fallback, .. } = goal {
                    *goal = (**fallback).clone();
                }
                Some(())
            });
        }
        for warning in target.warnings.keys() {
            let at = below(&["warnings", warning.as_str()]);
            self.add("warning removed", at, |it| {
                let target = it.targets.get_mut(id)?;
                target.warnings.shift_remove(warning).map(drop)
            });
        }
        let Some(breach) = &target.breach else { return };
        self.add(
            "breach takes no transition",
            below(&["breach", "do"]),
            |it| {
                it.targets.get_mut(id)?.breach.as_mut()?.transition = None;
                Some(())
            },
        );
        for effect in breach.effects.keys() {
            let at = below(&["breach", "effects", effect.as_str()]);
            self.add("effect removed", at, |it| {
                let breach = it.targets.get_mut(id)?.breach.as_mut()?;
                breach.effects.shift_remove(effect).map(drop)
            });
        }
    }
}

/// A goal twice as far; of a plugin's, its fallback. A table's goals are those of its rows.
fn changed(goal: &Goal) -> Option<Goal> {
    Some(match goal {
        Goal::Table(_) => return None,
        Goal::Business(period) => Goal::Business(twice(*period)),
        Goal::Time(period) => Goal::Time(twice(*period)),
        Goal::Plugin { binding, fallback } => Goal::Plugin {
            binding: binding.clone(),
            fallback: Box::new(changed(fallback)?),
        },
    })
}
