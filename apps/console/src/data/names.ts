import { formatApplicationId, nearMiss, parseApplicationId, type Landscape } from "@portvakt/policy";

/** Which application a word means, or a sentence that says why none. */
export type Named = { readonly id: string } | { readonly trouble: string };

const longestName = 200;

/**
 * The application that a person means by its whole id, by `namespace:name`, or by a name that only one has. A whole id needs
 * no manifest here.
 */
export function applicationNamed(word: string, { applications }: Landscape): Named {
  const asked = word.trim().slice(0, longestName);
  const whole = parseApplicationId(asked);
  if (whole !== undefined) return { id: formatApplicationId(whole) };
  const [name = "", namespace] = asked.split(/[/:]/).toReversed();
  const found = [...applications.values()].filter(
    (one) => one.name === name && (namespace === undefined || one.namespace === namespace),
  );
  const [only, another] = found;
  if (only !== undefined && another === undefined) return { id: only.id };
  if (another !== undefined) {
    const ids = found.slice(0, 5).map(({ id }) => id);
    return { trouble: `${found.length} applications are named ${asked}. Say which one: ${ids.join(", ")}.` };
  }
  const meant = nearMiss(name, new Set([...applications.values()].map((one) => one.name)));
  const hint = meant === undefined ? "A whole name is cluster:namespace:name." : `Did you mean ${meant}?`;
  return { trouble: `No manifest here declares an application named ${asked}. ${hint}` };
}
