"""Layout of a graph without circles in layers: every arrow points down, and passes the boxes of layers between at their side.

The method is that of Sugiyama et al. (1981): layers by the longest way, places for long arrows in the layers that they cross,
orders by the mean place of neighbours, positions by least squares. It has no random part, and sums are `fsum` because `sum` rounds
differently from Python 3.12 on: the same graph, the same picture.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import pairwise
from math import fsum

Edge = tuple[str, str]
Run = tuple[float, float, float]
Node = str | tuple[str, str, int]

BETWEEN_BOXES = 18.0
BETWEEN_ARROWS = 14.0
SWEEPS = 24


@dataclass(frozen=True)
class Layout:
    """Where boxes and arrows are.

    Parameters
    ----------
    width, height : float
        Extent, in the unit of the sizes given.
    boxes : mapping of str to (float, float, float, float)
        Left and upper edge, width and height of each box.
    runs : mapping of (str, str) to sequence of (float, float, float)
        Vertical parts of each arrow from its source downwards, as x, upper and lower y; curves join them.
    """

    width: float
    height: float
    boxes: Mapping[str, tuple[float, float, float, float]]
    runs: Mapping[Edge, Sequence[Run]]


def layers(graph: Mapping[str, set[str]], level: Iterable[Sequence[str]] = ()) -> list[list[str]]:
    """Boxes by layer, from the top: each as low as what it points at allows, then as high as what points at it.

    Parameters
    ----------
    graph : mapping of str to set of str
        Boxes that each box points at; every box is a key.
    level : iterable of sequence of str
        Boxes to keep in one layer.

    Raises
    ------
    graphlib.CycleError
        The arrows, or what is kept in one layer, have no order.
    """
    leader = {name: group[0] for group in level for name in group}
    joined: dict[str, set[str]] = {}
    for name, others in graph.items():
        joined.setdefault(leader.get(name, name), set()).update(leader.get(other, other) for other in others)
    order = list(TopologicalSorter(joined).static_order())
    height: dict[str, int] = {}
    for name in order:
        height[name] = 1 + max((height[other] for other in joined[name]), default=-1)
    for name in reversed(order):
        above = [height[other] for other in joined if name in joined[other]]
        if len(above) > len(joined[name]):
            height[name] = min(above) - 1
    found: list[list[str]] = [[] for _ in range(1 + max(height.values()))]
    for name in graph:
        found[-1 - height[leader.get(name, name)]].append(name)
    return [layer for layer in found if layer]


def place(
    sizes: Mapping[str, tuple[float, float]],
    graph: Mapping[str, set[str]],
    rows: Sequence[Sequence[str]],
    *,
    keep: Sequence[str] = (),
    tall: float = 0.0,
) -> Layout:
    """Positions of boxes and ways of arrows.

    Parameters
    ----------
    sizes : mapping of str to (float, float)
        Width and height of each box.
    graph : mapping of str to set of str
        Boxes that each box points at.
    rows : sequence of sequence of str
        Boxes by layer (`layers`).
    keep : sequence of str
        Boxes whose order from left to right is given.
    tall : float
        Least height; the layers are moved apart to fill it.
    """
    chains = _chains(graph, rows)
    links = [link for chain in chains.values() for link in pairwise(chain)]
    ordered = _order(_with_passages(rows, chains), links, keep)
    width: dict[Node, float] = {
        node: sizes[node][0] if isinstance(node, str) else 0.0 for row in ordered for node in row
    }
    centre = _centres(ordered, links, width)
    left = min(centre[node] - width[node] / 2 for row in ordered for node in row)
    centre = {node: x - left for node, x in centre.items()}
    bands = _bands(ordered, sizes, links, tall)
    boxes = {
        node: (centre[node] - width[node] / 2, top, *sizes[node])
        for row, (top, _) in zip(ordered, bands)
        for node in row
        if isinstance(node, str)
    }
    starts, ends = _ports(chains, centre, width)
    level_of = {node: i for i, row in enumerate(ordered) for node in row}
    runs: dict[Edge, list[Run]] = {}
    for edge, chain in chains.items():
        top, low = bands[level_of[chain[0]]]
        runs[edge] = [(starts[edge], top + sizes[edge[0]][1], low)]
        runs[edge] += [(centre[node], *bands[level_of[node]]) for node in chain[1:-1]]
        top, _ = bands[level_of[chain[-1]]]
        runs[edge].append((ends[edge], top, top))
    return Layout(max(centre[node] + width[node] / 2 for node in centre), bands[-1][1], boxes, runs)


def _chains(graph: Mapping[str, set[str]], rows: Sequence[Sequence[str]]) -> dict[Edge, list[Node]]:
    """For each arrow: its source, a passage through each layer between, its target."""
    row_of = {name: i for i, row in enumerate(rows) for name in row}
    return {
        (name, other): [name, *((name, other, i) for i in range(row_of[name] + 1, row_of[other])), other]
        for name in graph
        for other in sorted(graph[name])
    }


def _with_passages(rows: Sequence[Sequence[str]], chains: Mapping[Edge, Sequence[Node]]) -> list[list[Node]]:
    found: list[list[Node]] = [list(row) for row in rows]
    for chain in chains.values():
        for node in chain[1:-1]:
            assert isinstance(node, tuple)
            found[node[2]].append(node)
    return found


def _order(rows: list[list[Node]], links: Sequence[tuple[Node, Node]], keep: Sequence[str]) -> list[list[Node]]:
    """Order of each layer with few crossings: the best of sweeps down and up, then exchanges of two."""
    neighbours = _neighbours(links)
    best = [_kept(row, keep) for row in rows]
    for sweep in range(SWEEPS):
        rows = [list(row) for row in rows]
        for i in range(len(rows)) if sweep % 2 == 0 else reversed(range(len(rows))):
            where = {node: place / max(1, len(row) - 1) for row in rows for place, node in enumerate(row)}
            mean = {node: _mean((where[other] for other in neighbours.get(node, ())), where[node]) for node in rows[i]}
            rows[i] = _kept(sorted(rows[i], key=mean.__getitem__), keep)
        if _crossings(rows, links) < _crossings(best, links):
            best = rows
    return _exchanged(best, links, keep)


def _exchanged(rows: list[list[Node]], links: Sequence[tuple[Node, Node]], keep: Sequence[str]) -> list[list[Node]]:
    fewest, better = _crossings(rows, links), True
    while better:
        better = False
        for i, row in enumerate(rows):
            for a in range(len(row)):
                for b in range(a + 1, len(row)):
                    other = list(row)
                    other[a], other[b] = other[b], other[a]
                    tried = [*rows[:i], other, *rows[i + 1 :]]
                    if other == _kept(other, keep) and _crossings(tried, links) < fewest:
                        rows, row, fewest, better = tried, other, _crossings(tried, links), True
    return rows


def _kept(row: Sequence[Node], keep: Sequence[str]) -> list[Node]:
    fixed = iter([name for name in keep if name in row])
    return [next(fixed) if node in keep else node for node in row]


def _crossings(rows: Sequence[Sequence[Node]], links: Sequence[tuple[Node, Node]]) -> int:
    where = {node: (i, place) for i, row in enumerate(rows) for place, node in enumerate(row)}
    spans = [(where[a][0], where[a][1], where[b][1]) for a, b in links]
    return sum(
        one[0] == two[0] and (one[1] - two[1]) * (one[2] - two[2]) < 0
        for i, one in enumerate(spans)
        for two in spans[:i]
    )


def _centres(
    rows: Sequence[Sequence[Node]], links: Sequence[tuple[Node, Node]], width: Mapping[Node, float]
) -> dict[Node, float]:
    """Horizontal centres that keep the order and draw boxes to the middle of their neighbours."""
    neighbours = _neighbours(links)
    centre: dict[Node, float] = {}
    for row in rows:
        x = -fsum(width[node] + BETWEEN_BOXES for node in row) / 2
        for node in row:
            centre[node] = x + width[node] / 2
            x += width[node] + BETWEEN_BOXES
    for sweep in range(2 * SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = [_mean((centre[other] for other in neighbours.get(node, ())), centre[node]) for node in row]
            apart = [(width[a] + width[b]) / 2 + _gap(a, b) for a, b in pairwise(row)]
            # a passage that is not straight is seen at once, a box beside the middle is not
            weights = [1.0 if isinstance(node, str) else 4.0 for node in row]
            centre.update(zip(row, spread(wanted, apart, weights)))
    return _within_the_widest(rows, centre, width)


def _within_the_widest(
    rows: Sequence[Sequence[Node]], centre: Mapping[Node, float], width: Mapping[Node, float]
) -> dict[Node, float]:
    """Centres moved so that no layer sticks out beyond the widest."""
    extents = [(centre[row[0]] - width[row[0]] / 2, centre[row[-1]] + width[row[-1]] / 2) for row in rows]
    low, high = max(extents, key=lambda extent: extent[1] - extent[0])
    found: dict[Node, float] = {}
    for row in rows:
        least = [0.0]
        for a, b in pairwise(row):
            least.append(least[-1] + (width[a] + width[b]) / 2 + _gap(a, b))
        first, last = low + width[row[0]] / 2, high - width[row[-1]] / 2
        found.update(
            (node, min(max(centre[node], first + offset), last - (least[-1] - offset)))
            for node, offset in zip(row, least)
        )
    return found


def _gap(a: Node, b: Node) -> float:
    return BETWEEN_ARROWS if isinstance(a, tuple) and isinstance(b, tuple) else BETWEEN_BOXES


def spread(wanted: Sequence[float], apart: Sequence[float], weights: Sequence[float] | None = None) -> list[float]:
    """Positions nearest to those wanted, by least squares, that keep order and distance.

    Parameters
    ----------
    wanted : sequence of float, (n,)
    apart : sequence of float, (n - 1,)
        Least distance between each position and the next.
    weights : sequence of float, (n,), optional
        Of the squares; default 1.

    Returns
    -------
    list of float, (n,)
        By pooling adjacent violators: with the distances taken off, the positions must not fall.
    """
    offsets = [0.0]
    for distance in apart:
        offsets.append(offsets[-1] + distance)
    pools: list[tuple[float, float, int]] = []
    for want, offset, weight in zip(wanted, offsets, weights or [1.0] * len(wanted)):
        value, count = want - offset, 1
        while pools and pools[-1][0] > value:
            before, other, members = pools.pop()
            value, weight, count = (
                (before * other + value * weight) / (other + weight),
                other + weight,
                count + members,
            )
        pools.append((value, weight, count))
    level = [value for value, _, count in pools for _ in range(count)]
    return [value + offset for value, offset in zip(level, offsets)]


def _bands(
    rows: Sequence[Sequence[Node]],
    sizes: Mapping[str, tuple[float, float]],
    links: Sequence[tuple[Node, Node]],
    tall: float,
) -> list[tuple[float, float]]:
    """Upper and lower edge of each layer; more arrows between two layers, more room for them."""
    row_of = {node: i for i, row in enumerate(rows) for node in row}
    heights = [max((sizes[node][1] for node in row if isinstance(node, str)), default=0.0) for row in rows]
    gaps = [26.0 + 2.0 * min(12, sum(row_of[a] == i for a, _ in links)) for i in range(len(rows) - 1)]
    more = max(0.0, tall - fsum(heights) - fsum(gaps)) / max(1, len(gaps))
    bands = [(0.0, heights[0])]
    for height, gap in zip(heights[1:], gaps):
        top = bands[-1][1] + gap + more
        bands.append((top, top + height))
    return bands


def _ports(
    chains: Mapping[Edge, Sequence[Node]], centre: Mapping[Node, float], width: Mapping[Node, float]
) -> tuple[dict[Edge, float], dict[Edge, float]]:
    """Where each arrow leaves its source and enters its target, in the order of where it comes from or goes to."""
    ends: list[dict[Edge, float]] = []
    for at, beside in ((0, 1), (-1, -2)):
        found: dict[Edge, float] = {}
        for box in {chain[at]: None for chain in chains.values()}:
            edges = sorted(
                (edge for edge, chain in chains.items() if chain[at] == box),
                key=lambda edge: centre[chains[edge][beside]],
            )
            half = max(0.0, width[box] / 2 - 12.0)
            low, high = centre[box] - half, centre[box] + half
            step = min(BETWEEN_ARROWS, (high - low) / max(1, len(edges) - 1))
            wanted = []
            for edge in edges:
                other = chains[edge][beside]
                reach = max(0.0, width[other] / 2 - 12.0)
                # straight down where the two lie above each other
                shared = max(low, centre[other] - reach), min(high, centre[other] + reach)
                straight = (shared[0] + shared[1]) / 2
                wanted.append(straight if shared[0] <= shared[1] else min(max(centre[other], low), high))
            for i, (edge, x) in enumerate(zip(edges, spread(wanted, [step] * (len(edges) - 1)))):
                found[edge] = min(max(x, low + i * step), high - (len(edges) - 1 - i) * step)
        ends.append(found)
    return ends[0], ends[1]


def _neighbours(links: Sequence[tuple[Node, Node]]) -> dict[Node, list[Node]]:
    found: dict[Node, list[Node]] = {}
    for a, b in links:
        found.setdefault(a, []).append(b)
        found.setdefault(b, []).append(a)
    return found


def _mean(values: Iterable[float], otherwise: float) -> float:
    found = list(values)
    return fsum(found) / len(found) if found else otherwise


def flow(sizes: Mapping[str, tuple[float, float]], widest: float, gap: float) -> Layout:
    """Boxes without arrows: side by side in rows no wider than `widest`, stretched so that all rows are as wide."""
    rows: list[list[str]] = []
    for name, (width, _) in sizes.items():
        if not rows or fsum(sizes[other][0] + gap for other in rows[-1]) + width > widest:
            rows.append([])
        rows[-1].append(name)
    widths = [fsum(sizes[name][0] for name in row) + gap * (len(row) - 1) for row in rows]
    right = max(widths)
    boxes: dict[str, tuple[float, float, float, float]] = {}
    y = 0.0
    for row, width in zip(rows, widths):
        x, height = 0.0, max(sizes[name][1] for name in row)
        more = (right - width) / len(row)
        for name in row:
            boxes[name] = (x, y, sizes[name][0] + more, height)
            x += sizes[name][0] + more + gap
        y += height + gap
    return Layout(right, y - gap, boxes, {})
