import type { Application } from "../application.ts";
import { kindOfChange } from "./change-kind.ts";
import type { ChangeKind, Reach } from "./change-kind.ts";
import type { Landscape } from "./landscape.ts";

/** Which employees may use an application. */
export type Audience = { readonly everyone: boolean; readonly groups: readonly string[] };

/** What becomes of the employees that may use an application. */
export interface AudienceChange {
  readonly change: ChangeKind;
  readonly target: string;
  readonly before: Audience | undefined;
  readonly after: Audience | undefined;
}

/** Which organisations may use a scope of Maskinporten's that an application exposes. */
export type Consumers = { readonly everyone: boolean; readonly organisations: readonly string[] };

/** What becomes of the organisations that may use a scope. */
export interface ScopeChange {
  readonly change: ChangeKind;
  readonly target: string;
  /** Product and name, as in the manifest. */
  readonly scope: string;
  readonly before: Consumers | undefined;
  readonly after: Consumers | undefined;
}

/** What becomes of one application's employees. */
export function compareAudience(before: Landscape, after: Landscape, target: string): AudienceChange[] {
  const then = audienceOf(before.applications.get(target));
  const next = audienceOf(after.applications.get(target));
  const change = kindOfChange(admitted(then?.everyone, then?.groups), admitted(next?.everyone, next?.groups));
  return change === undefined ? [] : [{ change, target, before: then, after: next }];
}

/** What becomes of the organisations that one application's scopes are for. */
export function compareScopes(before: Landscape, after: Landscape, target: string): ScopeChange[] {
  const then = scopesOf(before.applications.get(target));
  const next = scopesOf(after.applications.get(target));
  return [...new Set([...then.keys(), ...next.keys()])].flatMap((scope) => {
    const [old, young] = [then.get(scope), next.get(scope)];
    const change = kindOfChange(
      admitted(old?.everyone, old?.organisations),
      admitted(young?.everyone, young?.organisations),
    );
    return change === undefined ? [] : [{ change, target, scope, before: old, after: young }];
  });
}

/** Which employees an application admits; `undefined` where it is not registered with Entra ID. */
function audienceOf(application: Application | undefined): Audience | undefined {
  const azure = application?.azure;
  if (azure?.enabled !== true) return undefined;
  return { everyone: azure.allowAllUsers, groups: azure.allowAllUsers ? [] : azure.groups.toSorted() };
}

/** The scopes in force that an application exposes, by product and name. */
function scopesOf(application: Application | undefined): ReadonlyMap<string, Consumers> {
  const { enabled = false, exposes = [] } = application?.maskinporten ?? {};
  const inForce = enabled ? exposes.filter((scope) => scope.enabled) : [];
  return new Map(
    inForce.map(({ product, separator, name, accessibleForAll, consumers }) => [
      `${product}${separator ?? (name.includes("/") ? "/" : ":")}${name}`,
      { everyone: accessibleForAll, organisations: accessibleForAll ? [] : consumers.toSorted() },
    ]),
  );
}

/** Nobody and nothing to be admitted to come to the same: neither lets anybody in. */
function admitted(everyone = false, some: readonly string[] = []): Reach {
  if (everyone) return "everybody";
  return some.length === 0 ? undefined : some;
}
