import { formatApplicationId, nearMiss, parseApplicationId, type ApplicationId } from "@portvakt/policy";
import { CommandError, exitCodes } from "../failure.ts";
import type { Declaration } from "./declared.ts";

/**
 * The application that a person means: `cluster:namespace:name`, `namespace:name` (or with a `/`), or a name that only one
 * application has, declared here or named by a rule. A whole id needs no manifest here. *Throws*: CommandError that says what would have been understood.
 */
export function applicationNamed(
  word: string,
  declared: Pick<Declaration, "applications" | "policy" | "cluster">,
): string {
  const { applications, policy, cluster } = declared;
  const whole = parseApplicationId(word);
  if (whole !== undefined) return formatApplicationId(whole);
  const parts = word.split(/[/:]/);
  const name = parts.at(-1) ?? "";
  const namespace = parts.length === 2 ? parts[0] : undefined;
  const callers = [...applications.keys()].flatMap((id) => [...(policy.target(id)?.exact.keys() ?? [])]);
  const known = [...new Set([...applications.keys(), ...callers])].flatMap((id) => partsOf(id));
  const found = known.filter(
    (id) =>
      id.name === name && (namespace === undefined || (id.namespace === namespace && id.cluster === cluster)),
  );
  const [only, another] = found;
  if (only !== undefined && another === undefined) return formatApplicationId(only);
  if (another !== undefined) {
    throw new CommandError(`${found.length} applications are named ${word}`, {
      hints: [`say which one: ${found.map(formatApplicationId).slice(0, 5).join(", ")}`],
      exitCode: exitCodes.usage,
    });
  }
  const meant = nearMiss(name, new Set(known.map((id) => id.name)));
  throw new CommandError(`no manifest here declares an application named ${word}`, {
    hints: [
      meant === undefined
        ? `give the whole name (cluster:namespace:name), or its manifest with -f; there are ${listed(known)}`
        : `did you mean ${meant}?`,
    ],
    exitCode: exitCodes.usage,
  });
}

function partsOf(id: string): ApplicationId[] {
  const parsed = parseApplicationId(id);
  return parsed === undefined ? [] : [parsed];
}

function listed(ids: readonly ApplicationId[]): string {
  const names = [...new Set(ids.map(({ name }) => name))].toSorted();
  const shown = names.slice(0, 12).join(", ");
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}
