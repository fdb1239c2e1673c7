import { parseApplicationId } from "./application.ts";
import type { PolicyApplication } from "./policy.ts";

/** What to add to the target's manifest, as a YAML patch: the path from `spec` down, ready to merge. */
export interface Fix {
  readonly file?: string;
  /** The line of the manifest where it belongs. */
  readonly line?: number;
  readonly yaml: string;
}

/** The patch that admits `actor`: the shortest rule that names it, defaults left out. */
export function accessPatch(actor: string, target: PolicyApplication): Fix {
  return at(target, ruleLines(actor, target).join("\n"));
}

/** The patch that gives `actor` these scopes. */
export function scopePatch(actor: string, target: PolicyApplication, scopes: readonly string[]): Fix {
  const permissions = [
    "permissions:",
    "  scopes:",
    ...scopes.map((scope) => `    - ${JSON.stringify(scope)}`),
  ];
  const indented = permissions.map((line) => `          ${line}`);
  return at(target, [...ruleLines(actor, target), ...indented].join("\n"));
}

/** The patch that opens the target to the members of another group. */
export function userPatch(target: PolicyApplication): Fix {
  const lines = ["spec:", "  azure:", "    application:", "      claims:", "        groups:"];
  const fix = at(target, [...lines, '          - id: "<object id of a group of the user>"'].join("\n"));
  // The line of the inbound rules is the wrong place for this one.
  return target.source === undefined ? fix : { ...fix, line: target.source.line };
}

function ruleLines(actor: string, target: PolicyApplication): string[] {
  const caller = parseApplicationId(actor);
  const home = parseApplicationId(target.id);
  const lines = ["spec:", "  accessPolicy:", "    inbound:", "      rules:"];
  if (caller === undefined || home === undefined) return lines;
  lines.push(`        - application: ${quoted(caller.name)}`);
  if (caller.namespace !== home.namespace) lines.push(`          namespace: ${quoted(caller.namespace)}`);
  if (caller.cluster !== home.cluster) lines.push(`          cluster: ${quoted(caller.cluster)}`);
  return lines;
}

/** A name such as `true` or `123` would not be text in YAML without quotes. */
function quoted(name: string): string {
  return /^[a-z][-a-z0-9]*$/.test(name) && !/^(true|false|null|yes|no|on|off|y|n)$/.test(name)
    ? name
    : JSON.stringify(name);
}

function at(target: PolicyApplication, yaml: string): Fix {
  const { source } = target;
  if (source === undefined) return { yaml };
  return { file: source.file, line: source.inboundLine ?? source.line, yaml };
}
