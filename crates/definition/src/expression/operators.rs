//! The operators that expressions may use, and what each takes and gives.

use cel::common::ast::{CallExpr, Expr, IdedExpr, operators};

use super::check::{Change, Checked, Checker, Read, Typed, literal_text, unknown_member};
use super::error::ExpressionError;
use super::functions::duration_hint;
use super::types::Type;

impl Checker<'_> {
    pub(super) fn call(&mut self, tree: &IdedExpr, call: &CallExpr) -> Checked {
        match (&call.target, call.args.as_slice()) {
            (Some(target), arguments) => self.method(tree, target, &call.func_name, arguments),
            (None, [condition, yes, no]) if call.func_name == operators::CONDITIONAL => {
                self.boolean(condition, "`? :`")?;
                let (yes, no) = (self.infer(yes)?.kind, self.infer(no)?.kind);
                let message = format!("`? :` gives either {yes} or {no}; both must be of one type");
                yes.join(no)
                    .map(Typed::from)
                    .ok_or_else(|| self.ill(tree, message))
            }
            (None, [left, right]) if is_symbol(&call.func_name) => {
                self.binary(tree, &call.func_name, left, right)
            }
            (None, [operand]) if call.func_name == operators::LOGICAL_NOT => {
                self.boolean(operand, "`!`")?;
                Ok(Type::Boolean.into())
            }
            (None, [operand]) if call.func_name == operators::NEGATE => {
                let kind = self.infer(operand)?.kind;
                if kind.is_numeric() {
                    Ok(kind.into())
                } else {
                    Err(self.ill(tree, format!("`-` cannot be put before {kind}")))
                }
            }
            (None, arguments) => self.function(tree, &call.func_name, arguments),
        }
    }

    fn binary(
        &mut self,
        tree: &IdedExpr,
        operator: &str,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Checked {
        match operator {
            operators::LOGICAL_AND | operators::LOGICAL_OR => {
                let symbol = format!("`{}`", symbol(operator));
                self.boolean(left, &symbol)?;
                self.boolean(right, &symbol)?;
                Ok(Type::Boolean.into())
            }
            operators::EQUALS | operators::NOT_EQUALS => {
                let (these, those) = (self.infer(left)?.kind, self.infer(right)?.kind);
                self.comparable(tree, operator, (left, &these), (right, &those))?;
                Ok(Type::Boolean.into())
            }
            operators::LESS
            | operators::LESS_EQUALS
            | operators::GREATER
            | operators::GREATER_EQUALS => {
                let (these, those) = (self.infer(left)?.kind, self.infer(right)?.kind);
                for (part, kind) in [(left, &these), (right, &those)] {
                    if matches!(
                        kind.core(),
                        Type::Null | Type::Boolean | Type::List(_) | Type::Object(_)
                    ) {
                        let message =
                            format!("`{}` has no order: it is {kind}", self.text_of(part));
                        return Err(self.ill(tree, message));
                    }
                }
                self.comparable(tree, operator, (left, &these), (right, &those))?;
                Ok(Type::Boolean.into())
            }
            operators::IN => self.contained(tree, left, right),
            operators::INDEX => self.index(tree, left, right),
            _ => self.arithmetic(tree, operator, left, right),
        }
    }

    /// Checks that two sides have something in common, and that what is written out is among the
    /// options of the other side.
    fn comparable(
        &self,
        tree: &IdedExpr,
        operator: &str,
        (left, these): (&IdedExpr, &Type),
        (right, those): (&IdedExpr, &Type),
    ) -> Result<(), ExpressionError> {
        for (value_at, of_at, of) in [(left, right, those), (right, left, these)] {
            if let (Some(value), None, Type::Options(options)) =
                (literal_text(value_at), literal_text(of_at), of.core())
                && !options.iter().any(|option| option == value)
            {
                return Err(self.not_an_option(value_at, value, options, &self.text_of(of_at)));
            }
        }
        let both_written = literal_text(left).is_some() && literal_text(right).is_some();
        if both_written || these.comparable(those) {
            return Ok(());
        }
        let symbol = symbol(operator);
        let (one, other) = (self.text_of(left), self.text_of(right));
        let hint = hint(&one, these, those)
            .or_else(|| hint(&other, those, these))
            .unwrap_or_default();
        Err(self.ill(
            tree,
            format!("`{symbol}` cannot compare {these} with {those}{hint}"),
        ))
    }

    fn contained(&mut self, tree: &IdedExpr, item: &IdedExpr, container: &IdedExpr) -> Checked {
        let (kind, within) = (self.infer(item)?.kind, self.infer(container)?.kind);
        match within.core() {
            Type::Any => {}
            Type::List(of) => {
                if let Expr::List(list) = &container.expr {
                    for element in &list.elements {
                        let of = self.quietly(element)?;
                        self.comparable(tree, operators::IN, (item, &kind), (element, &of))?;
                    }
                } else {
                    self.comparable(tree, operators::IN, (item, &kind), (container, of))?;
                }
            }
            Type::Object(_) if kind.is_text() => {}
            other => {
                let text = self.text_of(container);
                return Err(self.ill(tree, format!("`in` looks into lists; `{text}` is {other}")));
            }
        }
        Ok(Type::Boolean.into())
    }

    /// The type of what was checked before, without recording its reads again.
    fn quietly(&mut self, tree: &IdedExpr) -> Result<Type, ExpressionError> {
        let reads = self.findings.reads.len();
        let kind = self.infer(tree)?.kind;
        self.findings.reads.truncate(reads);
        Ok(kind)
    }

    fn index(&mut self, tree: &IdedExpr, of: &IdedExpr, index: &IdedExpr) -> Checked {
        let (of_typed, kind) = (self.infer(of)?, self.infer(index)?.kind);
        match of_typed.kind.core() {
            Type::Any => Ok(Type::Any.into()),
            Type::List(item) if matches!(kind.core(), Type::Integer | Type::Any) => Ok(Typed {
                kind: (**item).clone(),
                path: of_typed.path,
            }),
            Type::List(_) => {
                Err(self.ill(index, format!("an item's place is an integer, not {kind}")))
            }
            Type::Object(object) => {
                match literal_text(index).map(|member| (member, object.members().get(member))) {
                    Some((member, Some(found))) => {
                        let path = of_typed.path.map(|path| format!("{path}.{member}"));
                        if let Some(path) = &path {
                            let (offset, length) = self.span(index);
                            self.findings.reads.push(Read {
                                path: path.clone(),
                                offset,
                                length,
                            });
                        }
                        Ok(Typed {
                            kind: found.clone(),
                            path,
                        })
                    }
                    Some((member, None)) => {
                        let of = object.name().to_owned();
                        Err(self.wrong(index, unknown_member(object, of, member)))
                    }
                    None => Err(self.ill(
                        index,
                        "a member's name is written out, as in record['id']".into(),
                    )),
                }
            }
            other => Err(self.ill(
                tree,
                format!("`{}` is {other}, which has no items", self.text_of(of)),
            )),
        }
    }

    fn arithmetic(
        &mut self,
        tree: &IdedExpr,
        operator: &str,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Checked {
        let (these, those) = (self.infer(left)?.kind, self.infer(right)?.kind);
        let result = match (operator, these.core(), those.core()) {
            (operators::MODULO, Type::Integer | Type::Any, Type::Integer | Type::Any) => {
                Some(Type::Integer)
            }
            (operators::MODULO, _, _) => None,
            (_, Type::Integer, Type::Integer) => Some(Type::Integer),
            (_, Type::Integer | Type::Number, Type::Integer | Type::Number) => {
                self.findings.changes.insert(tree.id, Change::Widen);
                Some(Type::Number)
            }
            (operators::ADD | operators::SUBSTRACT, Type::Instant, Type::Duration)
            | (operators::ADD, Type::Duration, Type::Instant) => Some(Type::Instant),
            (operators::SUBSTRACT, Type::Instant, Type::Instant)
            | (operators::ADD | operators::SUBSTRACT, Type::Duration, Type::Duration) => {
                Some(Type::Duration)
            }
            (operators::ADD, this, that) if this.is_text() && that.is_text() => {
                self.findings.changes.insert(tree.id, Change::Bound);
                let any = matches!((this, that), (Type::Any, Type::Any));
                Some(if any { Type::Any } else { Type::Text })
            }
            (operators::ADD, Type::List(_) | Type::Any, Type::List(_) | Type::Any) => {
                self.findings.changes.insert(tree.id, Change::Bound);
                these.clone().join(those.clone()).or(Some(Type::Any.list()))
            }
            (_, Type::Any, other) | (_, other, Type::Any) if may_calculate(other) => {
                self.findings.changes.insert(tree.id, Change::Bound);
                Some(Type::Any)
            }
            _ => None,
        };
        result.map(Typed::from).ok_or_else(|| {
            let symbol = symbol(operator);
            let text = these.is_text() || those.is_text();
            let hint = match (these.core(), those.core()) {
                (Type::Null, _) | (_, Type::Null) => "; null is what is not set".to_owned(),
                (Type::Integer | Type::Number, _) if text && operator == operators::ADD => {
                    format!("; write string({})", self.text_of(left))
                }
                (_, Type::Integer | Type::Number) if text && operator == operators::ADD => {
                    format!("; write string({})", self.text_of(right))
                }
                (Type::Instant | Type::Duration, _) if those.is_text() => {
                    duration_hint(literal_text(right))
                }
                _ => String::new(),
            };
            self.ill(
                tree,
                format!("`{symbol}` does not work on {these} and {those}{hint}"),
            )
        })
    }
}

/// How an operator is written.
pub(super) fn symbol(operator: &str) -> &str {
    match operator {
        operators::IN => "in",
        operators::INDEX => "[ ]",
        operators::CONDITIONAL => "? :",
        other => other.trim_matches('_'),
    }
}

fn is_symbol(name: &str) -> bool {
    name == operators::IN
        || (name.starts_with('_')
            && name.ends_with(['_', ']'])
            && !name.bytes().any(|byte| byte.is_ascii_alphanumeric()))
}

fn may_calculate(kind: &Type) -> bool {
    matches!(
        kind,
        Type::Integer | Type::Number | Type::Instant | Type::Duration | Type::Any
    )
}

/// How to make `text`, of type `this`, comparable with what is of type `that`.
fn hint(text: &str, this: &Type, that: &Type) -> Option<String> {
    match (this.core(), that.core()) {
        (Type::Object(object), that) if that.is_text() && object.members().contains_key("id") => {
            Some(format!("; write {text}.id"))
        }
        (Type::Text | Type::Options(_), Type::Instant) => {
            Some(format!("; write timestamp({text})"))
        }
        (Type::Text | Type::Options(_), Type::Duration) => {
            Some("; write duration('8h')".to_owned())
        }
        (Type::Text | Type::Options(_), Type::Integer | Type::Number) => {
            Some("; numbers are written without quotes".to_owned())
        }
        (Type::Text | Type::Options(_), Type::Boolean) => {
            Some("; true and false are written without quotes".to_owned())
        }
        (Type::List(_), that) if that.is_text() => Some(format!("; write … in {text}")),
        _ => None,
    }
}
