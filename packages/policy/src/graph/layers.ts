import type { Graph } from "./graph-model.ts";

/** What stands in a layer: an application, or a bend of an edge that passes through. */
export interface Place {
  readonly key: string;
  /** Applications only. */
  readonly id: string | undefined;
  /** Neighbours in the layers before and after, by key. */
  readonly before: string[];
  readonly after: string[];
}

/** Layers from left to right, each from top to bottom, and for each edge the keys that its line runs through. */
export interface Layers {
  readonly layers: readonly (readonly Place[])[];
  readonly routes: readonly (readonly string[])[];
}

const sweeps = 12;

/**
 * Puts applications into layers, so that nearly every edge runs to the right, and orders each layer so that few lines
 * cross (after Sugiyama: break cycles, longest path, bends in between, barycentres). `edges` are those of the graph, in its
 * order; `ids` are the applications that have any.
 */
export function layered(
  ids: readonly string[],
  edges: Graph["edges"],
  groupOf: (id: string) => string,
): Layers {
  const forward = withoutCycles(ids, edges);
  const rank = ranks(ids, forward);
  const places = new Map<string, Place>();
  const layers: Place[][] = [];
  const add = (key: string, id: string | undefined, layer: number): Place => {
    const place: Place = { key, id, before: [], after: [] };
    places.set(key, place);
    (layers[layer] ??= []).push(place);
    return place;
  };
  const sorted = ids.toSorted((one, other) => compare(groupOf(one), groupOf(other)) || compare(one, other));
  for (const id of sorted) add(id, id, rank.get(id) ?? 0);
  const routes = forward.map(({ from, to, reversed }, index) => {
    const first = rank.get(from) ?? 0;
    const last = rank.get(to) ?? 0;
    const keys = [from];
    for (let layer = first + 1; layer < last; layer++)
      keys.push(add(`${index}/${layer}`, undefined, layer).key);
    keys.push(to);
    for (const [at, key] of keys.slice(1).entries()) {
      places.get(keys[at] ?? "")?.after.push(key);
      places.get(key)?.before.push(keys[at] ?? "");
    }
    return reversed ? keys.toReversed() : keys;
  });
  return { layers: ordered(layers), routes };
}

interface Forward {
  readonly from: string;
  readonly to: string;
  readonly reversed: boolean;
}

/** Edges that close a circle are turned round for the layers; their lines keep their own direction. */
function withoutCycles(ids: readonly string[], edges: Graph["edges"]): Forward[] {
  const out = Map.groupBy(edges, ({ from }) => from);
  const called = new Set(edges.map(({ to }) => to));
  const state = new Map<string, "open" | "done">();
  const back = new Set<unknown>();
  const visit = (id: string): void => {
    state.set(id, "open");
    for (const edge of out.get(id) ?? []) {
      if (state.get(edge.to) === "open") back.add(edge);
      else if (!state.has(edge.to)) visit(edge.to);
    }
    state.set(id, "done");
  };
  const roots = ids.toSorted((one, other) => Number(called.has(one)) - Number(called.has(other)));
  for (const id of roots) if (!state.has(id)) visit(id);
  return edges.map((edge) =>
    back.has(edge)
      ? { from: edge.to, to: edge.from, reversed: true }
      : { from: edge.from, to: edge.to, reversed: false },
  );
}

/** Longest path from the left; whoever nobody calls then moves right, next to the first that it calls. */
function ranks(ids: readonly string[], edges: readonly Forward[]): Map<string, number> {
  const out = Map.groupBy(edges, ({ from }) => from);
  const waiting = new Map(ids.map((id) => [id, 0]));
  for (const { to } of edges) waiting.set(to, (waiting.get(to) ?? 0) + 1);
  const isRoot = new Set(ids.filter((id) => waiting.get(id) === 0));
  const rank = new Map(ids.map((id) => [id, 0]));
  const queue = [...isRoot];
  for (const id of queue) {
    for (const { to } of out.get(id) ?? []) {
      rank.set(to, Math.max(rank.get(to) ?? 0, (rank.get(id) ?? 0) + 1));
      const left = (waiting.get(to) ?? 0) - 1;
      waiting.set(to, left);
      if (left === 0) queue.push(to);
    }
  }
  for (const id of isRoot) {
    const next = (out.get(id) ?? []).map(({ to }) => rank.get(to) ?? 1);
    if (next.length > 0) rank.set(id, Math.min(...next) - 1);
  }
  return rank;
}

/** Each layer by the mean place of its neighbours, to and fro; the order with the fewest crossings stays. */
function ordered(layers: readonly Place[][]): Place[][] {
  let current = layers.map((layer) => [...layer]);
  let best = current;
  let fewest = crossings(current);
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    current = swept(current, sweep % 2 === 0 ? "before" : "after");
    const now = crossings(current);
    if (now < fewest) [best, fewest] = [current, now];
  }
  return best;
}

function swept(layers: readonly Place[][], side: "before" | "after"): Place[][] {
  const next = layers.map((layer) => [...layer]);
  const order = [...next.keys()];
  const indices = side === "before" ? order.slice(1) : order.toReversed().slice(1);
  for (const index of indices) {
    const neighbours = next[side === "before" ? index - 1 : index + 1] ?? [];
    const at = new Map(neighbours.map(({ key }, place) => [key, place]));
    const own = next[index] ?? [];
    const means = new Map(own.map((place, here) => [place, mean(place[side], at) ?? here]));
    next[index] = own.toSorted((one, other) => (means.get(one) ?? 0) - (means.get(other) ?? 0));
  }
  return next;
}

function mean(keys: readonly string[], at: ReadonlyMap<string, number>): number | undefined {
  if (keys.length === 0) return undefined;
  return keys.reduce((sum, key) => sum + (at.get(key) ?? 0), 0) / keys.length;
}

/** How many pairs of lines cross between neighbouring layers, counted with a Fenwick tree. */
function crossings(layers: readonly (readonly Place[])[]): number {
  let total = 0;
  for (const [index, layer] of layers.slice(1).entries()) {
    const at = new Map(layer.map(({ key }, place) => [key, place]));
    const ends = (layers[index] ?? []).flatMap(({ after }) =>
      after.map((key) => at.get(key) ?? 0).toSorted((one, other) => one - other),
    );
    const tree = new Int32Array(layer.length + 1);
    for (const [seen, end] of ends.entries()) {
      let notAbove = 0;
      for (let node = end + 1; node > 0; node -= node & -node) notAbove += tree[node] ?? 0;
      total += seen - notAbove;
      for (let node = end + 1; node <= layer.length; node += node & -node) tree[node] = (tree[node] ?? 0) + 1;
    }
  }
  return total;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
