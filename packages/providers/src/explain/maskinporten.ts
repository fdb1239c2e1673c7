import type { Explain } from "../provider.ts";
import { explanationOf, type ErrorRow } from "./row.ts";

const clocks = "the clocks of this machine and Maskinporten differ by more than 10 s";
const newKey = "A new key takes up to 15 minutes to arrive";
const setClock = "Set the clock, and sign a new grant for every request";

/** What Maskinporten's codes mean on this platform, after the provider's troubleshooting page. */
export const maskinportenErrors = {
  "MP-011": {
    owner: "application",
    cause: "a parameter has a value that Maskinporten does not accept",
    fix: "Look at target, resource and the other members of the request",
  },
  "MP-012": {
    owner: "platform",
    cause: "the grant had been used before",
    fix: "Each attempt signs a new one, so this points to a copy of the request on the way",
    passing: true,
  },
  "MP-100": {
    owner: "platform",
    cause: "Maskinporten does not know this client, or the client is inactive",
    fix: "Deploy the application with spec.maskinporten.enabled. A change takes up to 15 minutes to arrive",
  },
  "MP-110": {
    owner: "platform",
    cause:
      "the grant names another audience than Maskinporten's issuer: production and test are probably mixed up",
    fix: "Use the issuer that the platform injects (MASKINPORTEN_ISSUER), with its slash at the end",
  },
  "MP-120": {
    owner: "platform",
    cause: "the certificate that signed the grant is not valid, has expired or was revoked",
    fix: "Get a new certificate for the organisation",
  },
  "MP-121": {
    owner: "platform",
    cause: "the client's key has expired or is not registered: keys live one year",
    fix: `Deploy the application again to get a new one. ${newKey}`,
  },
  "MP-122": {
    owner: "platform",
    cause: "the certificate belongs to another organisation number than the client",
    fix: "Sign with the certificate of the client's own organisation",
  },
  "MP-123": {
    owner: "platform",
    cause: "the certificate chain in the grant cannot be read",
    fix: "Send the chain in x5c, the signing certificate first, each as base64 of DER",
  },
  "MP-124": {
    owner: "platform",
    cause: "the grant's signature does not match a registered key: the key was rotated",
    fix: newKey,
  },
  "MP-130": { owner: "platform", cause: `the grant has expired: ${clocks}`, fix: setClock, passing: true },
  "MP-200": {
    owner: "application",
    cause: "the scope is not registered on this client",
    fix: "Add it to spec.maskinporten.scopes.consumes in this application's manifest. A change takes up to 15 minutes to arrive",
  },
  "MP-201": {
    owner: "application",
    cause: "the scope may not be used with this kind of client: it belongs to another integration type",
    fix: "Ask for a scope of Maskinporten's; those of ID-porten are for sign-in",
  },
  "MP-250": {
    owner: "provider",
    cause: "the organisation that owns the scope has not given ours access to it",
    fix: "Ask the API's owner to add our organisation number as a consumer",
  },
  "MP-251": {
    owner: "provider",
    cause: "the organisation in consumer_org has not delegated the scope to ours",
    fix: "Someone with that right there has to delegate it in Altinn",
  },
  "MP-301": {
    owner: "application",
    cause: "the member authorization_details has a type that Maskinporten does not know",
    fix: "Use urn:altinn:systemuser, the type that Maskinporten has",
  },
  "MP-302": {
    owner: "application",
    cause: "the member authorization_details has members that its type does not know",
    fix: "Send only the members of its type",
  },
  "MP-303": {
    owner: "application",
    cause: "the member authorization_details has a member with a value that is not valid",
    fix: "Mend the value that the description names",
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;

/** Maskinporten has no code for this one. */
const issuedInFuture: ErrorRow = {
  owner: "platform",
  cause: `the grant seems to come from the future: ${clocks}`,
  fix: setClock,
  passing: true,
};

/** Translates the MP code of a refusal, which stands in its description. */
export const explainMaskinporten: Explain = (error) => {
  const description = error.description ?? "";
  const code = /\bMP-\d{3}\b/.exec(description)?.[0];
  const rows: Readonly<Record<string, ErrorRow>> = maskinportenErrors;
  const row = code !== undefined && Object.hasOwn(rows, code) ? rows[code] : undefined;
  if (code !== undefined && row !== undefined) return explanationOf(code, row);
  return /issue time is after now/i.test(description) ? explanationOf("iat", issuedInFuture) : undefined;
};
