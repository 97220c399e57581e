//! From what a definition says of fields and forms to what they accept.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use model::Value;
use model::definition::{Field as Source, FieldFormat, FieldType};
use model::directory::kind;
use model::id::{DirectoryKind, FieldId, GroupId, OptionId};
use regex::{Regex, RegexBuilder};

use super::compiler::Compiler;
use super::fault::Spot;
use super::field::{Field, FieldKind};
use super::order::{Order, in_order};
use super::scope::{Scopes, reserved};
use super::transitions::Ground;
use super::types::{FormField, Permits, Slot};
use crate::expression::Expression;

/// The longest pattern of a field, in bytes.
const MAX_PATTERN: usize = 500;
/// The most memory that a compiled pattern may take, in bytes.
const MAX_PATTERN_MEMORY: usize = 1 << 20;
/// The most options of a field.
const MAX_OPTIONS: usize = 1_000;

/// Compiles the fields of a workflow as far as they stand alone: without what computes them and
/// who may change them.
pub(super) fn fields(
    compiler: &mut Compiler<'_>,
    sources: &IndexMap<FieldId, Source>,
) -> IndexMap<FieldId, Field> {
    compiler.within("fields", |compiler| {
        let mut fields = IndexMap::new();
        for (id, source) in sources {
            let field = compiler.within(id.as_str(), |compiler| {
                if let Some(why) = reserved(id.as_str()) {
                    compiler.key(
                        &[],
                        "reserved-name",
                        format!("no field can be called `{id}`, which {why}"),
                    );
                }
                for (key, given) in [
                    ("required", source.required),
                    ("when", source.when.is_some()),
                ] {
                    if given {
                        let message =
                            format!("`{key}` belongs in a form; a field alone asks nobody");
                        compiler.key(&[key], "field", message);
                    }
                }
                if source.value.is_some() && source.decided_by.is_some() {
                    let message = "a field is computed by `value` or decided by a table, not both";
                    compiler.key(&["decided-by"], "field", message);
                }
                if !source.overridden_by.is_empty() && source.decided_by.is_none() {
                    let message = "`override` sets aside a table, and no table decides this field";
                    compiler.key(&["override"], "field", message);
                }
                // One that cannot be is there all the same, for what names it.
                stand_alone(compiler, id, source)
                    .unwrap_or_else(|| plain(id, source, FieldKind::Object))
            });
            fields.insert(id.clone(), field);
        }
        fields
    })
}

/// Compiles what computes the fields and who may change them. Gives the order in which to compute.
pub(super) fn complete(
    compiler: &mut Compiler<'_>,
    fields: &mut IndexMap<FieldId, Field>,
    scopes: &Scopes,
) -> Vec<FieldId> {
    let ids: BTreeSet<FieldId> = fields.keys().cloned().collect();
    compiler.within("fields", |compiler| {
        for (id, field) in fields.iter_mut() {
            compiler.within(id.as_str(), |compiler| {
                let source = field.source.clone();
                if let Some(cel) = &source.value {
                    field.value = compiler.computed(&["value"], cel, &field.kind, &scopes.full);
                    if let Some(expression) = &field.value {
                        let names = expression.references();
                        field.reads = ids
                            .iter()
                            .filter(|id| names.contains(id.as_str()))
                            .cloned()
                            .collect();
                    }
                }
                field.overridden_by =
                    compiler.permits("override", &source.overridden_by, &scopes.full);
                field.edit = source
                    .edit
                    .as_ref()
                    .map(|edit| compiler.permits("edit", edit, &scopes.full));
            });
        }
    });
    let computed = fields.values().filter(|field| field.value.is_some());
    let before: BTreeMap<FieldId, BTreeSet<FieldId>> = computed
        .map(|field| (field.id.clone(), field.reads.clone()))
        .collect();
    match in_order(fields.keys().filter(|id| before.contains_key(*id)), &before) {
        Order::Sorted(order) => order,
        Order::Circle(circle) => {
            let shown = circle
                .iter()
                .map(FieldId::as_str)
                .collect::<Vec<_>>()
                .join(" → ");
            let message = format!("these fields compute each other: {shown}");
            compiler.value(
                &["fields", circle[0].as_str(), "value"],
                "circular",
                message,
            );
            Vec::new()
        }
    }
}

/// Compiles the form of a transition.
pub(super) fn form(
    compiler: &mut Compiler<'_>,
    sources: &IndexMap<FieldId, Source>,
    ground: &Ground<'_>,
) -> IndexMap<FieldId, FormField> {
    compiler.within("form", |compiler| {
        let mut form: IndexMap<FieldId, FormField> = IndexMap::new();
        for (id, source) in sources {
            let asked = compiler.within(id.as_str(), |compiler| {
                let mut asked = form_field(compiler, id, source, ground.fields)?;
                let before = form.values().map(|asked| &asked.field);
                asked.when = conditions(compiler, &asked.field, source, before, ground);
                Some(asked)
            });
            form.extend(asked.map(|asked| (id.clone(), asked)));
        }
        form
    })
}

/// When a form asks for a field: as its group says, and as the form says itself.
fn conditions<'f>(
    compiler: &mut Compiler<'_>,
    field: &Field,
    source: &Source,
    before: impl IntoIterator<Item = &'f Field>,
    ground: &Ground<'_>,
) -> Vec<Expression> {
    let group = field.source.group.as_ref();
    let of_group = group.and_then(|id| Some((id, ground.groups.get(id)?.when.as_ref()?)));
    if of_group.is_none() && source.when.is_none() {
        return Vec::new();
    }
    let scope = ground.scopes.with_input(before);
    let mut when = Vec::new();
    if let Some((group, cel)) = of_group {
        let path = ["groups", group.as_str(), "when"];
        when.extend(compiler.at_root(|compiler| compiler.condition(&path, cel, &scope)));
    }
    if let Some(cel) = &source.when {
        when.extend(compiler.condition(&["when"], cel, &scope));
    }
    when
}

/// Holds the groups that fields name to those there are.
pub(super) fn known_groups(compiler: &mut Compiler<'_>, source: &model::definition::Workflow) {
    for (id, field) in &source.fields {
        let Some(group) = &field.group else { continue };
        if !source.groups.contains_key(group) {
            let known = source.groups.keys().map(GroupId::as_str);
            let below = ["fields", id.as_str(), "group"];
            compiler.unknown(&below, Spot::Value, ("group", group.as_str()), known);
        }
    }
}

fn form_field(
    compiler: &mut Compiler<'_>,
    id: &FieldId,
    source: &Source,
    fields: &IndexMap<FieldId, Field>,
) -> Option<FormField> {
    let elsewhere = [
        ("value", source.value.is_some()),
        ("decided-by", source.decided_by.is_some()),
        ("override", !source.overridden_by.is_empty()),
        ("edit", source.edit.is_some()),
    ];
    for (key, _) in elsewhere.iter().filter(|(_, given)| *given) {
        compiler.key(
            &[key],
            "form",
            format!("`{key}` belongs to the field under `fields`, not to a form"),
        );
    }
    let required = source.required;
    if let Some(slot) = slot(id) {
        let field = refined(compiler, &slot_field(&slot), source)?;
        return Some(FormField {
            field,
            slot: Some(slot),
            when: Vec::new(),
            required,
        });
    }
    if let Some(base) = fields.get(id) {
        if base.value.is_some() || base.source.value.is_some() {
            compiler.key(
                &[],
                "form",
                format!("`{id}` is computed; no form can ask for it"),
            );
        }
        if base.source.decided_by.is_some() && base.source.overridden_by.is_empty() {
            let message = format!("a table decides `{id}`, and nobody may override it");
            compiler.key(&[], "form", message);
        }
        let field = refined(compiler, base, source)?;
        let slot = Some(Slot::Field(id.clone()));
        return Some(FormField {
            field,
            slot,
            when: Vec::new(),
            required,
        });
    }
    if source.kind.is_none() && source.options.is_empty() && source.reference.is_none() {
        let message = format!("there is no field `{id}`");
        let known = fields.keys().map(FieldId::as_str);
        let fault = compiler
            .fault(&[], Spot::Key, "unknown-name", message)
            .help("an input of this form alone needs a `type`")
            .suggest(id.as_str(), known);
        compiler.push(fault);
        return None;
    }
    if let Some(why) = reserved(id.as_str()) {
        compiler.key(
            &[],
            "reserved-name",
            format!("no input can be called `{id}`, which {why}"),
        );
    }
    let field = stand_alone(compiler, id, source)?;
    Some(FormField {
        field,
        slot: None,
        when: Vec::new(),
        required,
    })
}

/// What of a record's own this name sets.
pub(super) fn slot(id: &FieldId) -> Option<Slot> {
    match id.as_str() {
        "assignee" => Some(Slot::Assignee),
        "team" => Some(Slot::Team),
        "requester" => Some(Slot::Requester),
        _ => None,
    }
}

/// What of a record's own takes values like a field: people and a team, by their ids.
pub(super) fn slot_field(slot: &Slot) -> Field {
    let (id, label, reference) = match slot {
        Slot::Assignee => ("assignee", "Assignee", kind::USER),
        Slot::Requester => ("requester", "Requester", kind::USER),
        Slot::Team => ("team", "Team", kind::TEAM),
        Slot::Field(_) => unreachable!("a field of the workflow is no slot of the record's own"),
    };
    let reference =
        DirectoryKind::new(reference).expect("the built-in kinds are spelt as kinds are");
    let id = FieldId::new(id).expect("the record's own are spelt as fields are");
    let source = Source {
        label: Some(label.to_owned()),
        reference: Some(reference.clone()),
        ..Source::default()
    };
    plain(&id, &source, FieldKind::Reference(reference))
}

/// A field as a form refines it: the same kind, with limits of its own.
fn refined(compiler: &mut Compiler<'_>, base: &Field, source: &Source) -> Option<Field> {
    let mut whole = base.source.clone();
    let (id, of) = (&base.id, base.kind.name());
    for (key, differs) in [
        ("type", source.kind.is_some() && source.kind != whole.kind),
        (
            "format",
            source.format.is_some() && source.format != whole.format,
        ),
        (
            "ref",
            source.reference.is_some() && source.reference != whole.reference,
        ),
    ] {
        if differs {
            let message =
                format!("`{id}` is {of}; a form can refine it, not make it something else");
            compiler.value(&[key], "form", message);
            return None;
        }
    }
    for option in source.options.keys() {
        if !whole.options.contains_key(option) {
            let known = whole.options.keys().map(OptionId::as_str);
            let what = format!("option of the field `{id}`");
            compiler.unknown(
                &["options", option.as_str()],
                Spot::Key,
                (&what, option.as_str()),
                known,
            );
            return None;
        }
    }
    if !source.options.is_empty() {
        whole.options = source
            .options
            .iter()
            .map(|(option, label)| {
                let label = if label.label.is_some() {
                    label
                } else {
                    &whole.options[option]
                };
                (option.clone(), label.clone())
            })
            .collect();
    }
    whole.label = source.label.clone().or(whole.label);
    whole.help = source.help.clone().or(whole.help);
    whole.default = source.default.clone().or(whole.default);
    whole.min_length = source.min_length.or(whole.min_length);
    whole.max_length = source.max_length.or(whole.max_length);
    whole.pattern = source.pattern.clone().or(whole.pattern);
    whole.minimum = source.minimum.or(whole.minimum);
    whole.maximum = source.maximum.or(whole.maximum);
    whole.max_items = source.max_items.or(whole.max_items);
    whole.group = source.group.clone().or(whole.group);
    whole.when.clone_from(&source.when);
    whole.required = source.required;
    let kind = match &base.kind {
        FieldKind::Options(_) => FieldKind::Options(labelled(&whole)),
        kind => kind.clone(),
    };
    fitting_limits(compiler, source, &kind);
    let mut field = plain(id, &whole, kind);
    field.pattern = match &source.pattern {
        Some(text) => pattern(compiler, text),
        None => base.pattern.clone(),
    };
    field.overridden_by = base.overridden_by.clone();
    field.edit.clone_from(&base.edit);
    match &source.default {
        Some(default) => set_default(compiler, &mut field, default),
        None => field.default = base.default.clone(),
    }
    Some(field)
}

/// Compiles what a field or an input says of itself alone.
pub(super) fn stand_alone(
    compiler: &mut Compiler<'_>,
    id: &FieldId,
    source: &Source,
) -> Option<Field> {
    let kind = field_kind(compiler, id, source)?;
    fitting_limits(compiler, source, &kind);
    let mut field = plain(id, source, kind);
    field.pattern = source
        .pattern
        .as_ref()
        .and_then(|text| pattern(compiler, text));
    if let Some(default) = &source.default {
        set_default(compiler, &mut field, default);
    }
    Some(field)
}

/// A field of this kind, without what needs more to compile.
fn plain(id: &FieldId, source: &Source, kind: FieldKind) -> Field {
    Field {
        id: id.clone(),
        label: source.label.clone().unwrap_or_else(|| id.to_string()),
        source: source.clone(),
        kind,
        pattern: None,
        default: Value::Null,
        value: None,
        reads: BTreeSet::new(),
        decided_by: source.decided_by.clone(),
        overridden_by: Permits::default(),
        edit: None,
    }
}

fn set_default(compiler: &mut Compiler<'_>, field: &mut Field, default: &serde_json::Value) {
    match field.accept(default) {
        Ok(value) => field.default = value,
        Err(wrong) => compiler.value(
            &["default"],
            "wrong-value",
            format!("the default of `{}` {wrong}", field.id),
        ),
    }
}

/// The options with what people see of each.
fn labelled(source: &Source) -> IndexMap<OptionId, String> {
    let options = source.options.iter();
    options
        .map(|(option, label)| {
            (
                option.clone(),
                label.label.clone().unwrap_or_else(|| option.to_string()),
            )
        })
        .collect()
}

fn field_kind(compiler: &mut Compiler<'_>, id: &FieldId, source: &Source) -> Option<FieldKind> {
    let kind = match (source.kind, &source.reference, source.options.is_empty()) {
        (_, Some(_), false) => Err("a field has `options` or a `ref`, not both"),
        (None | Some(FieldType::String), None, false) => {
            if source.options.len() > MAX_OPTIONS {
                Err("a field has at most 1,000 options; what is longer belongs in the directory")
            } else {
                Ok(FieldKind::Options(labelled(source)))
            }
        }
        (Some(_), None, false) => Err("`options` are those of a string; leave `type` out"),
        (None | Some(FieldType::String), Some(kind), true) => {
            Ok(FieldKind::Reference(kind.clone()))
        }
        (Some(FieldType::Array), Some(kind), true) => Ok(FieldKind::References(kind.clone())),
        (Some(_), Some(_), true) => Err("a `ref` names one thing, or several with `type: array`"),
        (None, None, true) => {
            let message = format!("nothing says what `{id}` holds");
            let fault = compiler
                .fault(&[], Spot::Key, "field", message)
                .help("give it a `type`, `options` or a `ref`");
            compiler.push(fault);
            return None;
        }
        (Some(FieldType::String), None, true) => Ok(match source.format {
            Some(FieldFormat::Date) => FieldKind::Date,
            Some(FieldFormat::DateTime) => FieldKind::Instant,
            Some(FieldFormat::Email | FieldFormat::Uri) | None => FieldKind::Text,
        }),
        (Some(FieldType::Integer), None, true) => Ok(FieldKind::Integer),
        (Some(FieldType::Number), None, true) => Ok(FieldKind::Number),
        (Some(FieldType::Boolean), None, true) => Ok(FieldKind::Boolean),
        (Some(FieldType::Array), None, true) => Ok(FieldKind::Texts),
        (Some(FieldType::Object), None, true) => Ok(FieldKind::Object),
    };
    match kind {
        Ok(kind) => Some(kind),
        Err(message) => {
            let key = if source.options.is_empty() {
                "ref"
            } else {
                "options"
            };
            compiler.key(&[key], "field", message);
            None
        }
    }
}

/// Refuses limits that mean nothing for the kind, and those that nothing can keep.
fn fitting_limits(compiler: &mut Compiler<'_>, source: &Source, kind: &FieldKind) {
    let is_text = *kind == FieldKind::Text;
    let is_number = matches!(kind, FieldKind::Integer | FieldKind::Number);
    let is_list = matches!(kind, FieldKind::Texts | FieldKind::References(_));
    let is_string = is_text || matches!(kind, FieldKind::Date | FieldKind::Instant);
    for (key, given, fits) in [
        ("minLength", source.min_length.is_some(), is_text),
        ("maxLength", source.max_length.is_some(), is_text),
        ("pattern", source.pattern.is_some(), is_text),
        ("format", source.format.is_some(), is_string),
        ("minimum", source.minimum.is_some(), is_number),
        ("maximum", source.maximum.is_some(), is_number),
        ("maxItems", source.max_items.is_some(), is_list),
    ] {
        if given && !fits {
            compiler.key(
                &[key],
                "field",
                format!("`{key}` means nothing for {}", kind.name()),
            );
        }
    }
    if source
        .min_length
        .zip(source.max_length)
        .is_some_and(|(least, most)| least > most)
    {
        compiler.value(
            &["minLength"],
            "field",
            "no text has more than `maxLength` characters",
        );
    }
    if source
        .minimum
        .zip(source.maximum)
        .is_some_and(|(least, most)| least > most)
    {
        compiler.value(&["minimum"], "field", "no number is greater than `maximum`");
    }
}

fn pattern(compiler: &mut Compiler<'_>, text: &str) -> Option<Regex> {
    if text.len() > MAX_PATTERN {
        let message = format!(
            "the pattern has {} bytes; the most is {MAX_PATTERN}",
            text.len()
        );
        compiler.value(&["pattern"], "field", message);
        return None;
    }
    match RegexBuilder::new(&as_forms_read_it(text))
        .size_limit(MAX_PATTERN_MEMORY)
        .dfa_size_limit(MAX_PATTERN_MEMORY)
        .build()
    {
        Ok(regex) => Some(regex),
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            compiler.value(
                &["pattern"],
                "field",
                format!("not a regular expression: {reason}"),
            );
            None
        }
    }
}

/// The classes `\d` and `\w` as browsers and JSON Schema know them: of ASCII alone.
fn as_forms_read_it(pattern: &str) -> String {
    let mut meant = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            meant.push(character);
            continue;
        }
        match characters.next() {
            Some('d') => meant.push_str("[0-9]"),
            Some('D') => meant.push_str("[^0-9]"),
            Some('w') => meant.push_str("[A-Za-z0-9_]"),
            Some('W') => meant.push_str("[^A-Za-z0-9_]"),
            Some('/') => meant.push('/'),
            Some(other) => meant.extend(['\\', other]),
            None => meant.push('\\'),
        }
    }
    meant
}
