import type { webcrypto } from "node:crypto";
import { Failed, must } from "../failed.ts";
import { json } from "../http.ts";
import type { Journey, Trip } from "../journey.ts";
import { brief, textIn } from "./answers.ts";
import { signedByStranger, signedWithPublicKey, unsigned, withBadSignature } from "./forgeries.ts";
import { demo, tokenApi } from "./people.ts";

/** A token that must be refused, and the codes that say it was refused for the right reason. */
interface Refusal {
  readonly what: string;
  readonly make: (bench: Bench) => Promise<string | undefined> | string | undefined;
  readonly codes: readonly string[];
}

/** What the refused tokens are made of: a right one, and the stand-ins that make others like it. */
interface Bench {
  readonly right: string;
  readonly order: (change?: Readonly<Record<string, unknown>>) => Promise<string>;
  readonly citizenToken: () => Promise<string>;
  readonly publicKey: () => Promise<webcrypto.JsonWebKey>;
  readonly callerId: string;
  readonly now: number;
}

const refusals: readonly Refusal[] = [
  { what: "no token", make: () => undefined, codes: ["no_token"] },
  { what: "an expired token", make: ({ order }) => order({ expiresIn: -120 }), codes: ["expired"] },
  {
    what: "a token that is not valid yet",
    make: ({ order, now }) => order({ claims: { nbf: Math.floor(now) + 600 } }),
    codes: ["not_yet_valid"],
  },
  {
    what: "a token for another application",
    make: ({ order, callerId }) => order({ audience: callerId }),
    codes: ["wrong_audience"],
  },
  {
    what: "a token with another issuer",
    make: ({ order }) => order({ claims: { iss: "https://login.example/v2.0" } }),
    codes: ["wrong_issuer"],
  },
  {
    what: "a token of another provider",
    make: ({ citizenToken }) => citizenToken(),
    codes: ["wrong_issuer", "unknown_key"],
  },
  {
    what: "an ID token used as access token",
    make: ({ order }) => order({ token: "id_token" }),
    codes: ["not_an_access_token", "wrong_audience"],
  },
  {
    what: "a token with a bad signature",
    make: ({ right }) => withBadSignature(right),
    codes: ["bad_signature"],
  },
  { what: "a token with alg none", make: ({ right }) => unsigned(right), codes: ["alg_not_allowed"] },
  {
    what: "a token with HS256 and the public key as secret",
    make: async ({ right, publicKey }) => signedWithPublicKey(right, await publicKey()),
    codes: ["alg_not_allowed"],
  },
  {
    what: "a token signed by an unknown key",
    make: ({ right }) => signedByStranger(right),
    codes: ["unknown_key"],
  },
];

/** Journey 4: case-api, by the SDK, and its token API, by introspection, tell right tokens from wrong ones. */
export const validateCallers: Journey = {
  id: "4",
  name: "validate whoever calls",
  async travel(trip) {
    const bench = await setUp(trip);
    const accepted = await callCaseApi(trip, bench.right);
    must(accepted.status === 200, `case-api refused a right token: ${accepted.reason}`);
    const active = await introspect(trip, bench.right);
    must(active["active"] === true, `introspection refused a right token: ${brief(active)}`);
    const seen = ["a right token is accepted"];
    for (const refusal of refusals) seen.push(await mustBeRefused(trip, bench, refusal));
    return seen;
  },
};

async function mustBeRefused(trip: Trip, bench: Bench, { what, make, codes }: Refusal): Promise<string> {
  const token = await make(bench);
  const answer = await callCaseApi(trip, token);
  must(answer.status === 401, `case-api answered ${answer.status} to ${what}`, answer.reason);
  must(
    codes.includes(answer.code),
    `case-api refused ${what}, but for another reason: ${answer.code} instead of ${codes.join(" or ")}`,
    answer.reason,
  );
  if (token !== undefined) {
    const judged = await introspect(trip, token);
    must(judged["active"] === false, `introspection calls ${what} active`);
    must(textIn(judged, "error") !== undefined, `introspection does not say why it refused ${what}`);
  }
  return `refused ${what}: ${answer.reason}`;
}

async function callCaseApi(
  trip: Trip,
  token: string | undefined,
): Promise<{ status: number; code: string; reason: string }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await trip.ask(`${demo(trip, "case-api").url}/api/cases`, { headers });
  const body = await json(response, "case-api");
  return { status: response.status, code: textIn(body, "code") ?? "", reason: textIn(body, "detail") ?? "" };
}

async function introspect(trip: Trip, token: string): Promise<Record<string, unknown>> {
  const response = await trip.ask(`${tokenApi(trip, "case-api")}/api/v1/introspect`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ identity_provider: "entra_id", token }),
  });
  return await json(response, "the token API of case-api");
}

async function setUp(trip: Trip): Promise<Bench> {
  const target = clientOf(trip, "case-api", "entra");
  const caller = clientOf(trip, "caseworker", "entra");
  const usual = { provider: "entra", persona: "anna", client_id: caller, audience: target };
  const order = async (change: Readonly<Record<string, unknown>> = {}): Promise<string> => {
    // an ID token is made for the application that the person signed in to
    const idToken = change["token"] === "id_token" ? { client_id: target } : {};
    return await orderToken(trip, { ...usual, ...idToken, ...change });
  };
  return {
    right: await order(),
    order,
    citizenToken: () =>
      orderToken(trip, {
        provider: "idporten",
        persona: "kari",
        client_id: clientOf(trip, "portal", "idporten"),
      }),
    publicKey: () => firstKey(trip),
    callerId: caller,
    now: trip.now(),
  };
}

function clientOf(trip: Trip, application: string, provider: string): string {
  const id = demo(trip, application).clients[provider];
  if (id === undefined) throw new Failed(`${application} has no client at ${provider}`);
  return id;
}

async function orderToken(trip: Trip, order: Readonly<Record<string, unknown>>): Promise<string> {
  const response = await trip.ask(`${trip.state.control}/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(order),
  });
  const answer = await json(response, "the stand-ins' control API");
  const token = textIn(answer, "token");
  if (token === undefined) throw new Failed(`the stand-ins made no token: ${brief(answer)}`);
  return token;
}

async function firstKey(trip: Trip): Promise<webcrypto.JsonWebKey> {
  const answer = await json(await trip.ask(trip.state.providers.entra.jwksUri), "Entra ID's key set");
  const { keys } = answer as { keys?: webcrypto.JsonWebKey[] };
  const [key] = keys ?? [];
  if (key === undefined) throw new Failed("Entra ID's key set is empty");
  return key;
}
