import type { Explain, Explanation, Owner } from "../provider.ts";

interface Row {
  readonly owner: Owner;
  readonly hint: string;
  /** The manifest lines that mend it, where a manifest does. `{app}` is the caller as Entra ID names it. */
  readonly manifest?: "inbound" | "groups";
  readonly passing?: true;
}

const admit = "the target does not admit this application";

/** What Entra ID's codes mean on this platform. Codes and first sentences follow Microsoft's own list of AADSTS errors. */
const entraErrors: Readonly<Record<string, Row>> = {
  AADSTS50013: {
    owner: "application",
    hint: "the user token was not accepted as an assertion: it is expired, for another audience, or of another tenant. Send the token that your caller sent to you",
  },
  AADSTS50027: {
    owner: "application",
    hint: "the user token is not a valid JWT: it was cut off or changed on the way",
  },
  AADSTS500131: {
    owner: "application",
    hint: "the user token's audience is not this application. Only the receiver of a token may exchange it",
  },
  AADSTS50105: {
    owner: "target",
    hint: "the user is not a direct member of a group that has access to the target. Nested groups do not count",
    manifest: "groups",
  },
  AADSTS501051: { owner: "target", hint: admit, manifest: "inbound" },
  AADSTS65001: { owner: "target", hint: admit, manifest: "inbound" },
  AADSTS500011: {
    owner: "application",
    hint: "there is no application by this target's name in the tenant: look for a misspelt cluster, namespace or name, or the target has not been deployed with spec.azure.application.enabled",
  },
  AADSTS700016: {
    owner: "platform",
    hint: "this application's client ID is not known in the tenant: it was deleted, or the secret is of another tenant",
  },
  AADSTS90002: {
    owner: "platform",
    hint: "the tenant does not exist: the configured token endpoint names another one",
  },
  AADSTS7000215: {
    owner: "platform",
    hint: "the client secret is wrong, often its ID instead of its value, or it was replaced. Restart the application to get the new one",
  },
  AADSTS7000222: {
    owner: "platform",
    hint: "the client secret has expired. Restart the application to get a new one",
  },
  AADSTS700024: {
    owner: "platform",
    hint: "the client assertion is not within its time: the clocks of this machine and Entra ID differ",
    passing: true,
  },
  AADSTS700027: {
    owner: "platform",
    hint: "the client assertion is signed with a key that is not registered: the key was rotated. Restart the application to get the new one",
  },
  AADSTS7000112: { owner: "platform", hint: "this application has been disabled in the tenant" },
  AADSTS7000218: { owner: "platform", hint: "no client assertion or secret came with the request" },
  AADSTS700211: {
    owner: "platform",
    hint: "no federated credential trusts the issuer of the workload's token",
  },
  AADSTS70021: { owner: "platform", hint: "no federated credential matches the workload's token" },
  AADSTS700212: {
    owner: "platform",
    hint: "no federated credential matches the audience of the workload's token",
  },
  AADSTS700213: {
    owner: "platform",
    hint: "no federated credential matches the subject of the workload's token",
  },
  AADSTS70011: {
    owner: "application",
    hint: "the scope is not valid. A target is cluster:namespace:app or api://cluster.namespace.app/.default",
  },
  AADSTS1002012: {
    owner: "application",
    hint: "with client credentials a scope must end in /.default: write the target cluster:namespace:app",
  },
  AADSTS28002: { owner: "application", hint: "the scope does not belong to the target" },
  AADSTS50076: {
    owner: "user",
    hint: "the user has to sign in again with multi-factor authentication. Send the browser to sign in, with the claims that the answer names",
  },
  AADSTS50078: {
    owner: "user",
    hint: "the user's multi-factor sign-in has expired: the user has to sign in again",
  },
  AADSTS50079: { owner: "user", hint: "the user has to register for multi-factor authentication" },
  AADSTS50158: {
    owner: "user",
    hint: "the user has to meet a further sign-in requirement: send the browser to sign in",
  },
  AADSTS53000: { owner: "user", hint: "conditional access requires a compliant device, and this one is not" },
  AADSTS53001: {
    owner: "user",
    hint: "conditional access requires a domain-joined device, and this one is not",
  },
  AADSTS53003: {
    owner: "user",
    hint: "conditional access blocks the user here (place, device or risk). Signing in again from an approved device may help",
  },
  AADSTS530032: { owner: "user", hint: "a security policy of the tenant blocks the user" },
  AADSTS50173: {
    owner: "user",
    hint: "the user's grant was revoked, often by a new password: the user has to sign in again",
  },
  AADSTS700082: {
    owner: "user",
    hint: "the user's refresh token has expired: the user has to sign in again",
  },
  AADSTS50057: { owner: "user", hint: "the user's account is disabled" },
  AADSTS50034: { owner: "user", hint: "the user does not exist in this tenant" },
  AADSTS50020: { owner: "user", hint: "the user's account is of another tenant than this application" },
  AADSTS90033: {
    owner: "provider",
    hint: "Entra ID is having trouble: the same request may work in a moment",
    passing: true,
  },
  AADSTS90024: {
    owner: "provider",
    hint: "Entra ID is having trouble: the same request may work in a moment",
    passing: true,
  },
  AADSTS50196: {
    owner: "application",
    hint: "the same request was repeated too often in a short time: keep the token until it expires",
  },
};

/** Translates the AADSTS code of a refusal (`error_codes`, else the description's first code). */
export const explainEntra: Explain = (error, target) => {
  const code = codeOf(error.body["error_codes"], error.description);
  if (code === undefined) return undefined;
  const row = Object.hasOwn(entraErrors, code) ? entraErrors[code] : undefined;
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
function withManifest(row: Row, target: string, description: string): string {
  if (row.manifest === undefined) return row.hint;
  const where = `In the manifest of ${target}`;
  if (row.manifest === "groups") {
    return `${row.hint}. ${where}, under spec.azure.application: add the group's id to claims.groups, or set allowAllUsers: true`;
  }
  const [, cluster, namespace, app] =
    /[('"]([a-z0-9-]+):([a-z0-9-]+):([a-z0-9-]+)[)'"]/.exec(description) ?? [];
  const rule =
    app === undefined
      ? "add this application"
      : `add "- application: ${app}", "namespace: ${namespace}", "cluster: ${cluster}"`;
  return `${row.hint}. ${where}, under spec.accessPolicy.inbound.rules: ${rule}`;
}
