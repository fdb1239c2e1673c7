import type { Graph } from "./graph-model.ts";
import { layered, type Place } from "./layers.ts";

/** A point of the picture, in its units. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where everything is: the middle of each application's left edge, and the points that each edge's line runs through. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly at: ReadonlyMap<string, Point>;
  readonly routes: readonly (readonly Point[])[];
  /** Applications without any edge, in rows below the others; `y` of the line above them. */
  readonly aloneFrom: number | undefined;
}

/** The measures of the picture. */
export interface Sizes {
  readonly box: { readonly width: number; readonly height: number };
  readonly gap: number;
  readonly margin: number;
}

const rounds = 24;

/** Lays a graph out from left to right. */
export function layout(graph: Graph, sizes: Sizes): Layout {
  const { box, gap, margin } = sizes;
  const connected = new Set(graph.edges.flatMap(({ from, to }) => [from, to]));
  const groups = new Map(graph.nodes.map((node) => [node.id, `${node.cluster}:${node.namespace}`]));
  const ids = graph.nodes.map(({ id }) => id).filter((id) => connected.has(id));
  const { layers, routes } = layered(ids, graph.edges, (id) => groups.get(id) ?? "");
  const heights = straightened(layers, sizes);
  const step = box.width + channel(layers, sizes);
  const column = new Map(layers.flatMap((layer, index) => layer.map(({ key }) => [key, index] as const)));
  const at = new Map<string, Point>();
  for (const place of layers.flat()) {
    at.set(place.key, { x: margin + (column.get(place.key) ?? 0) * step, y: heights.get(place.key) ?? 0 });
  }
  const bottom = Math.max(margin, ...heights.values()) + box.height / 2;
  const columns = Math.max(layers.length, 3);
  const width = margin * 2 + box.width + (columns - 1) * step;
  const alone = graph.nodes.filter(({ id }) => !connected.has(id));
  const aloneFrom = alone.length === 0 ? undefined : bottom + (ids.length === 0 ? 0 : margin);
  const perRow = Math.max(1, Math.floor((width - margin) / (box.width + gap * 2)));
  for (const [index, { id }] of alone.entries()) {
    at.set(id, {
      x: margin + (index % perRow) * (box.width + gap * 2),
      y: (aloneFrom ?? 0) + margin + 8 + box.height / 2 + Math.floor(index / perRow) * (box.height + gap),
    });
  }
  const rows = Math.ceil(alone.length / perRow);
  const height = aloneFrom === undefined ? bottom : aloneFrom + margin + 8 + rows * (box.height + gap);
  return { width, height, at, routes: routes.map((keys) => points(keys, at, box.width)), aloneFrom };
}

/** Room between two columns: more where more lines have to turn. */
function channel(layers: readonly (readonly Place[])[], { box }: Sizes): number {
  const most = Math.max(0, ...layers.map((layer) => layer.length));
  return box.width * Math.min(1.6, 0.5 + most / 40);
}

/** Pulls everything towards its neighbours, as far as the order and the gaps in its layer allow. */
function straightened(
  layers: readonly (readonly Place[])[],
  { box, gap, margin }: Sizes,
): Map<string, number> {
  const y = new Map<string, number>();
  const size = (place: Place): number => (place.id === undefined ? gap : box.height + gap);
  const tallest = Math.max(...layers.map((layer) => layer.reduce((sum, place) => sum + size(place), 0)), 0);
  for (const layer of layers) {
    const own = layer.reduce((sum, place) => sum + size(place), 0);
    let top = (tallest - own) / 2;
    for (const place of layer) {
      y.set(place.key, top + size(place) / 2);
      top += size(place);
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const layer of round % 2 === 0 ? layers : layers.toReversed()) {
      const wanted = layer.map((place) => {
        const near = [...place.before, ...place.after].map((key) => y.get(key) ?? 0);
        return near.length === 0
          ? (y.get(place.key) ?? 0)
          : near.reduce((sum, one) => sum + one, 0) / near.length;
      });
      for (const [index, place] of layer.entries()) y.set(place.key, spread(layer, wanted, size)[index] ?? 0);
    }
  }
  const top = Math.min(...y.values(), Infinity);
  return new Map([...y].map(([key, value]) => [key, value - top + margin + box.height / 2]));
}

/** The places nearest to the wanted ones that keep their order and distance (pool adjacent violators). */
function spread(
  layer: readonly Place[],
  wanted: readonly number[],
  size: (place: Place) => number,
): number[] {
  const offsets: number[] = [];
  let offset = 0;
  for (const [index, place] of layer.entries()) {
    const previous = layer[index - 1];
    if (previous !== undefined) offset += (size(previous) + size(place)) / 2;
    offsets.push(offset);
  }
  const pools: { sum: number; count: number }[] = [];
  for (const [index, want] of wanted.entries()) {
    let pool = { sum: want - (offsets[index] ?? 0), count: 1 };
    for (
      let last = pools.at(-1);
      last !== undefined && last.sum / last.count > pool.sum / pool.count;
      last = pools.at(-1)
    ) {
      pools.pop();
      pool = { sum: pool.sum + last.sum, count: pool.count + last.count };
    }
    pools.push(pool);
  }
  const bases = pools.flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count));
  return bases.map((base, index) => base + (offsets[index] ?? 0));
}

function points(keys: readonly string[], at: ReadonlyMap<string, Point>, boxWidth: number): Point[] {
  return keys.flatMap((key, index) => {
    const point = at.get(key);
    if (point === undefined) return [];
    const { x, y } = point;
    const previous = at.get(keys[index - 1] ?? "");
    const next = at.get(keys[index + 1] ?? "");
    const right = { x: x + boxWidth, y };
    const leavesRight = next === undefined ? (previous?.x ?? 0) > x : next.x > x;
    if (index === 0) return [leavesRight ? right : point];
    if (index === keys.length - 1) return [leavesRight ? right : point];
    // a bend is as wide as a box, so that the line passes level between the boxes above and below
    return leavesRight ? [point, right] : [right, point];
  });
}
