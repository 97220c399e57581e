//! Where the parts of an expression stand in its text. The parser keeps one token for each node:
//! a name itself, an operator's sign, the dot of a selection, the bracket of a call.

use cel::common::ast::{Expr, IdedExpr, SourceInfo, operators};

pub(super) struct Places<'a> {
    pub(super) source: &'a str,
    pub(super) positions: &'a SourceInfo,
}

impl Places<'_> {
    /// The text of a part, shortened for messages.
    pub(super) fn text_of(&self, tree: &IdedExpr) -> String {
        let (offset, length) = self.span(tree);
        let text = self.source.get(offset..offset + length).unwrap_or_default();
        if text.chars().count() <= 40 {
            text.to_owned()
        } else {
            text.chars().take(39).chain(['…']).collect()
        }
    }

    /// Where a part stands: from its first token to its last, as offset and length.
    pub(super) fn span(&self, tree: &IdedExpr) -> (usize, usize) {
        let (start, end) = self.range(tree).unwrap_or((0, self.source.len()));
        (start, end - start)
    }

    /// Where the member of a selection stands: after what it is selected from.
    pub(super) fn member_span(&self, operand: &IdedExpr, member: &str) -> (usize, usize) {
        self.member_after(self.range(operand).map_or(0, |(_, end)| end), member)
    }

    fn member_after(&self, after: usize, member: &str) -> (usize, usize) {
        let rest = self.source.get(after..).unwrap_or_default();
        rest.find(member)
            .map_or((after, 0), |found| (after + found, member.len()))
    }

    /// From the first byte of the part to just past its last.
    fn range(&self, tree: &IdedExpr) -> Option<(usize, usize)> {
        let within = match &tree.expr {
            Expr::Call(call) => {
                let parts = call.target.iter().map(|target| &**target).chain(&call.args);
                parts.filter_map(|part| self.range(part)).reduce(union)
            }
            Expr::Select(select) => self.range(&select.operand).map(|(start, end)| {
                let (offset, length) = self.member_after(end, &select.field);
                (start, offset + length)
            }),
            Expr::Comprehension(comprehension) => self.range(&comprehension.iter_range),
            _ => None,
        };
        let own = self.own_range(tree);
        let (start, end) = within.into_iter().chain(own).reduce(union)?;
        (start <= end && self.source.get(start..end).is_some()).then_some((start, end))
    }

    /// What the node's own token tells.
    fn own_range(&self, tree: &IdedExpr) -> Option<(usize, usize)> {
        let (start, last) = self.positions.offset_for(tree.id)?;
        let (start, last) = (start as usize, last as usize);
        let range = match &tree.expr {
            // Its token is the bracket, which its name stands before.
            Expr::Call(call) if !is_operator(&call.func_name) => {
                let before = self.source.get(..start).unwrap_or_default().trim_end();
                (
                    before.len().saturating_sub(call.func_name.len()),
                    self.closing(last),
                )
            }
            Expr::Call(call) if call.func_name == operators::INDEX => (start, self.closing(last)),
            Expr::List(_) | Expr::Map(_) | Expr::Comprehension(_) => (start, self.closing(last)),
            _ => (start, last + 1),
        };
        Some(range)
    }

    /// Just past the bracket that closes the one at `open`.
    fn closing(&self, open: usize) -> usize {
        let mut depth = 0usize;
        let mut quote = None;
        for (at, byte) in self.source.bytes().enumerate().skip(open) {
            match (byte, quote) {
                (b'\'' | b'"', None) => quote = Some(byte),
                (_, Some(open)) if byte == open => quote = None,
                (b'(' | b'[' | b'{', None) => depth += 1,
                (b')' | b']' | b'}', None) => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
        }
        self.source.len()
    }
}

fn union((start, end): (usize, usize), (first, last): (usize, usize)) -> (usize, usize) {
    (start.min(first), end.max(last))
}

fn is_operator(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_alphabetic())
}
