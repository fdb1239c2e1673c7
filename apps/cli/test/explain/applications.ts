// Every reason that an application with the SDK refuses a call for, every way of not getting a token there, and every fault
// between servers: met, and gone once the fix is applied.
import { randomUUID } from "node:crypto";
import {
  createSigner,
  Fault,
  fetchMetadata,
  generatePrivateJwk,
  readJson,
  sha256,
  type JwtClaims,
} from "@portvakt/oauth";
import { createSdk, dpopNonces, type DpopNonces, type ValidateOptions } from "@portvakt/sdk";
import { requireToken } from "@portvakt/sdk/fetch";
import { now, type Scenario, type Scenarios } from "./kit.ts";

const issuer = "https://tokenx.example";
const audience = "local:benefits:api";
const env = {
  NAIS_TOKEN_EXCHANGE_ENDPOINT: "http://127.0.0.1:7164/api/v1/token/exchange",
  TOKEN_X_ISSUER: issuer,
  TOKEN_X_JWKS_URI: `${issuer}/jwks`,
  TOKEN_X_CLIENT_ID: audience,
  IDPORTEN_ISSUER: "https://idporten.example",
  IDPORTEN_JWKS_URI: "https://idporten.example/jwks",
  IDPORTEN_AUDIENCE: audience,
};

export async function refusalScenarios(): Promise<Scenarios> {
  const signer = await createSigner(await generatePrivateJwk("RS256"));
  const keys = (): Promise<Response> => Promise.resolve(Response.json({ keys: [signer.publicJwk] }));
  const sdk = createSdk({ env, now, fetch: keys });
  const token = (more: JwtClaims = {}): Promise<string> =>
    signer.sign({
      ...{
        iss: issuer,
        aud: audience,
        sub: "u",
        pid: "17858430038",
        acr: "idporten-loa-high",
        scope: "read",
      },
      ...{ client_id: "local:benefits:portal", iat: now(), exp: now() + 60, ...more },
    });
  const ask = async (
    raw: Promise<string> | string | undefined,
    options: ValidateOptions = {},
  ): Promise<string> => {
    const result = await sdk.validateToken(await raw, options);
    return result.ok ? "ok" : `${result.code}: ${result.error.message}`;
  };
  /** A route that asks for something, and a token with and without it. */
  const guarded = (options: ValidateOptions, right: JwtClaims, wrong: JwtClaims = {}): Scenario => ({
    wrong: () => ask(token(wrong), options),
    fixed: () => ask(token(right), options),
  });
  const bound = { cnf: { jkt: signer.kid } };
  const url = "https://api.example/cases";
  const proofFor = async (raw: string, htm: string, nonce?: string): Promise<string> => {
    const claims = { htm, htu: url, iat: now(), jti: randomUUID(), ath: await sha256(raw) };
    const header = { typ: "dpop+jwt", jwk: signer.publicJwk };
    return signer.sign(nonce === undefined ? claims : { ...claims, nonce }, header);
  };
  const proven = async (htm: string, nonces?: DpopNonces, nonce?: string): Promise<string> => {
    const raw = await token(bound);
    const proof = await proofFor(raw, htm, nonce);
    return ask(raw, { proof: { proof, method: "GET", url, ...(nonces && { nonces }) } });
  };
  /** Proofs of one key one after the other, to an API that remembers few; gives what becomes of the last. */
  const crowded = async (proofs: number): Promise<string> => {
    const small = createSdk({ env, now, fetch: keys, rememberedProofs: 4 });
    const raw = await token(bound);
    let last = "";
    for (let count = 0; count < proofs; count++) {
      const proof = { proof: await proofFor(raw, "GET"), method: "GET", url };
      const result = await small.validateToken(raw, { proof });
      last = result.ok ? "ok" : `${result.code}: ${result.error.message}`;
    }
    return last;
  };
  const nonces = dpopNonces("a secret that all replicas share");
  const route = requireToken({ sdk })(() => new Response("ok"));
  const faulty = { ...sdk, validateToken: () => Promise.reject(new Error("a mistake")) };
  const faultyRoute = requireToken({ sdk: faulty })(() => new Response("ok"));
  const call = async (authorization: string, of = route): Promise<string> => {
    const response = await of(new Request(url, { headers: { authorization } }));
    return response.ok ? "ok" : `${await response.text()} ${response.headers.get("www-authenticate") ?? ""}`;
  };
  const bare = createSdk({ env: {}, now, fetch: keys });
  return {
    no_token: { wrong: () => ask(undefined), fixed: () => ask(token()) },
    malformed_header: {
      wrong: () => call("Bearer one two"),
      fixed: async () => call(`Bearer ${await token()}`),
    },
    not_an_access_token: { wrong: () => ask(token({ nonce: "n" })), fixed: () => ask(token()) },
    sender_constrained: { wrong: () => ask(token(bound)), fixed: () => proven("GET") },
    bad_proof: { wrong: () => proven("POST"), fixed: () => proven("GET").then(() => ask(token())) },
    no_nonce: {
      wrong: () => proven("GET", nonces),
      fixed: async () => proven("GET", nonces, await nonces.issue()),
    },
    too_many_proofs: { wrong: () => crowded(3), fixed: () => crowded(2) },
    server_error: {
      wrong: async () => call(`Bearer ${await token()}`, faultyRoute),
      fixed: async () => call(`Bearer ${await token()}`),
    },
    insufficient_scope: guarded({ scope: "write" }, { scope: "read write" }),
    insufficient_acr: guarded({ acr: "idporten-loa-high" }, {}, { acr: "idporten-loa-substantial" }),
    missing_role: guarded({ roles: "admin" }, { roles: ["admin"] }),
    missing_group: guarded({ groups: "g" }, { groups: ["g"] }),
    wrong_kind: {
      wrong: () => ask(token(), { kind: "machine" }),
      fixed: () => ask(token(), { kind: "user" }),
    },
    wrong_caller: guarded({ clients: "local:benefits:tool" }, { client_id: "local:benefits:tool" }),
    not_configured: {
      wrong: async () => {
        const result = await bare.validateTokenxToken(await token());
        return result.ok ? "ok" : `${result.code}: ${result.error.message}`;
      },
      fixed: () => ask(token()),
    },
  };
}

/** What an application sees of a token API that is away, or is something else. */
export function acquireScenarios(): Scenarios {
  const userToken = `${btoa('{"alg":"RS256"}')}.${btoa('{"iss":"https://tokenx.example"}')}.x`;
  const obtain = async (answer: () => Promise<Response>): Promise<string> => {
    const result = await createSdk({ env, now, fetch: answer }).requestTokenxOboToken(
      userToken,
      "local:benefits:next",
    );
    return result.ok ? "ok" : `${result.code}: ${result.error.message}`;
  };
  const fixed = (): Promise<string> =>
    obtain(() => Promise.resolve(Response.json({ access_token: "t", expires_in: 60, token_type: "Bearer" })));
  return {
    unreachable: { wrong: () => obtain(() => Promise.reject(new TypeError("refused"))), fixed },
    bad_response: { wrong: () => obtain(() => Promise.resolve(new Response("<html>"))), fixed },
  };
}

/** Trouble between servers. */
export function faultScenarios(): Scenarios {
  const faulty = async (work: () => Promise<unknown>): Promise<string> => {
    try {
      await work();
      return "ok";
    } catch (error) {
      if (error instanceof Fault) return `${error.code}: ${error.message}`;
      throw error;
    }
  };
  const metadata = (answer: () => Promise<Response>): Promise<string> =>
    faulty(() => fetchMetadata({ url: `${issuer}/.well-known/x`, expectIssuer: issuer, fetch: answer }));
  const fixed = (): Promise<string> => metadata(() => Promise.resolve(Response.json({ issuer })));
  return {
    unreachable: { wrong: () => metadata(() => Promise.reject(new TypeError("refused"))), fixed },
    bad_response: { wrong: () => metadata(() => Promise.resolve(new Response("<html>"))), fixed },
    issuer_mismatch: {
      wrong: () => metadata(() => Promise.resolve(Response.json({ issuer: "https://test.example" }))),
      fixed,
    },
    too_large: {
      wrong: () => faulty(() => readJson(Response.json({ all: "x".repeat(2000) }), 1000)),
      fixed: () => faulty(() => readJson(Response.json({ some: "x" }), 1000)),
    },
    bad_key: {
      wrong: () => faulty(() => createSigner({ kty: "RSA", n: "AQAB", e: "AQAB" })),
      fixed: () => faulty(async () => createSigner(await generatePrivateJwk("ES256"))),
    },
  };
}
