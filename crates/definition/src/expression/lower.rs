//! Puts in place of some parts of a checked tree what evaluates them as promised: questions to
//! the caller, compiled patterns, and guards on what could grow.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, operators};

use super::check::{Change, Findings};

/// The function that gives back a list, if it is short enough to go through.
pub(super) const ITEMS: &str = "@items";
/// The function that gives back a text or list, if it is small enough to keep.
pub(super) const BOUND: &str = "@bound";
/// The variable that, indexed with a calendar and an instant, says whether that is open.
pub(super) const OPEN: &str = "@open";
/// The variable that, indexed with a calendar and two instants, gives the business time between.
pub(super) const BUSINESS: &str = "@business";
/// The variable that, indexed with a text and a pattern's number, says whether it matches.
pub(super) const MATCHES: &str = "@matches";

/// The tree as it is evaluated.
pub(super) fn lower(mut tree: IdedExpr, findings: &Findings) -> IdedExpr {
    rewrite(&mut tree, findings);
    tree
}

fn rewrite(tree: &mut IdedExpr, findings: &Findings) {
    match &mut tree.expr {
        Expr::Call(call) => {
            call.target
                .iter_mut()
                .for_each(|target| rewrite(target, findings));
            call.args
                .iter_mut()
                .for_each(|argument| rewrite(argument, findings));
        }
        Expr::Comprehension(comprehension) => {
            for part in [&mut comprehension.iter_range, &mut comprehension.loop_step] {
                rewrite(part, findings);
            }
            let range = std::mem::take(&mut comprehension.iter_range);
            comprehension.iter_range = function(ITEMS, vec![range]);
        }
        Expr::List(list) => list
            .elements
            .iter_mut()
            .for_each(|element| rewrite(element, findings)),
        Expr::Map(map) => {
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                    rewrite(&mut entry.value, findings);
                }
            }
        }
        // Only a path stands in `has`, which holds nothing to rewrite.
        Expr::Select(select) if select.test => {
            let operand = (*select.operand).clone();
            let mut member = select.clone();
            member.test = false;
            let tested = std::mem::take(tree);
            let present = operator(
                operators::LOGICAL_AND,
                tested,
                is_set(node(Expr::Select(member))),
            );
            *tree = operator(operators::LOGICAL_AND, is_set(operand), present);
            return;
        }
        Expr::Select(select) => rewrite(&mut select.operand, findings),
        _ => {}
    }
    let Some(change) = findings.changes.get(&tree.id) else {
        return;
    };
    let Expr::Call(call) = std::mem::take(&mut tree.expr) else {
        return;
    };
    tree.expr = change_call(call, *change, findings);
}

fn change_call(mut call: CallExpr, change: Change, findings: &Findings) -> Expr {
    match change {
        Change::Bound => {
            // One guard for a chain is enough, and keeps the tree as deep as it was written.
            call.args = call.args.into_iter().map(unguarded).collect();
            function(BOUND, vec![node(Expr::Call(call))]).expr
        }
        Change::Widen => {
            let number = |tree: &IdedExpr| findings.changes.get(&tree.id) == Some(&Change::Widen);
            let widen = |tree: IdedExpr| {
                if number(&tree) {
                    tree
                } else {
                    function("double", vec![tree])
                }
            };
            call.args = call.args.into_iter().map(widen).collect();
            Expr::Call(call)
        }
        Change::Open => ask(OPEN, call.args).expr,
        Change::Business => ask(BUSINESS, call.args).expr,
        Change::Matches(pattern) => {
            let number = i64::try_from(pattern).expect("an expression has few patterns");
            let mut arguments: Vec<IdedExpr> =
                call.target.into_iter().map(|target| *target).collect();
            arguments.push(node(Expr::Literal(LiteralValue::Int(number.into()))));
            ask(MATCHES, arguments).expr
        }
    }
}

fn unguarded(tree: IdedExpr) -> IdedExpr {
    match tree {
        IdedExpr {
            id,
            expr:
                Expr::Call(CallExpr {
                    func_name,
                    target: None,
                    mut args,
                }),
        } if func_name == BOUND => args.pop().unwrap_or(IdedExpr {
            id,
            expr: Expr::Unspecified,
        }),
        other => other,
    }
}

/// `name[[arguments]]`
fn ask(name: &str, arguments: Vec<IdedExpr>) -> IdedExpr {
    operator(
        operators::INDEX,
        node(Expr::Ident(name.to_owned())),
        node(Expr::List(ListExpr::new(arguments))),
    )
}

/// `tree != null`
fn is_set(tree: IdedExpr) -> IdedExpr {
    operator(
        operators::NOT_EQUALS,
        tree,
        node(Expr::Literal(LiteralValue::Null)),
    )
}

fn operator(name: &str, left: IdedExpr, right: IdedExpr) -> IdedExpr {
    function(name, vec![left, right])
}

fn function(name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    node(Expr::Call(CallExpr {
        func_name: name.to_owned(),
        target: None,
        args,
    }))
}

/// A node that nothing refers to.
fn node(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}
