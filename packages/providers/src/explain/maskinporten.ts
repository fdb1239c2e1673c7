import type { Explain, Explanation, Owner } from "../provider.ts";

interface Row {
  readonly owner: Owner;
  readonly hint: string;
  readonly passing?: true;
}

const consumes = "spec.maskinporten.scopes.consumes in this application's manifest";
const clocks = "the clocks of this machine and Maskinporten differ by more than 10 s";

/** What Maskinporten's codes mean on this platform, after the provider's troubleshooting page. */
const maskinportenErrors: Readonly<Record<string, Row>> = {
  "MP-011": {
    owner: "application",
    hint: "a parameter has a value that Maskinporten does not accept: look at target, resource and the other members of the request",
  },
  "MP-012": {
    owner: "platform",
    hint: "the grant had been used before. Each attempt signs a new one, so this points to a copy of the request on the way",
    passing: true,
  },
  "MP-100": {
    owner: "platform",
    hint: "Maskinporten does not know this client, or the client is inactive. A change takes up to 15 minutes to arrive",
  },
  "MP-110": {
    owner: "platform",
    hint: "the grant names another audience than Maskinporten's issuer: production and test are probably mixed up",
  },
  "MP-120": {
    owner: "platform",
    hint: "the certificate that signed the grant is not valid, has expired or was revoked",
  },
  "MP-121": {
    owner: "platform",
    hint: "the client's key has expired: keys live one year. Deploy the application again to get a new one",
  },
  "MP-122": {
    owner: "platform",
    hint: "the certificate belongs to another organisation number than the client",
  },
  "MP-123": { owner: "platform", hint: "the certificate chain in the grant cannot be read" },
  "MP-124": {
    owner: "platform",
    hint: "the grant's signature does not match a registered key: the key was rotated. A new key takes up to 15 minutes to arrive",
  },
  "MP-130": { owner: "platform", hint: `the grant has expired: ${clocks}`, passing: true },
  "MP-200": {
    owner: "application",
    hint: `the scope is not registered on this client: add it to ${consumes}. A change takes up to 15 minutes to arrive`,
  },
  "MP-201": {
    owner: "application",
    hint: "the scope may not be used with this kind of client: it belongs to another integration type",
  },
  "MP-250": {
    owner: "provider",
    hint: "the organisation that owns the scope has not given ours access to it. Ask the API's owner to add our organisation number as a consumer",
  },
  "MP-251": {
    owner: "provider",
    hint: "the organisation in consumer_org has not delegated the scope to ours. Someone with that right there has to delegate it in Altinn",
  },
  "MP-301": {
    owner: "application",
    hint: "authorization_details has a type that Maskinporten does not know",
  },
  "MP-302": { owner: "application", hint: "authorization_details has members that its type does not know" },
  "MP-303": {
    owner: "application",
    hint: "authorization_details has a member with a value that is not valid",
  },
};

const issuedInFuture: Row = {
  owner: "platform",
  hint: `the grant seems to come from the future: ${clocks}`,
  passing: true,
};

/** Translates the MP code of a refusal, which stands in its description. */
export const explainMaskinporten: Explain = (error) => {
  const description = error.description ?? "";
  const code = /\bMP-\d{3}\b/.exec(description)?.[0];
  const row =
    code !== undefined && Object.hasOwn(maskinportenErrors, code) ? maskinportenErrors[code] : undefined;
  if (code !== undefined && row !== undefined) return { code, ...row } satisfies Explanation;
  return /issue time is after now/i.test(description) ? { code: "iat", ...issuedInFuture } : undefined;
};
