import type { DevState } from "../running/state.ts";
import { span } from "@portvakt/explain";
import { bad, good, note, type Check, type Finding } from "./finding.ts";

/** A provider as somebody set it up: where its metadata is, and the issuer that its tokens are to have. */
interface Expected {
  readonly name: string;
  readonly wellKnown: string;
  readonly issuer: string | undefined;
}

const timeoutMs = 5000;
const toleratedSeconds = 10;
const prefixes = { IDPORTEN: "ID-porten", TOKEN_X: "TokenX", MASKINPORTEN: "Maskinporten" } as const;

/** The providers that the environment names, as the platform injects them, and those of the running platform. */
export function expectedProviders(
  env: Readonly<Record<string, string | undefined>>,
  running: DevState | undefined,
): readonly Expected[] {
  const named = Object.entries(prefixes).map(([prefix, name]) => ({
    name: `${name} (${prefix}_WELL_KNOWN_URL)`,
    wellKnown: env[`${prefix}_WELL_KNOWN_URL`],
    issuer: env[`${prefix}_ISSUER`],
  }));
  const entra = {
    name: "Entra ID (AZURE_APP_WELL_KNOWN_URL)",
    wellKnown: env["AZURE_APP_WELL_KNOWN_URL"],
    issuer: env["AZURE_OPENID_CONFIG_ISSUER"],
  };
  const injected = [...named, entra].flatMap(({ wellKnown, ...rest }) =>
    wellKnown === undefined ? [] : [{ ...rest, wellKnown }],
  );
  return [...injected, ...(running === undefined ? [] : ofPlatform(running))];
}

function ofPlatform({ providers }: DevState): Expected[] {
  const at = (name: string, { issuer }: { issuer: string }, document: string): Expected => ({
    name: `${name} of the platform here`,
    wellKnown: `${issuer.replace(/\/$/, "")}/.well-known/${document}`,
    issuer,
  });
  return [
    at("ID-porten", providers.idporten, "openid-configuration"),
    at("Entra ID", providers.entra, "openid-configuration"),
    at("Maskinporten", providers.maskinporten, "oauth-authorization-server"),
    at("TokenX", providers.tokenx, "oauth-authorization-server"),
  ];
}

/** Fetches a provider's metadata and key set: is it there, is it the right one, and what time is it there? */
export function providerCheck({ name, wellKnown, issuer }: Expected, now: () => number): Check {
  return async () => {
    const fetched = await fetchJson(wellKnown);
    if ("trouble" in fetched) {
      return [
        bad(
          name,
          `${wellKnown} ${fetched.trouble}`,
          "open the way to it, or set the address that is right here",
        ),
      ];
    }
    const { body, date } = fetched;
    return [
      issuerFinding(name, body["issuer"], issuer),
      ...(await otherSide(name, wellKnown, body["issuer"])),
      ...(await keyFindings(name, body["jwks_uri"])),
      ...(date === undefined ? [] : [clockFinding(name, now() - date)]),
    ];
  };
}

function issuerFinding(name: string, found: unknown, expected: string | undefined): Finding {
  if (expected === undefined || found === expected)
    return good(name, `its metadata names the issuer ${String(found)}`);
  return bad(
    name,
    `its metadata names the issuer ${String(found)}, and ${expected} is expected`,
    "set the issuer letter by letter, the slash at its end included; test and production are often mixed up",
  );
}

/**
 * Applications may reach a provider by another address than browsers do, whose address is the issuer: is it the same provider
 * from both sides? Nothing is said where both are one address.
 */
async function otherSide(name: string, wellKnown: string, issuer: unknown): Promise<Finding[]> {
  if (typeof issuer !== "string" || !URL.canParse(issuer)) return [];
  const [inside, outside] = [new URL(wellKnown), new URL(issuer)];
  if (inside.origin === outside.origin) return [];
  const address = new URL(`${inside.pathname}${inside.search}`, outside).href;
  const fetched = await fetchJson(address);
  if ("trouble" in fetched) {
    return [
      note(
        name,
        `applications reach it at ${inside.origin} and browsers at ${outside.origin}: ${address} ${fetched.trouble}`,
        "nothing, if browsers reach it; else make the issuer's address lead to it",
      ),
    ];
  }
  const other = fetched.body["issuer"];
  return other === issuer
    ? [good(name, `the same issuer from both sides, ${inside.origin} and ${outside.origin}`)]
    : [
        bad(
          name,
          `applications reach it at ${inside.origin}, where its issuer is ${issuer}, and browsers at ${outside.origin}, where it is ${String(other)}`,
          "give it one issuer, whatever address it is asked at; tokens of the one are refused by the other",
        ),
      ];
}

async function keyFindings(name: string, uri: unknown): Promise<Finding[]> {
  if (typeof uri !== "string")
    return [bad(name, "its metadata has no jwks_uri", "is that an authorization server?")];
  const fetched = await fetchJson(uri);
  if ("trouble" in fetched) {
    return [
      bad(
        name,
        `its key set ${uri} ${fetched.trouble}`,
        "open the way to it: without keys no token can be verified",
      ),
    ];
  }
  const { keys } = fetched.body;
  const count = Array.isArray(keys) ? keys.length : 0;
  return [
    count > 0
      ? good(name, `its key set has ${count} key${count === 1 ? "" : "s"}`)
      : bad(name, "its key set is empty", "wait for its next key, or look into its log"),
  ];
}

function clockFinding(name: string, difference: number): Finding {
  const off = Math.abs(difference);
  // a Date header has whole seconds, and the answer took its time
  if (off <= 3) return good(name, "its clock and the one here agree");
  const detail = `its clock is ${span(Math.round(off))} ${difference > 0 ? "behind" : "ahead of"} the one here`;
  const fix = "set the clocks (NTP): tokens are refused when they differ by more than 10 s";
  return off > toleratedSeconds ? bad(name, detail, fix) : note(name, detail, fix);
}

type Fetched = { readonly body: Readonly<Record<string, unknown>>; readonly date: number | undefined };

async function fetchJson(url: string): Promise<Fetched | { readonly trouble: string }> {
  try {
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) return { trouble: `answers ${response.status}` };
    const body: unknown = await response.json();
    if (typeof body !== "object" || body === null) return { trouble: "answers no JSON object" };
    const date = Date.parse(response.headers.get("date") ?? "");
    return { body: { ...body }, date: Number.isNaN(date) ? undefined : date / 1000 };
  } catch {
    return { trouble: "cannot be fetched from here" };
  }
}
