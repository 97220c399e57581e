//! Lists: rows of one index, in order, held against what is remembered of each record, and then
//! against the record itself, which may have moved on since.

use std::ops::Bound;
use std::sync::Arc;

use engine::port::{ListQuery, Page, Sort, StoreError};
use model::id::{FieldId, RecordId, WorkflowId};
use model::record::Record;
use model::{Instant, Value};

use crate::bytes::{self, RecordKey, after_prefix};
use crate::contribution::{Contribution, Index, index_prefix, index_row};
use crate::open::RedbStore;
use crate::reads::read_record;
use crate::truth::{damaged, failed};
use crate::views::{MEMORY, ROWS};

const DOING: &str = "listing records";
/// A page has at most so many records.
const PAGE: usize = 1_000;
/// A call looks at no more rows than this; the next one goes on from there.
const SCAN: usize = 5_000;
/// [`Store::alike`](engine::port::Store::alike) looks at so many records, in steps of so many, and
/// finds so many.
const ALIKE_SCAN: usize = 2_000;
const ALIKE_STEP: usize = 200;
const ALIKE_FOUND: usize = 100;

/// A place in a list.
type Place = (Instant, RecordId);

impl RedbStore {
    pub(crate) fn list_records(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let limit = query.limit.clamp(1, PAGE);
        let (places, next) = self.places(query, limit, SCAN)?;
        let mut records = Vec::with_capacity(places.len());
        self.stored(places, |record| {
            if matches(query, &Contribution::of(&record)) {
                records.push(record);
            }
            true
        })?;
        Ok(Page { records, next })
    }

    pub(crate) fn records_alike(
        &self,
        workflow: &WorkflowId,
        fields: &[(FieldId, Value)],
        since: Instant,
    ) -> Result<Vec<Arc<Record>>, StoreError> {
        let mut query = ListQuery {
            workflow: Some(workflow.clone()),
            ..ListQuery::default()
        };
        let mut found = Vec::new();
        for _ in 0..ALIKE_SCAN / ALIKE_STEP {
            let (mut places, next) = self.places(&query, ALIKE_STEP, SCAN)?;
            let looked_at = places.len();
            places.retain(|(updated, _)| *updated >= since);
            let past = places.len() < looked_at;
            self.stored(places, |record| {
                let alike =
                    |(field, value): &(FieldId, Value)| record.field(field.as_str()) == value;
                if record.workflow == *workflow && fields.iter().all(alike) {
                    found.push(record);
                }
                found.len() < ALIKE_FOUND
            })?;
            if past || found.len() == ALIKE_FOUND || next.is_none() {
                break;
            }
            query.after = next;
        }
        Ok(found)
    }

    /// Where records stand that match, at most `limit` after looking at `scan` rows, and where to go
    /// on; nowhere at the end.
    fn places(
        &self,
        query: &ListQuery,
        limit: usize,
        scan: usize,
    ) -> Result<(Vec<Place>, Option<Place>), StoreError> {
        let (index, value) = index_of(query);
        let prefix = index_prefix(index, value);
        let after = query.after.as_ref();
        let after = after.map(|(at, id)| index_row(index, value, *at, &RecordKey::new(id)));
        let end = after_prefix(&prefix).expect("the last byte is zero");
        let range: (Bound<&[u8]>, Bound<&[u8]>) = match (&after, query.sort) {
            (None, _) => (Bound::Included(&prefix), Bound::Excluded(&end)),
            (Some(after), Sort::UpdatedDescending) => {
                (Bound::Included(&prefix), Bound::Excluded(after))
            }
            (Some(after), Sort::UpdatedAscending) => {
                (Bound::Excluded(after), Bound::Excluded(&end))
            }
        };
        self.views(|reading| {
            let rows = reading.open_table(ROWS).map_err(failed(DOING))?;
            let memory = reading.open_table(MEMORY).map_err(failed(DOING))?;
            let mut rows = rows.range::<&[u8]>(range).map_err(failed(DOING))?;
            let mut step = || match query.sort {
                Sort::UpdatedDescending => rows.next_back(),
                Sort::UpdatedAscending => rows.next(),
            };
            let mut places = Vec::new();
            let mut scanned = 0;
            let mut last: Option<Place> = None;
            while let Some(row) = step() {
                if places.len() == limit || scanned == scan {
                    return Ok((places, last));
                }
                scanned += 1;
                let (row, _) = row.map_err(failed(DOING))?;
                let (at, key) = row.value()[prefix.len()..]
                    .split_at_checked(8)
                    .ok_or_else(|| damaged("a row of an index does not read"))?;
                let place = (bytes::read_instant(at)?, RecordKey::id(key)?);
                let known = memory.get(key).map_err(failed(DOING))?;
                let known = known.ok_or_else(|| damaged("an index names an unknown record"))?;
                let known = Contribution::read(known.value())?;
                if known.updated == place.0 && matches(query, &known) {
                    places.push(place.clone());
                }
                last = Some(place);
            }
            Ok((places, None))
        })
    }

    /// Reads the records at these places, until told to stop.
    fn stored(
        &self,
        places: Vec<Place>,
        mut each: impl FnMut(Arc<Record>) -> bool,
    ) -> Result<(), StoreError> {
        self.truth(|reading| {
            for (_, id) in places {
                let record = match self.shared.records.get(&id) {
                    Ok(record) => Some(record),
                    Err(_) => read_record(reading, &id)?.map(|(record, _)| record),
                };
                let record = record.ok_or_else(|| damaged("a list names an unknown record"))?;
                if !each(record) {
                    break;
                }
            }
            Ok(())
        })
    }
}

/// The index with the fewest rows for a query, as far as the kind of filter tells.
fn index_of(query: &ListQuery) -> (Index, &str) {
    if let Some(assignee) = &query.assignee {
        (Index::Assignee, assignee.as_str())
    } else if let Some(team) = &query.team {
        (Index::Team, team.as_str())
    } else if let Some(requester) = &query.requester {
        (Index::Requester, requester.as_str())
    } else if let Some(state) = &query.state {
        (Index::State, state.as_str())
    } else if let Some(category) = query.category {
        (Index::Category, category.as_str())
    } else if let Some(workflow) = &query.workflow {
        (Index::Workflow, workflow.as_str())
    } else {
        (Index::Updated, "")
    }
}

fn matches(query: &ListQuery, record: &Contribution) -> bool {
    wanted(query.workflow.as_ref(), Some(&record.workflow))
        && wanted(query.state.as_ref(), Some(&record.state))
        && wanted(query.category.as_ref(), Some(&record.category))
        && wanted(query.team.as_ref(), record.team.as_ref())
        && wanted(query.assignee.as_ref(), record.assignee.as_ref())
        && wanted(query.requester.as_ref(), record.requester.as_ref())
}

fn wanted<T: PartialEq>(filter: Option<&T>, value: Option<&T>) -> bool {
    filter.is_none() || filter == value
}
