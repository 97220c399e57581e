//! The type check, over the parser's tree: every name, member, option and operand is held to the
//! scope, so that a definition with a slip in an expression is refused when it is loaded.

use std::collections::{BTreeSet, HashMap};

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators,
};
use regex::Regex;

use super::error::{ExpressionError, Problem, Suggestion};
use super::functions;
use super::places::Places;
use super::types::{Object, Scope, Type};

/// What the check finds out on its way, beside the type.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Each name and member read, in the order in which they stand.
    pub(super) reads: Vec<Read>,
    /// The calendars named.
    pub(super) calendars: BTreeSet<String>,
    /// Whether a calendar is asked that only evaluation can name.
    pub(super) computes_calendar: bool,
    /// The patterns of `matches`, compiled.
    pub(super) patterns: Vec<Regex>,
    /// What is to be put in place of some nodes, by their id.
    pub(super) changes: HashMap<u64, Change>,
}

/// How a node is evaluated otherwise than it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// What `+` joins is held to a size.
    Bound,
    /// An operator's integers become numbers.
    Widen,
    /// `open` asks the caller.
    Open,
    /// `business` asks the caller.
    Business,
    /// `matches` uses the compiled pattern of this index.
    Matches(usize),
}

/// A name, or a member of what a name stands for, as it is read somewhere in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The name with its members, joined by dots. What goes through a list or picks from it reads
    /// its items: `tasks.all(t, t.category == 'closed')` reads `tasks` and `tasks.category`.
    pub path: String,
    /// The byte at which its last part stands.
    pub offset: usize,
    /// The length of its last part, in bytes.
    pub length: usize,
}

/// What a part of the expression is: its type, and the path it reads, if it is nothing but that.
pub(super) struct Typed {
    pub(super) kind: Type,
    pub(super) path: Option<String>,
}

pub(super) type Checked = Result<Typed, ExpressionError>;

pub(super) struct Checker<'a> {
    places: Places<'a>,
    pub(super) scope: &'a Scope,
    /// The variables of the loops around, innermost last.
    locals: Vec<(String, Type, Option<String>)>,
    pub(super) findings: Findings,
}

/// Checks the expression against the scope and what is wanted of it.
pub(super) fn check(
    source: &str,
    tree: &IdedExpr,
    positions: &SourceInfo,
    scope: &Scope,
    wanted: &Type,
) -> Result<Findings, ExpressionError> {
    let mut checker = Checker {
        places: Places { source, positions },
        scope,
        locals: Vec::new(),
        findings: Findings::default(),
    };
    checker.fitting(tree, wanted)?;
    Ok(checker.findings)
}

impl Checker<'_> {
    /// Checks an expression whose value goes where `wanted` is.
    fn fitting(&mut self, tree: &IdedExpr, wanted: &Type) -> Result<(), ExpressionError> {
        if let Expr::Call(CallExpr {
            func_name,
            args,
            target: None,
        }) = &tree.expr
            && let ([condition, yes, no], operators::CONDITIONAL) =
                (args.as_slice(), func_name.as_str())
        {
            self.boolean(condition, "`? :`")?;
            self.fitting(yes, wanted)?;
            return self.fitting(no, wanted);
        }
        let found = self.infer(tree)?;
        if found.kind.fits(wanted) {
            return Ok(());
        }
        if let (Some(value), Type::Options(options)) = (literal_text(tree), wanted.core()) {
            return Err(self.not_an_option(tree, value, options, "the field"));
        }
        let problem = Problem::WrongResult {
            found: found.kind.to_string(),
            expected: wanted.to_string(),
        };
        Err(self.wrong(tree, problem))
    }

    pub(super) fn infer(&mut self, tree: &IdedExpr) -> Checked {
        match &tree.expr {
            Expr::Literal(literal) => self.literal(tree, literal),
            Expr::Ident(name) => self.name(tree, name),
            Expr::Select(select) if select.test => {
                if !is_path(&select.operand) {
                    return Err(self.ill(
                        tree,
                        "`has` takes a member, as in has(service.owner)".into(),
                    ));
                }
                self.member(&select.operand, &select.field)?;
                Ok(Type::Boolean.into())
            }
            Expr::Select(select) => self.member(&select.operand, &select.field),
            Expr::Call(call) => self.call(tree, call),
            Expr::List(list) => {
                let mut of: Option<Type> = None;
                for element in &list.elements {
                    let kind = self.infer(element)?.kind;
                    of = Some(
                        of.map_or(Some(kind.clone()), |before| before.join(kind))
                            .unwrap_or(Type::Any),
                    );
                }
                Ok(of.unwrap_or(Type::Any).list().into())
            }
            Expr::Map(map) => {
                let mut members = Vec::new();
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else {
                        continue;
                    };
                    let Some(key) = literal_text(&entry.key) else {
                        return Err(self.ill(
                            &entry.key,
                            "the names in an object are texts, such as {'id': 1}".into(),
                        ));
                    };
                    members.push((key.to_owned(), self.infer(&entry.value)?.kind));
                }
                Ok(Type::object("an object written here", members).into())
            }
            Expr::Comprehension(comprehension) => self.comprehension(tree, comprehension),
            Expr::Struct(_) => {
                Err(self.unsupported(tree, "messages such as Name{} do not exist here"))
            }
            Expr::Unspecified => {
                Err(self.unsupported(tree, "this part of the expression is not complete"))
            }
        }
    }

    fn literal(&self, tree: &IdedExpr, literal: &LiteralValue) -> Checked {
        let kind = match literal {
            LiteralValue::Boolean(_) => Type::Boolean,
            LiteralValue::Double(_) => Type::Number,
            LiteralValue::Int(_) => Type::Integer,
            LiteralValue::Null => Type::Null,
            // What is written out can be just itself.
            LiteralValue::String(text) => Type::options([text.inner()]),
            LiteralValue::UInt(_) => {
                return Err(self.unsupported(
                    tree,
                    "unsigned numbers do not exist here; leave out the `u`",
                ));
            }
            LiteralValue::Bytes(_) => {
                return Err(self.unsupported(tree, "bytes do not exist here; leave out the `b`"));
            }
        };
        Ok(kind.into())
    }

    fn name(&mut self, tree: &IdedExpr, name: &str) -> Checked {
        if let Some((_, kind, path)) = self.locals.iter().rev().find(|(local, ..)| local == name) {
            return Ok(Typed {
                kind: kind.clone(),
                path: path.clone(),
            });
        }
        if name.starts_with('.') {
            return Err(self.unsupported(tree, "a name begins without a dot"));
        }
        let kind = match self.scope.get(name) {
            Some(kind) => kind.clone(),
            None if name == "now" && self.scope.allows_now() => Type::Instant,
            None if name == "now" => return Err(self.wrong(tree, Problem::NowNotAllowed)),
            None if functions::is_function(name) => {
                return Err(self.ill(
                    tree,
                    format!("`{name}` is a function: write {}", functions::usage(name)),
                ));
            }
            None => {
                let locals = self.locals.iter().map(|(local, ..)| local.as_str());
                let suggestion = Suggestion::nearest(name, self.scope.names().chain(locals));
                return Err(self.wrong(
                    tree,
                    Problem::UnknownName {
                        name: name.to_owned(),
                        suggestion,
                    },
                ));
            }
        };
        let (offset, length) = self.span(tree);
        self.findings.reads.push(Read {
            path: name.to_owned(),
            offset,
            length,
        });
        Ok(Typed {
            kind,
            path: Some(name.to_owned()),
        })
    }

    fn member(&mut self, operand: &IdedExpr, member: &str) -> Checked {
        let of = self.infer(operand)?;
        let (offset, length) = self.places.member_span(operand, member);
        let kind = match of.kind.core() {
            Type::Any => Type::Any,
            Type::Object(object) => {
                let Some(kind) = object.members().get(member) else {
                    let of = of
                        .path
                        .map_or_else(|| object.name().to_owned(), |path| format!("`{path}`"));
                    return Err(unknown_member(object, of, member).at(offset, length));
                };
                kind.clone()
            }
            Type::List(_) => {
                let text = self.text_of(operand);
                let message = format!(
                    "`{text}` is a list; ask its items, as in {text}.exists(x, x.{member} == …)"
                );
                return Err(Problem::IllTyped(message).at(offset, length));
            }
            other => {
                let message = format!(
                    "`{}` is {other}, which has no members",
                    self.text_of(operand)
                );
                return Err(Problem::IllTyped(message).at(offset, length));
            }
        };
        let path = of.path.map(|path| format!("{path}.{member}"));
        if let Some(path) = &path {
            self.findings.reads.push(Read {
                path: path.clone(),
                offset,
                length,
            });
        }
        Ok(Typed { kind, path })
    }

    fn comprehension(&mut self, tree: &IdedExpr, comprehension: &ComprehensionExpr) -> Checked {
        let range = self.infer(&comprehension.iter_range)?;
        let item = match range.kind.core() {
            Type::Any => Type::Any,
            Type::List(of) => (**of).clone(),
            other => {
                let text = self.text_of(&comprehension.iter_range);
                let message = format!("only lists can be gone through; `{text}` is {other}");
                return Err(self.ill(&comprehension.iter_range, message));
            }
        };
        let Some(parts) = LoopParts::of(comprehension) else {
            return Err(self.unsupported(tree, "this loop is not known here"));
        };
        self.locals
            .push((comprehension.iter_var.clone(), item, range.path));
        if let Some(condition) = parts.condition {
            self.boolean(condition, "a loop")?;
        }
        let result = match parts.transform {
            None => Type::Boolean.into(),
            Some(transform) => {
                let each = self.infer(transform)?;
                // Lists of lists could grow past any memory.
                if each.kind.holds_list() {
                    return Err(self.ill(
                        transform,
                        "`map` makes a list of plain values, not of lists".into(),
                    ));
                }
                Typed {
                    kind: each.kind.list(),
                    path: each.path,
                }
            }
        };
        self.locals.pop();
        Ok(result)
    }

    /// Checks what must be true or false; `role` says where it stands.
    pub(super) fn boolean(&mut self, tree: &IdedExpr, role: &str) -> Result<(), ExpressionError> {
        let found = self.infer(tree)?.kind;
        if found.fits(&Type::Boolean) {
            return Ok(());
        }
        let text = self.text_of(tree);
        let hint = match found.core() {
            Type::Object(_) => format!("; write {text} != null"),
            Type::Text | Type::Options(_) => format!("; write {text} == …"),
            _ => String::new(),
        };
        Err(self.ill(
            tree,
            format!("{role} takes booleans; `{text}` is {found}{hint}"),
        ))
    }

    pub(super) fn wrong(&self, tree: &IdedExpr, problem: Problem) -> ExpressionError {
        let (offset, length) = self.span(tree);
        problem.at(offset, length)
    }

    pub(super) fn ill(&self, tree: &IdedExpr, message: String) -> ExpressionError {
        self.wrong(tree, Problem::IllTyped(message))
    }

    fn unsupported(&self, tree: &IdedExpr, message: &str) -> ExpressionError {
        self.wrong(tree, Problem::Unsupported(message.to_owned()))
    }

    pub(super) fn not_an_option(
        &self,
        at: &IdedExpr,
        value: &str,
        options: &[String],
        of: &str,
    ) -> ExpressionError {
        let suggestion = Suggestion::nearest(value, options.iter().map(String::as_str));
        self.wrong(
            at,
            Problem::NotAnOption {
                value: value.to_owned(),
                of: of.to_owned(),
                suggestion,
            },
        )
    }

    /// The text of a part, for messages.
    pub(super) fn text_of(&self, tree: &IdedExpr) -> String {
        self.places.text_of(tree)
    }

    /// Where a part stands, as offset and length.
    pub(super) fn span(&self, tree: &IdedExpr) -> (usize, usize) {
        self.places.span(tree)
    }
}

/// The parts of a loop that were written, found in what its macro made of them.
pub(super) struct LoopParts<T> {
    /// What is asked of each item.
    pub(super) condition: Option<T>,
    /// What is made of each item, where the loop gives a list.
    pub(super) transform: Option<T>,
}

impl<'a> LoopParts<&'a IdedExpr> {
    fn of(comprehension: &'a ComprehensionExpr) -> Option<Self> {
        let Expr::Call(step) = &comprehension.loop_step.expr else {
            return None;
        };
        match (step.func_name.as_str(), step.args.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [_, condition]) => Some(Self {
                condition: Some(condition),
                transform: None,
            }),
            (operators::ADD, [_, appended]) => Some(Self {
                condition: None,
                transform: Some(only_element(appended)?),
            }),
            (operators::CONDITIONAL, [condition, taken, _]) => {
                let Expr::Call(taken) = &taken.expr else {
                    return None;
                };
                let transform = only_element(taken.args.get(1)?);
                Some(Self {
                    condition: Some(condition),
                    transform,
                })
            }
            _ => None,
        }
    }
}

fn only_element(list: &IdedExpr) -> Option<&IdedExpr> {
    if let Expr::List(list) = &list.expr {
        list.elements.first()
    } else {
        None
    }
}

/// The problem that the object, called `of`, has no such member.
pub(super) fn unknown_member(object: &Object, of: String, member: &str) -> Problem {
    let suggestion = Suggestion::nearest(member, object.members().keys().map(String::as_str));
    Problem::UnknownMember {
        of,
        member: member.to_owned(),
        suggestion,
    }
}

/// The text, where it is written out.
pub(super) fn literal_text(tree: &IdedExpr) -> Option<&str> {
    if let Expr::Literal(LiteralValue::String(text)) = &tree.expr {
        Some(text.inner())
    } else {
        None
    }
}

/// Whether it is a name with members and nothing else.
fn is_path(tree: &IdedExpr) -> bool {
    match &tree.expr {
        Expr::Ident(_) => true,
        Expr::Select(select) => !select.test && is_path(&select.operand),
        _ => false,
    }
}

impl From<Type> for Typed {
    fn from(kind: Type) -> Self {
        Self { kind, path: None }
    }
}
