import { decisionReasons } from "@portvakt/policy";
import { entraErrors, maskinportenErrors, tokenxErrors, type ErrorRow } from "@portvakt/providers";
import { faultMeanings } from "./faults.ts";
import { owners, type Meaning } from "./meaning.ts";
import { protocolErrorMeanings } from "./protocol-errors.ts";
import { sdkAcquireMeanings, sdkRefusalMeanings } from "./sdk-refusals.ts";
import { tokenRefusalMeanings } from "./token-refusals.ts";

/** A table of codes, and what a sentence calls one of them. */
interface Table {
  readonly kind: string;
  readonly codes: Readonly<Record<string, Meaning>>;
}

/** The sentences of decisions hold places for names; without a decision these stand for them. */
const stands: Readonly<Record<string, string>> = {
  actor: "the caller",
  target: "the target",
  rule: "one of its inbound rules",
  missing: "that was asked for",
};

/** What is said of a decision without its names, where the sentence with names would not read well. */
const nameless: Readonly<Partial<Record<keyof typeof decisionReasons, string>>> = {
  malformed_actor: "The caller's name is not of the form cluster:namespace:name, so no rule can admit it.",
  malformed_target: "The target's name is not of the form cluster:namespace:name.",
  unknown_target: "There is no application of the target's name here.",
  no_inbound_rules:
    "The target admits no callers: its manifest has no inbound rules, and the caller needs one.",
  other_namespace:
    "The target does not admit the caller: one of its inbound rules admits an application of that name, but in another namespace than the caller's.",
  other_cluster:
    "The target does not admit the caller: one of its inbound rules admits an application of that name, but in another cluster than the caller's.",
};

const ownersOfProviders = {
  application: owners.caller,
  target: owners.target,
  user: owners.user,
  platform: owners.platform,
  provider: owners.provider,
} as const;

/** Every table of refusals that the platform has. A code is looked up in this order. */
export const tables: readonly Table[] = [
  { kind: "a decision of the access policy", codes: ofDecisions() },
  { kind: "a refusal of Entra ID", codes: ofProvider(entraErrors, microsoftPage) },
  { kind: "a refusal of Maskinporten", codes: ofProvider(maskinportenErrors) },
  { kind: "a refusal of a token", codes: tokenRefusalMeanings },
  { kind: "a refusal by an application", codes: sdkRefusalMeanings },
  { kind: "no token for an application", codes: sdkAcquireMeanings },
  { kind: "an error of the protocol", codes: protocolErrorMeanings },
  { kind: "a fault, which only logs tell", codes: faultMeanings },
];

/** What the token API says more of the protocol's codes when they come from TokenX; looked up, they are the protocol's. */
export const tokenxHints: Table = {
  kind: "a refusal of TokenX, as the token API tells it",
  codes: ofProvider(tokenxErrors),
};

/** A code that is known here, and what it means. */
export interface Known extends Meaning {
  readonly code: string;
  readonly kind: string;
}

/** What a code means; `undefined` for one that nobody here can send. Entra ID's may be written without AADSTS. */
export function meaningOf(code: string): Known | undefined {
  const written = /^\d{4,9}$/.test(code) ? `AADSTS${code}` : code;
  for (const { kind, codes } of tables) {
    const found = Object.keys(codes).find((known) => known.toLowerCase() === written.toLowerCase());
    const known = found === undefined ? undefined : codes[found];
    if (found !== undefined && known !== undefined) return { code: found, kind, ...known };
  }
  return undefined;
}

function ofDecisions(): Record<string, Meaning> {
  return Object.fromEntries(
    Object.entries(decisionReasons).map(([code, { explanation, owner, fix }]) => {
      const cause =
        nameless[code as keyof typeof decisionReasons] ??
        explanation.replaceAll(/\{(\w+)\}/g, (_place, name: string) => stands[name] ?? name);
      return [code, { cause: capital(cause), owner, fix }];
    }),
  );
}

function ofProvider(
  rows: Readonly<Record<string, ErrorRow>>,
  page: (code: string) => string | undefined = () => undefined,
): Record<string, Meaning> {
  return Object.fromEntries(
    Object.entries(rows).map(([code, { owner, cause, fix }]) => {
      const uri = page(code);
      const known: Meaning = {
        cause: `${capital(cause)}.`,
        owner: ownersOfProviders[owner],
        fix: `${fix}.`,
        ...(uri === undefined ? {} : { uri }),
      };
      return [code, known];
    }),
  );
}

function microsoftPage(code: string): string {
  return `https://login.microsoftonline.com/error?code=${code.slice("AADSTS".length)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
