import type { Explain, Explanation } from "../provider.ts";
import { entraErrors, type EntraRow } from "./entra-errors.ts";
import { hintOf } from "./row.ts";

/** Translates the AADSTS code of a refusal (`error_codes`, else the description's first code). */
export const explainEntra: Explain = (error, target) => {
  const code = codeOf(error.body["error_codes"], error.description);
  if (code === undefined) return undefined;
  const rows: Readonly<Record<string, EntraRow>> = entraErrors;
  const row = Object.hasOwn(rows, code) ? rows[code] : undefined;
  if (row === undefined) return undefined;
  return {
    code,
    owner: row.owner,
    hint: withManifest(row, target, error.description ?? ""),
    uri: `https://login.microsoftonline.com/error?code=${code.slice("AADSTS".length)}`,
    ...(row.passing === true ? { passing: true } : {}),
  } satisfies Explanation;
};

function codeOf(codes: unknown, description: string | undefined): string | undefined {
  const [first] = Array.isArray(codes) ? (codes as unknown[]) : [];
  if (typeof first === "number" && Number.isSafeInteger(first)) return `AADSTS${first}`;
  return /\bAADSTS\d{4,9}\b/.exec(description ?? "")?.[0];
}

/** The caller's own name stands in Entra ID's descriptions, in parentheses or after `named`. */
function withManifest(row: EntraRow, target: string, description: string): string {
  if (row.manifest === undefined) return hintOf(row);
  const where = `In the manifest of ${target}`;
  if (row.manifest === "groups") {
    return `${row.cause}. ${where}, under spec.azure.application: add the group's id to claims.groups, or set allowAllUsers: true`;
  }
  const [, cluster, namespace, app] =
    /[('"]([a-z0-9-]+):([a-z0-9-]+):([a-z0-9-]+)[)'"]/.exec(description) ?? [];
  const rule =
    app === undefined
      ? "add this application"
      : `add "- application: ${app}", "namespace: ${namespace}", "cluster: ${cluster}"`;
  return `${row.cause}. ${where}, under spec.accessPolicy.inbound.rules: ${rule}`;
}
