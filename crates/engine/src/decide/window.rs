//! The change calendar: where a record stands in it, and what its window meets as it is planned.

use model::definition::Category;
use model::event::Event;
use model::id::FieldId;
use model::record::PlannedWindow;

use super::Step;
use crate::rejection::InputFault;
use crate::window::{self, NoWindow, Rules};

impl Step<'_> {
    /// Notes how the entry left the record in the change calendar, with what its window meets.
    pub(super) fn look_at_window(&mut self) {
        let planned = self.planned_window();
        if planned == self.record.window {
            return;
        }
        let (mut freezes, mut outside, mut conflicts) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(window) = &planned {
            let input = self.input;
            let rules = Rules::of(
                input.definitions,
                input.workflow,
                &window.affects,
                self.ledger,
            );
            freezes = rules.freezes(window);
            outside = rules.outside(window);
            let met = window::conflicts(self.ledger, window, Some(&self.record.id));
            conflicts = met.iter().map(|met| met.record.id.clone()).collect();
        }
        self.emit(Event::WindowPlanned {
            window: planned,
            freezes,
            outside,
            conflicts,
        });
    }

    /// The window of the record, as far as it counts for others.
    fn planned_window(&mut self) -> Option<PlannedWindow> {
        let window = self.input.workflow.window.as_ref()?;
        let counts = match &window.condition {
            Some(condition) => self.holds(condition, || "window, while".to_owned()),
            None => matches!(self.record.category, Category::Open | Category::Waiting),
        };
        let told = window::told(self.input.workflow, &self.record);
        told.ok().filter(|_| counts)
    }

    /// What is wrong with the window that the record has come to, where one of these fields tells it. One
    /// that is computed is not there yet.
    pub(super) fn window_fault<'f>(
        &self,
        given: impl IntoIterator<Item = &'f FieldId>,
    ) -> Option<InputFault> {
        let window = self.input.workflow.window.as_ref()?;
        let tells = |field: &FieldId| *field == window.from || *field == window.to;
        let fields = [&window.from, &window.to].map(|field| &self.input.workflow.fields[field]);
        let is_computed = fields
            .iter()
            .any(|field| field.value.is_some() || field.decided_by.is_some());
        if is_computed || !given.into_iter().any(tells) {
            return None;
        }
        let message = match window::told(self.input.workflow, &self.record) {
            Err(NoWindow::NotInOrder) => format!("it is not after `{}`", window.from),
            Err(NoWindow::TooLong) => {
                format!("it is more than 366 days after `{}`", window.from)
            }
            _ => return None,
        };
        Some(InputFault::of(window.to.as_str(), message))
    }
}
