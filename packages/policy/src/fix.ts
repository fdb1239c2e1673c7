import type { ApplicationId } from "./application.ts";
import type { Target } from "./policy.ts";

/** What to add to the target's manifest, as a YAML patch: the path from `spec` down, ready to merge. */
export interface Fix {
  readonly file?: string;
  /** The line of the manifest where it belongs. */
  readonly line?: number;
  readonly yaml: string;
}

const rules = "spec:\n  accessPolicy:\n    inbound:\n      rules:\n        - application: ";
const field = "\n          ";

/** The patch that admits `actor`: the shortest rule that names it, defaults left out. */
export function accessPatch(actor: ApplicationId, target: Target): Fix {
  return at(target, ruleFor(actor, target.home));
}

/** The patch that gives `actor` these scopes. */
export function scopePatch(actor: ApplicationId, target: Target, scopes: readonly string[]): Fix {
  const lines = scopes.map((scope) => `${field}    - ${JSON.stringify(scope)}`).join("");
  return at(target, `${ruleFor(actor, target.home)}${field}permissions:${field}  scopes:${lines}`);
}

/** The patch that opens the target to the members of another group: one of the user's, where they are known. */
export function userPatch(target: Target, group = "<object id of a group of the user>"): Fix {
  const groups = "spec:\n  azure:\n    application:\n      claims:\n        groups:";
  const fix = at(target, `${groups}${field}- id: ${JSON.stringify(group)}`);
  const { source } = target.application;
  // The line of the inbound rules is the wrong place for this one.
  return source === undefined ? fix : { ...fix, line: source.line };
}

function ruleFor(caller: ApplicationId, home: ApplicationId): string {
  const namespace =
    caller.namespace === home.namespace ? "" : `${field}namespace: ${quoted(caller.namespace)}`;
  const cluster = caller.cluster === home.cluster ? "" : `${field}cluster: ${quoted(caller.cluster)}`;
  return rules + quoted(caller.name) + namespace + cluster;
}

const wordsOfYaml: ReadonlySet<string> = new Set([
  "true",
  "false",
  "null",
  "yes",
  "no",
  "on",
  "off",
  "y",
  "n",
]);

/** A name such as `true` or `123` would not be text in YAML without quotes. */
function quoted(name: string): string {
  const first = name.charCodeAt(0);
  const plain = first >= 97 && first <= 122 && !(name.length <= 5 && wordsOfYaml.has(name));
  return plain ? name : `"${name}"`;
}

function at({ application: { source } }: Target, yaml: string): Fix {
  if (source === undefined) return { yaml };
  return { file: source.file, line: source.inboundLine ?? source.line, yaml };
}
