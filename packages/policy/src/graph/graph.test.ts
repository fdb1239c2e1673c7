import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { Graph, GraphEdge } from "./graph-model.ts";
import { layout, type Point } from "./layout.ts";
import { graphMermaid } from "./mermaid.ts";
import { graphSvg } from "./svg.ts";

const sizes = { box: { width: 184, height: 42 }, gap: 8, margin: 32 };

/** A graph of `count` applications, with edges as drawn by a small generator of numbers. */
function graph(count: number, edgesEach: number, seed = 7): Graph {
  let state = seed;
  const next = (below: number): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  const nodes = Array.from({ length: count }, (_, index) => ({
    ...{ id: `local:n${index % 10}:app-${index}`, name: `app-${index}`, namespace: `n${index % 10}` },
    ...{ cluster: "local", declared: index % 17 !== 0, external: false },
  }));
  const pairs = new Map<string, GraphEdge>();
  for (const from of nodes) {
    for (let each = 0; each < edgesEach; each++) {
      const to = nodes[next(count)];
      if (to === undefined || to === from) continue;
      pairs.set(`${from.id} ${to.id}`, { from: from.id, to: to.id, ways: ["citizen"], wildcard: false });
    }
  }
  return { nodes, edges: [...pairs.values()], open: [] };
}

function overlaps(one: Point, other: Point): boolean {
  const { width, height } = sizes.box;
  return Math.abs(one.x - other.x) < width && Math.abs(one.y - other.y) < height;
}

describe("a layout", () => {
  for (const [count, edgesEach] of [
    [1, 0],
    [8, 1],
    [200, 2],
    [200, 0],
    [60, 8],
  ] as const) {
    test(`of ${count} applications with ${edgesEach} edges each: nothing overlaps, every line has its ends`, () => {
      const given = graph(count, edgesEach);
      const { at, routes, width, height } = layout(given, sizes);
      const places = given.nodes.map(({ id }) => at.get(id)).filter((place) => place !== undefined);
      assert.equal(places.length, count);
      for (const [index, one] of places.entries()) {
        assert.ok(one.x >= 0 && one.x + sizes.box.width <= width + 1 && one.y > 0 && one.y < height);
        for (const other of places.slice(index + 1)) assert.ok(!overlaps(one, other));
      }
      for (const [index, { from, to }] of given.edges.entries()) {
        const route = routes[index] ?? [];
        const isAt = (end: Point | undefined, id: string): boolean => {
          const { x = -1, y = -1 } = at.get(id) ?? {};
          return end !== undefined && end.y === y && (end.x === x || end.x === x + sizes.box.width);
        };
        assert.ok(isAt(route[0], from) && isAt(route.at(-1), to), `${from} -> ${to}`);
      }
    });
  }

  test("circles and callers of themselves through others do no harm", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 4 }),
        fc.nat(9999),
        (count, each, seed) => {
          const given = graph(count, each, seed);
          const { routes, height } = layout(given, sizes);
          assert.equal(routes.length, given.edges.length);
          assert.ok(Number.isFinite(height));
        },
      ),
    );
  });

  test("is the same every time", () => assert.equal(graphSvg(graph(50, 2)), graphSvg(graph(50, 2))));
});

test("names are text in the picture, whatever they hold", () => {
  const node = {
    id: 'local:n:"<&',
    name: '"<&',
    namespace: "n",
    cluster: "local",
    declared: true,
    external: false,
  };
  const picture = graphSvg({
    nodes: [node],
    edges: [],
    open: [{ id: node.id, admits: "admits <everybody>" }],
  });
  assert.ok(picture.includes("&quot;&lt;&amp;") && picture.includes("admits &lt;everybody&gt;"));
  assert.ok(!/<&|<everybody>/.test(picture));
});

test("XML 1.0 section 2.2: the picture is XML, whatever characters a team's name holds", () => {
  const everything = fc.string({ unit: "binary", minLength: 1, maxLength: 40 });
  const half = "\u{1F600}".slice(0, 1);
  const allowed = /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u;
  const pictureOf = (team: string): string => {
    const [node] = graph(1, 0).nodes;
    assert.ok(node);
    return graphSvg({ nodes: [{ ...node, team }], edges: [], open: [] });
  };
  for (const team of ["a\u0000b", "\u0008", "\u001b[31m", half, "\uFFFE"]) {
    assert.match(pictureOf(team), allowed, JSON.stringify(team));
  }
  fc.assert(fc.property(everything, (team) => allowed.test(pictureOf(team))));
  assert.ok(pictureOf("sør 😀").includes("team sør 😀"));
});

test("Mermaid has a line for every edge", () => {
  const given = graph(30, 2);
  const arrows = graphMermaid(given).match(/-->/g) ?? [];
  assert.equal(arrows.length, given.edges.length);
});
