import type { Graph, GraphEdge, GraphNode } from "./graph-model.ts";
import { layout, type Layout, type Point } from "./layout.ts";

const box = { width: 184, height: 42 } as const;
const margin = 32;
const manyNodes = 60;
const headHeight = 72;
const legendHeight = 64;
const letters = { name: 22, place: 26 } as const;

/** What an edge stands for, by the ways that are open on it; the classes of the style below. */
const kinds = {
  citizen: "on behalf of citizens",
  entra: "on behalf of employees, or as itself",
  every: "in every way",
  closed: "admitted, but registered with no provider in common",
} as const;
type Kind = keyof typeof kinds;

const style = `
  svg{--back:#fff;--box:#fff;--line:#d5dae1;--ink:#1b2430;--soft:#667085;--citizen:#2563eb;--entra:#0f9b7a;--every:#7c3aed;--closed:#98a2b3;--open:#b45309}
  @media(prefers-color-scheme:dark){svg{--back:#10151c;--box:#1a212b;--line:#364150;--ink:#e8ecf1;--soft:#9aa6b5;--citizen:#6ea8fe;--entra:#3ecfa8;--every:#b79bff;--closed:#6b7889;--open:#f0a64b}}
  text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--ink)}
  .back{fill:var(--back)}.box{fill:var(--box);stroke:var(--line)}.undeclared .box{stroke-dasharray:4 3}
  .name{font-size:13px;font-weight:600}.place,.note{font-size:11px;fill:var(--soft)}.title{font-size:18px;font-weight:650}.sub{font-size:12px;fill:var(--soft)}
  .open{fill:var(--open)}.edge{fill:none;stroke-width:1.5;opacity:.75}.many .edge{stroke-width:1.2;opacity:.5}.edge:hover{stroke-width:3;opacity:1}
  .citizen{stroke:var(--citizen)}.entra{stroke:var(--entra)}.every{stroke:var(--every)}.closed{stroke:var(--closed);stroke-dasharray:5 4}
  .tip-citizen{fill:var(--citizen)}.tip-entra{fill:var(--entra)}.tip-every{fill:var(--every)}.tip-closed{fill:var(--closed)}
  .person{fill:none;stroke:var(--soft);stroke-width:1.4;stroke-linecap:round}`;

/** The graph as a picture of its own: no scripts, no fonts from elsewhere, light and dark. */
export function graphSvg(graph: Graph): string {
  const plan = layout(graph, { box, margin, gap: graph.nodes.length > manyNodes ? 8 : 16 });
  const width = Math.max(plan.width, 760);
  const height = plan.height + headHeight + legendHeight;
  const open = new Map(graph.open.map(({ id, admits }) => [id, admits]));
  const colours = coloursOf(graph.nodes);
  const edges = graph.edges.map((edge, index) => edgeLine(edge, plan.routes[index] ?? []));
  const boxes = graph.nodes.map((node) => boxOf(node, plan.at.get(node.id), colours, open.get(node.id)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" role="img" aria-label="Who may call whom">`,
    `<style>${style}\n</style>`,
    `<defs>${Object.keys(kinds).map(arrow).join("")}</defs>`,
    `<rect class="back" width="100%" height="100%"/>`,
    `<text class="title" x="${margin}" y="36">Who may call whom</text>`,
    `<text class="sub" x="${margin}" y="56">${escaped(headline(graph))}</text>`,
    `<g transform="translate(0 ${headHeight - 16})"${graph.edges.length > 60 ? ' class="many"' : ""}>`,
    ...edges,
    ...alone(plan),
    ...boxes,
    `</g>`,
    legend(height - 28, new Set(graph.edges.map(kindOf))),
    `</svg>`,
    "",
  ].join("\n");
}

function headline({ nodes, edges, open }: Graph): string {
  const places = new Set(nodes.map(({ cluster, namespace }) => `${cluster}:${namespace}`)).size;
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;
  const parts = [
    count(nodes.length, "application"),
    count(places, "namespace"),
    `${count(edges.length, "pair")} admitted`,
  ];
  if (open.length > 0) parts.push(`${count(open.length, "rule")} with *`);
  return parts.join(" · ");
}

/** Hues evenly round the circle, neighbours in the alphabet far apart. */
function coloursOf(nodes: readonly GraphNode[]): ReadonlyMap<string, string> {
  const places = [...new Set(nodes.map(placeOf))].toSorted();
  const half = Math.ceil(places.length / 2);
  return new Map(
    places.map((place, index) => {
      const seat = index % 2 === 0 ? index / 2 : half + (index - 1) / 2;
      return [place, `hsl(${Math.round(210 + (seat * 360) / places.length) % 360} 62% 52%)`];
    }),
  );
}

function placeOf({ cluster, namespace }: GraphNode): string {
  return `${cluster}:${namespace}`;
}

function kindOf({ ways }: GraphEdge): Kind {
  if (ways.length === 0) return "closed";
  if (!ways.includes("citizen")) return "entra";
  return ways.length === 1 ? "citizen" : "every";
}

function arrow(kind: string): string {
  return `<marker id="tip-${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse" markerUnits="userSpaceOnUse"><path class="tip-${kind}" d="M0 0L8 4L0 8Z"/></marker>`;
}

function edgeLine(edge: GraphEdge, points: readonly Point[]): string {
  const kind = kindOf(edge);
  const title = `${edge.from} may call ${edge.to}: ${kinds[kind]}`;
  return `<path class="edge ${kind}" d="${curve(points)}" marker-end="url(#tip-${kind})"><title>${escaped(title)}</title></path>`;
}

/** A line that leaves and arrives level. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const steps = [`M${round(first.x)} ${round(first.y)}`];
  let last = first;
  for (const point of rest) {
    const bend = (point.x - last.x) / 2;
    const level = point.y === last.y;
    // two applications of one column: out to the side and back
    const out = point.x === last.x ? 40 : bend;
    steps.push(
      level && point.x !== last.x
        ? `L${round(point.x)} ${round(point.y)}`
        : `C${round(last.x + out)} ${round(last.y)} ${round(point.x - out)} ${round(point.y)} ${round(point.x)} ${round(point.y)}`,
    );
    last = point;
  }
  return steps.join("");
}

function boxOf(
  node: GraphNode,
  at: Point | undefined,
  colours: ReadonlyMap<string, string>,
  admits: string | undefined,
): string {
  if (at === undefined) return "";
  const { width, height } = box;
  const colour = colours.get(placeOf(node)) ?? "gray";
  const about = [
    node.id,
    node.team === undefined ? "" : `team ${node.team}`,
    node.declared ? "" : "declared by no manifest here",
    admits ?? "",
  ];
  const parts = [
    `<title>${escaped(about.filter((line) => line !== "").join("\n"))}</title>`,
    `<rect class="box" width="${width}" height="${height}" rx="8"/>`,
    `<path d="M8 0H6A6 6 0 0 0 0 6V${height - 6}A6 6 0 0 0 6 ${height}H8Z" transform="translate(.5 0)" fill="${colour}"/>`,
    `<text class="name" x="18" y="19">${escaped(cut(node.name, letters.name))}</text>`,
    `<text class="place" x="18" y="34">${escaped(cut(below(node), letters.place))}</text>`,
    ...(node.signIn === undefined ? [] : [person(width - 20)]),
    ...(admits === undefined
      ? []
      : [`<text class="place open" x="${width - 10}" y="34" text-anchor="end">open to *</text>`]),
  ];
  return `<g class="${node.declared ? "declared" : "undeclared"}" transform="translate(${round(at.x)} ${round(at.y - height / 2)})">${parts.join("")}</g>`;
}

function below({ namespace, cluster, signIn, external }: GraphNode): string {
  const place = cluster === "local" ? namespace : `${cluster}:${namespace}`;
  const more = [signIn ?? "", external ? "Maskinporten" : ""];
  return [place, ...more.filter((word) => word !== "")].join(" · ");
}

function person(x: number): string {
  return `<g class="person" transform="translate(${x} 15)"><circle r="3.2" cy="-4"/><path d="M-5.5 6C-5.5 .5 5.5 .5 5.5 6"/></g>`;
}

function alone({ aloneFrom, width }: Layout): string[] {
  if (aloneFrom === undefined) return [];
  const y = round(aloneFrom + 8);
  return [
    `<path d="M${margin} ${y}H${round(width - margin)}" stroke="var(--line)"/>`,
    `<text class="note" x="${margin}" y="${y + 17}">neither call nor are called</text>`,
  ];
}

/** What the colours of the edges mean, of those that there are. */
function legend(y: number, present: ReadonlySet<string>): string {
  let x = margin;
  const entries = Object.entries(kinds)
    .filter(([kind]) => present.has(kind))
    .map(([kind, words]) => {
      const entry = `<path class="edge ${kind}" d="M${x} ${y - 4}h28" marker-end="url(#tip-${kind})"/><text class="note" x="${x + 36}" y="${y}">${words}</text>`;
      x += 60 + words.length * 6;
      return entry;
    });
  return entries.join("\n");
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** What XML 1.0 section 2.2 admits no document to hold, not even escaped. */
const notXml = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

function escaped(text: string): string {
  return text
    .replaceAll(notXml, "\u{FFFD}")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
