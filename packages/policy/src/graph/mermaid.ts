import type { Graph, GraphNode } from "./graph-model.ts";

const letters = { citizen: "citizens", employee: "employees", itself: "machines" } as const;

/** The graph as a Mermaid flowchart, a subgraph for each namespace. */
export function graphMermaid({ nodes, edges, open }: Graph): string {
  const index = new Map(nodes.map((node, at) => [node.id, `a${at}`]));
  const lines = ["flowchart LR"];
  const groups = Map.groupBy(nodes, ({ cluster, namespace }) => `${cluster}:${namespace}`);
  for (const [at, [place, members]] of [...groups].entries()) {
    lines.push(
      `  subgraph n${at}["${place}"]`,
      ...members.map((node) => `    ${index.get(node.id)}${shape(node)}`),
      "  end",
    );
  }
  for (const { from, to, ways } of edges) {
    const label = ways.map((way) => letters[way]).join(", ");
    const arrow = ways.length === 0 ? "-.->" : "-->";
    lines.push(`  ${index.get(from)} ${arrow}${label === "" ? "" : `|${label}|`} ${index.get(to)}`);
  }
  for (const { id, admits } of open) lines.push(`  %% ${id} ${admits}`);
  return `${lines.join("\n")}\n`;
}

function shape({ name, signIn, declared }: GraphNode): string {
  if (!declared) return `>"${name}"]`;
  return signIn === undefined ? `["${name}"]` : `(["${name}"])`;
}
