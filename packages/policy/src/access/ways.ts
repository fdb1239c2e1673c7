import type { grantTypes } from "@portvakt/oauth";
import type { Application } from "../application.ts";

type Grant = (typeof grantTypes)[keyof typeof grantTypes];

/** One way in which an application gets a token for another one. */
export interface Way {
  /** How a sentence goes on: `portal may call case-api …`. */
  readonly title: string;
  readonly provider: "TokenX" | "Entra ID";
  readonly grant: Grant;
  /** The field that both sides need to have set. */
  readonly field: readonly string[];
  readonly uses: (application: Application) => boolean;
  /** What the rules give a caller this way. */
  readonly gives: "roles" | "scopes" | undefined;
}

const entraField = ["azure", "application", "enabled"] as const;
const usesEntra = (application: Application): boolean => application.azure?.enabled === true;

/** Every way there is. Which one a call takes depends on whom it is for. */
export const ways = {
  citizen: {
    title: "on behalf of a citizen",
    provider: "TokenX",
    grant: "urn:ietf:params:oauth:grant-type:token-exchange",
    field: ["tokenx", "enabled"],
    uses: (application) => application.tokenx?.enabled === true,
    gives: undefined,
  },
  employee: {
    title: "on behalf of an employee",
    provider: "Entra ID",
    grant: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    field: entraField,
    uses: usesEntra,
    gives: "scopes",
  },
  itself: {
    title: "as itself",
    provider: "Entra ID",
    grant: "client_credentials",
    field: entraField,
    uses: usesEntra,
    gives: "roles",
  },
} as const satisfies Record<string, Way>;

/** The name of a way. */
export type WayName = keyof typeof ways;

/** Every way's name, in the order in which answers show them. */
export const wayNames: readonly WayName[] = ["citizen", "employee", "itself"];

/** The ways that a call between these may take: those that all of them use; else those that one does; else every one. */
export function waysBetween(sides: readonly Application[]): readonly WayName[] {
  const all = wayNames.filter((way) => sides.every(ways[way].uses));
  if (all.length > 0) return all;
  const some = wayNames.filter((way) => sides.some(ways[way].uses));
  return some.length > 0 ? some : wayNames;
}
