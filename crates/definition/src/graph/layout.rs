//! Where everything in a drawing stands: a layered layout after Sugiyama, Tagawa and Toda (1981).
//!
//! What leads back is turned round until nothing leads in a circle; every vertex goes one layer below
//! the lowest that leads to it; ways that pass layers get a bend in each; layers are swept until the
//! crossings get no fewer; then every vertex is drawn towards its neighbours as far as the width of
//! those beside it allows.

use thiserror::Error;

/// The most vertices that are laid out, bends included.
const MAX_VERTICES: usize = 20_000;
/// How often layers are swept for fewer crossings, and for straighter ways.
const SWEEPS: usize = 24;
/// The room between two vertices of a layer.
const GAP: f64 = 22.0;

/// A workflow too large to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the workflow is too large to draw: it would take more than {MAX_VERTICES} points")]
pub struct TooLarge;

/// What has a place: a box, a label, or a bend.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Vertex {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Its middle.
    pub(super) x: f64,
    /// Its upper edge.
    pub(super) y: f64,
    pub(super) layer: usize,
}

/// A way through vertices, from its beginning to its end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Way {
    pub(super) through: Vec<usize>,
}

/// Vertices in layers.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) vertices: Vec<Vertex>,
    pub(super) ways: Vec<Way>,
    layers: Vec<Vec<usize>>,
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
}

impl Layout {
    /// Places vertices of these sizes, joined by these edges; the first are the uppermost. Each edge
    /// becomes a way, with bends where it passes layers.
    ///
    /// # Errors
    /// Where that takes too many vertices.
    pub(super) fn of(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Result<Self, TooLarge> {
        let mut layout = Self {
            vertices: sizes
                .iter()
                .map(|(width, height)| Vertex {
                    width: *width,
                    height: *height,
                    ..Vertex::default()
                })
                .collect(),
            ..Self::default()
        };
        let back = leading_back(sizes.len(), edges);
        let down: Vec<(usize, usize)> = edges
            .iter()
            .zip(&back)
            .map(|(&(from, to), back)| if *back { (to, from) } else { (from, to) })
            .collect();
        layout.rank(&down);
        layout.bend(&down, &back)?;
        layout.order();
        layout.spread();
        layout.stack();
        Ok(layout)
    }

    /// Every vertex one layer below the lowest above it.
    fn rank(&mut self, down: &[(usize, usize)]) {
        for _ in 0..self.vertices.len() {
            let mut changed = false;
            for &(from, to) in down {
                let least = self.vertices[from].layer + 1;
                if self.vertices[to].layer < least {
                    self.vertices[to].layer = least;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        self.settle(down);
    }

    /// What begins stands right above what it leads to, and what nothing leads to or from, at the end.
    fn settle(&mut self, down: &[(usize, usize)]) {
        let last = self.vertices.iter().map(|it| it.layer).max().unwrap_or(0);
        for vertex in 0..self.vertices.len() {
            if down.iter().any(|(_, to)| *to == vertex) {
                continue;
            }
            let below = down.iter().filter(|(from, _)| *from == vertex);
            let below = below.map(|(_, to)| self.vertices[*to].layer).min();
            self.vertices[vertex].layer = below.map_or(last, |below| below - 1);
        }
    }

    /// Ways with a bend in each layer that they pass.
    fn bend(&mut self, down: &[(usize, usize)], back: &[bool]) -> Result<(), TooLarge> {
        for (&(from, to), back) in down.iter().zip(back) {
            let (first, last) = (self.vertices[from].layer, self.vertices[to].layer);
            if self.vertices.len() + last.saturating_sub(first) > MAX_VERTICES {
                return Err(TooLarge);
            }
            let mut through = vec![from];
            for layer in first + 1..last {
                through.push(self.vertices.len());
                self.vertices.push(Vertex {
                    width: 4.0,
                    layer,
                    ..Vertex::default()
                });
            }
            through.push(to);
            if *back {
                through.reverse();
            }
            self.ways.push(Way { through });
        }
        self.above = vec![Vec::new(); self.vertices.len()];
        self.below = vec![Vec::new(); self.vertices.len()];
        for pair in self.ways.iter().flat_map(|way| way.through.windows(2)) {
            let (one, other) = (pair[0], pair[1]);
            let (upper, lower) = if self.vertices[one].layer < self.vertices[other].layer {
                (one, other)
            } else {
                (other, one)
            };
            self.below[upper].push(lower);
            self.above[lower].push(upper);
        }
        let last = self.vertices.iter().map(|vertex| vertex.layer).max();
        self.layers = vec![Vec::new(); last.map_or(0, |last| last + 1)];
        for (index, vertex) in self.vertices.iter().enumerate() {
            self.layers[vertex.layer].push(index);
        }
        Ok(())
    }

    /// Sweeps down and up, each vertex to the middle of its neighbours, and keeps the best.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.layers.clone());
        let mut places = vec![0.0; self.vertices.len()];
        for layer in &self.layers {
            place(layer, &mut places);
        }
        for sweep in 0..SWEEPS {
            let downwards = sweep % 2 == 0;
            let count = self.layers.len();
            for nth in 0..count {
                let layer = if downwards { nth } else { count - 1 - nth };
                let next = if downwards { &self.above } else { &self.below };
                let middle = |vertex: &usize| {
                    let next = &next[*vertex];
                    if next.is_empty() {
                        // What nothing leads to stands last.
                        let alone =
                            self.above[*vertex].is_empty() && self.below[*vertex].is_empty();
                        return if alone { 2.0 } else { places[*vertex] };
                    }
                    let sum: f64 = next.iter().map(|other| places[*other]).sum();
                    sum / number(next.len())
                };
                let mut keyed: Vec<(f64, usize)> = self.layers[layer]
                    .iter()
                    .map(|vertex| (middle(vertex), *vertex))
                    .collect();
                keyed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
                self.layers[layer] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
                place(&self.layers[layer], &mut places);
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.layers.clone());
            }
        }
        self.layers = best.1;
    }

    fn crossings(&self) -> usize {
        let mut nth = vec![0; self.vertices.len()];
        for layer in &self.layers {
            for (index, vertex) in layer.iter().enumerate() {
                nth[*vertex] = index;
            }
        }
        let between = self.layers.iter().map(|layer| {
            let mut ends: Vec<(usize, usize)> = layer
                .iter()
                .flat_map(|upper| {
                    self.below[*upper]
                        .iter()
                        .map(|lower| (nth[*upper], nth[*lower]))
                })
                .collect();
            ends.sort_unstable();
            // Those that began before and end behind cross it.
            let mut crossings = 0;
            let mut before: Vec<usize> = Vec::new();
            for (_, end) in ends {
                let at = before.partition_point(|other| *other <= end);
                crossings += before.len() - at;
                before.insert(at, end);
            }
            crossings
        });
        between.sum()
    }

    /// Draws vertices towards their neighbours, as near as those beside them let them.
    fn spread(&mut self) {
        for layer in 0..self.layers.len() {
            let mut x = 0.0;
            for vertex in self.layers[layer].clone() {
                let width = self.vertices[vertex].width;
                self.vertices[vertex].x = x + width / 2.0;
                x += width + GAP;
            }
        }
        for sweep in 0..2 * SWEEPS {
            let downwards = sweep % 2 == 0;
            let count = self.layers.len();
            for nth in 0..count {
                let layer = if downwards { nth } else { count - 1 - nth };
                self.draw_near(layer);
            }
        }
        let left = self
            .vertices
            .iter()
            .map(|vertex| vertex.x - vertex.width / 2.0);
        let left = left.fold(f64::INFINITY, f64::min);
        for vertex in &mut self.vertices {
            vertex.x -= left;
        }
    }

    /// The places of a layer nearest to what each vertex wants, the order and the room kept: of
    /// neighbours that want to stand on each other the group takes the place that suits it best.
    fn draw_near(&mut self, layer: usize) {
        struct Group {
            wanted: f64,
            weight: f64,
            members: usize,
        }
        let vertices = &self.layers[layer];
        let mut offset = 0.0;
        let mut offsets = Vec::with_capacity(vertices.len());
        let mut groups: Vec<Group> = Vec::new();
        for (nth, vertex) in vertices.iter().enumerate() {
            if nth > 0 {
                let before = &self.vertices[vertices[nth - 1]];
                offset += f64::midpoint(before.width, self.vertices[*vertex].width) + GAP;
            }
            offsets.push(offset);
            let next: Vec<usize> = self.above[*vertex]
                .iter()
                .chain(&self.below[*vertex])
                .copied()
                .collect();
            let own = self.vertices[*vertex].x;
            let sum: f64 = next.iter().map(|other| self.vertices[*other].x).sum();
            let wanted = match next.len() {
                // What stands alone leans on what is beside it.
                0 if nth > 0 => -1e6,
                0 => own,
                count => sum / number(count),
            };
            // A bend that strays makes its way crooked.
            let weight = match self.vertices[*vertex].width {
                _ if next.is_empty() => 1e-9,
                width if width < 5.0 => 4.0,
                _ => 1.0,
            };
            groups.push(Group {
                wanted: wanted - offset,
                weight,
                members: 1,
            });
            while let [.., one, other] = &groups[..] {
                if one.wanted <= other.wanted {
                    break;
                }
                let weight = one.weight + other.weight;
                let joined = Group {
                    wanted: (one.wanted * one.weight + other.wanted * other.weight) / weight,
                    weight,
                    members: one.members + other.members,
                };
                groups.truncate(groups.len() - 2);
                groups.push(joined);
            }
        }
        let starts = groups
            .iter()
            .flat_map(|group| std::iter::repeat_n(group.wanted, group.members));
        let placed: Vec<(usize, f64)> = vertices
            .iter()
            .zip(starts.zip(offsets))
            .map(|(vertex, (start, offset))| (*vertex, start + offset))
            .collect();
        for (vertex, x) in placed {
            self.vertices[vertex].x = x;
        }
    }

    /// Layers below each other, the more room between them the farther ways go sideways.
    fn stack(&mut self) {
        const LEAST: f64 = 20.0;
        let mut y = 0.0;
        for layer in &self.layers {
            let height = layer.iter().map(|vertex| self.vertices[*vertex].height);
            let height = height.fold(0.0, f64::max);
            let mut aside: f64 = 0.0;
            for vertex in layer {
                let vertex_height = self.vertices[*vertex].height;
                self.vertices[*vertex].y = y + (height - vertex_height) / 2.0;
                for other in &self.below[*vertex] {
                    aside = aside.max((self.vertices[*vertex].x - self.vertices[*other].x).abs());
                }
            }
            y += height + LEAST + (aside / 12.0).min(30.0);
        }
    }
}

/// How far along its layer each vertex stands, from 0 to 1.
fn place(layer: &[usize], places: &mut [f64]) {
    for (nth, vertex) in layer.iter().enumerate() {
        places[*vertex] = (number(nth) + 0.5) / number(layer.len());
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of vertices, which are few"
)]
fn number(count: usize) -> f64 {
    count as f64
}

/// Which edges lead back to where a walk from the first vertices came from.
fn leading_back(count: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    let mut out: Vec<Vec<(usize, usize)>> = vec![Vec::new(); count];
    for (index, (from, to)) in edges.iter().enumerate() {
        out[*from].push((index, *to));
    }
    let mut back = vec![false; edges.len()];
    // 0 not seen, 1 on the way, 2 done.
    let mut seen = vec![0_u8; count];
    for start in 0..count {
        if seen[start] != 0 {
            continue;
        }
        let mut path = vec![(start, 0)];
        seen[start] = 1;
        while let Some((vertex, next)) = path.last_mut() {
            let Some((edge, to)) = out[*vertex].get(*next).copied() else {
                seen[*vertex] = 2;
                path.pop();
                continue;
            };
            *next += 1;
            match seen[to] {
                0 => {
                    seen[to] = 1;
                    path.push((to, 0));
                }
                1 => back[edge] = true,
                _ => {}
            }
        }
    }
    back
}
