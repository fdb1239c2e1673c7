import { parseApplicationId } from "../application.ts";
import type { Application } from "../application.ts";
import type { Landscape } from "../access/landscape.ts";
import { wayNames, ways } from "../access/ways.ts";
import type { WayName } from "../access/ways.ts";

/** Who may sign in at an application. */
export type SignIn = "citizens" | "employees";

/** An application in the graph; `declared` is false for one that rules name but no manifest declares. */
export interface GraphNode {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly cluster: string;
  readonly team?: string;
  readonly declared: boolean;
  readonly signIn?: SignIn;
  /** It calls organisations outside, with Maskinporten's tokens. */
  readonly external: boolean;
}

/** `from` may call `to`. An edge with no ways is admitted, but neither provider would issue a token. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly ways: readonly WayName[];
  /** Admitted by a rule with a `*`. */
  readonly wildcard: boolean;
}

/** Applications and who may call whom. Rules that admit every application are told per target, not as edges. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Targets that admit everybody of some kind, in words. */
  readonly open: readonly { readonly id: string; readonly admits: string }[];
}

/** The graph of a landscape. Edges are what the policy admits, one for each pair. */
export function graphOf({ applications, policy }: Landscape): Graph {
  const nodes = new Map<string, GraphNode>();
  for (const application of applications.values()) nodes.set(application.id, nodeOf(application));
  const edges: GraphEdge[] = [];
  for (const target of applications.values()) {
    for (const [caller, admission] of policy.target(target.id)?.exact ?? []) {
      if (caller === target.id) continue;
      if (!nodes.has(caller)) addUndeclared(caller, nodes);
      const side = applications.get(caller);
      const both = wayNames.filter(
        (way) => ways[way].uses(target) && (side === undefined || ways[way].uses(side)),
      );
      edges.push({ from: caller, to: target.id, ways: both, wildcard: admission.wildcard });
    }
  }
  const open = policy.warnings
    .filter(({ code }) => code === "wildcard")
    .map(({ application, message }) => ({ id: application, admits: message.slice(application.length + 1) }));
  return { nodes: [...nodes.values()], edges, open };
}

function nodeOf(application: Application): GraphNode {
  const { id, name, namespace, cluster, team, idporten, azure, maskinporten } = application;
  const signIn: SignIn | undefined =
    idporten?.sidecar?.enabled === true
      ? "citizens"
      : azure?.sidecar?.enabled === true
        ? "employees"
        : undefined;
  return {
    ...{ id, name, namespace, cluster, declared: true },
    ...(team === undefined ? {} : { team }),
    ...(signIn === undefined ? {} : { signIn }),
    external: maskinporten?.enabled === true && maskinporten.consumes.length > 0,
  };
}

function addUndeclared(id: string, nodes: Map<string, GraphNode>): void {
  const parts = parseApplicationId(id);
  if (parts !== undefined) nodes.set(id, { id, ...parts, declared: false, external: false });
}

/** The part of a graph around one application: itself, its callers and whom it may call. */
export function nextTo({ nodes, edges, open }: Graph, id: string): Graph {
  const own = edges.filter(({ from, to }) => from === id || to === id);
  const near = new Set([id, ...own.flatMap(({ from, to }) => [from, to])]);
  return {
    nodes: nodes.filter((node) => near.has(node.id)),
    edges: own,
    open: open.filter((entry) => near.has(entry.id)),
  };
}
