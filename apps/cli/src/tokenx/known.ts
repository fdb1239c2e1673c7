import {
  createLandscape,
  parseApplicationId,
  type Application,
  type InboundRule,
  type Landscape,
} from "@portvakt/policy";
import type { KnownClient } from "./registrar.ts";

/** What a TokenX knows of applications, as far as calls on behalf of citizens go. */
export function landscapeAt(clients: readonly KnownClient[], issuer: string): Landscape {
  return createLandscape(
    clients.flatMap((client) => applicationOf(client, issuer)),
    { complete: true },
  );
}

function applicationOf({ id, statement }: KnownClient, issuer: string): Application[] {
  const parts = parseApplicationId(id);
  if (parts === undefined) return [];
  return [
    {
      id,
      ...parts,
      kind: "Application",
      port: 8080,
      ingresses: [],
      env: {},
      paths: {},
      tokenx: { enabled: true },
      mcp: false,
      inbound: rulesOf(statement),
      outbound: { rules: [], external: [] },
      source: { file: issuer, line: 1, inboundLine: 1, specLine: 1 },
    },
  ];
}

function rulesOf(statement: KnownClient["statement"]): InboundRule[] {
  const { portvakt_rules: rules, accessPolicyInbound: ids } = statement;
  if (Array.isArray(rules))
    return rules.flatMap((rule: Partial<InboundRule> | null) => {
      const { application = "", namespace = "", cluster = "", roles = [], scopes = [] } = rule ?? {};
      return application === "" ? [] : [{ ...rule, application, namespace, cluster, roles, scopes }];
    });
  if (!Array.isArray(ids)) return [];
  return ids.flatMap((id: unknown) => {
    const [cluster = "", namespace = "", application = ""] = String(id).split(":");
    return application === "" ? [] : [{ cluster, namespace, application, roles: [], scopes: [] }];
  });
}
