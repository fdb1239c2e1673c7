// A citizen's token on its way through two applications, bound to a key at each step (RFC 9449): real TokenX, two real token APIs,
// an API that the SDK guards.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from "jose";
import type { CryptoKey, JWK } from "jose";
import { readSettings } from "@portvakt/runtime/config";
import { createLogger, createMetrics } from "@portvakt/runtime/observe";
import type { Running, Tools } from "@portvakt/runtime/process";
import { createSdk } from "@portvakt/sdk";
import { requireToken } from "@portvakt/sdk/fetch";
import * as tokens from "@portvakt/tokens";
import * as tokenx from "@portvakt/tokenx";

interface Party {
  readonly key: CryptoKey;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
}

async function party(): Promise<Party> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const named = { kid: randomUUID(), alg: "ES256", use: "sig" };
  const [own, shown] = await Promise.all([exportJWK(privateKey), exportJWK(publicKey)]);
  return { key: privateKey, publicJwk: { ...shown, ...named }, privateJwk: { ...own, ...named } };
}

const time = 1_800_000_000;
const now = (): number => time;
const tools = (): Tools => ({
  now,
  log: createLogger({ name: "chain", destination: { write: () => undefined } }),
  metrics: createMetrics(),
});
const signed = (by: Party, claims: Record<string, unknown>): Promise<string> =>
  new SignJWT({ iat: time, exp: time + 60, jti: randomUUID(), ...claims })
    .setProtectedHeader({ alg: "ES256", kid: by.publicJwk.kid ?? "" })
    .sign(by.key);

const [portal, api, register] = ["local:b:portal", "local:b:api", "local:b:register"] as const;
const audience = "https://platform.example";
const dpop = { origin: "https://api.example" };
const address = "https://api.example/applications";

describe("bound tokens from sign-in to the last API", () => {
  const running: Running[] = [];
  const apis = new Map<string, string>();
  const idporten = createServer();
  let issuer: string;
  let citizen: string;
  let guarded: (request: Request) => Promise<Response>;

  before(async () => {
    const [provider, registrar] = await Promise.all([party(), party()]);
    idporten.on("request", (request, response) => {
      const keys = { keys: [provider.publicJwk] };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(request.url === "/jwks" ? keys : { issuer: at, jwks_uri: `${at}/jwks` }));
    });
    idporten.listen(0, "127.0.0.1");
    await once(idporten, "listening");
    const at = `http://127.0.0.1:${(idporten.address() as AddressInfo).port}`;
    const wellKnown = `${at}/.well-known/openid-configuration`;
    const exchanger = await tokenx.start(
      readSettings(tokenx.settings, {
        PORTVAKT_TOKENX_BIND_ADDRESS: "127.0.0.1:0",
        PORTVAKT_TOKENX_DATA_DIRECTORY: "memory",
        SUBJECT_TOKEN_ISSUERS: wellKnown,
        PORTVAKT_TOKENX_SUBJECT_RULES: JSON.stringify({ [wellKnown]: { audiences: [audience] } }),
        AUTH_CLIENT_ID: "registrar",
        AUTH_CLIENT_JWKS: JSON.stringify({ keys: [registrar.publicJwk] }),
      }),
      tools(),
    );
    running.push(exchanger);
    issuer = exchanger.addresses["tokenx"] ?? "";
    const callers: Record<string, readonly string[]> = { [portal]: [], [api]: [portal], [register]: [api] };
    for (const [id, inbound] of Object.entries(callers)) {
      const own = await party();
      const bearer = await signed(registrar, { iss: "registrar", sub: "registrar", aud: issuer });
      const statement = {
        iss: "registrar",
        appId: id,
        accessPolicyInbound: inbound,
        accessPolicyOutbound: [],
      };
      const registered = await fetch(`${issuer}/registration/client`, {
        method: "POST",
        headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
        body: JSON.stringify({
          client_name: id,
          jwks: { keys: [own.publicJwk] },
          software_statement: await signed(registrar, statement),
        }),
      });
      assert.equal(registered.status, 201, await registered.text());
      const beside = await tokens.start(
        readSettings(tokens.settings, {
          PORTVAKT_TOKENS_BIND_ADDRESS: "127.0.0.1:0",
          PORTVAKT_TOKENS_DPOP_PROVIDERS: "tokenx",
          TOKEN_X_ENABLED: "true",
          TOKEN_X_CLIENT_ID: id,
          TOKEN_X_PRIVATE_JWK: JSON.stringify(own.privateJwk),
          TOKEN_X_WELL_KNOWN_URL: `${issuer}/.well-known/oauth-authorization-server`,
        }),
        tools(),
      );
      running.push(beside);
      apis.set(id, beside.addresses["tokens"] ?? "");
    }
    citizen = await signed(provider, {
      ...{ iss: at, aud: audience, sub: "pairwise", pid: "12345678901", acr: "idporten-loa-high" },
      client_id: "portal-at-idporten",
    });
    const env = { TOKEN_X_ISSUER: issuer, TOKEN_X_JWKS_URI: `${issuer}/jwks`, TOKEN_X_CLIENT_ID: api };
    guarded = requireToken({ sdk: createSdk({ env, now }), dpop: { ...dpop, required: true } })(
      (_request, caller) =>
        Response.json({ client: caller.client, pid: caller.user?.pid, token: caller.token }),
    );
  });
  after(async () => {
    for (const one of running.toReversed()) await one.close();
    idporten.closeAllConnections();
    idporten.close();
  });

  const ask = async (of: string, path: string, body: object) => {
    const response = await fetch(`${apis.get(of)}/api/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  const exchanged = async (by: string, userToken: string, target: string): Promise<string> => {
    const asked = { identity_provider: "tokenx", target, user_token: userToken };
    const { status, body } = await ask(by, "token/exchange", asked);
    assert.deepEqual([status, body["token_type"]], [200, "DPoP"], JSON.stringify(body));
    return body["access_token"] ?? "";
  };
  const proofFor = async (by: string, token: string): Promise<string> => {
    const { body } = await ask(by, "dpop-proof", { method: "GET", url: address, access_token: token });
    return body["proof"] ?? "";
  };
  const call = (headers: Record<string, string>): Promise<Response> =>
    guarded(new Request(`http://10.0.0.7:8080/applications?page=1`, { headers }));

  test("the portal's token opens the API with the portal's proof, and with nothing else", async () => {
    const token = await exchanged(portal, citizen, api);
    const proof = await proofFor(portal, token);
    const admitted = await call({ authorization: `DPoP ${token}`, dpop: proof });
    assert.equal(admitted.status, 200);
    const { client, pid } = (await admitted.json()) as Record<string, string>;
    assert.deepEqual([client, pid], [portal, "12345678901"]);
    const wrong: Record<string, Record<string, string>> = {
      "the same proof again": { authorization: `DPoP ${token}`, dpop: proof },
      "no proof": { authorization: `DPoP ${token}` },
      "a plain bearer token": { authorization: `Bearer ${token}` },
      "a proof by another application's key": {
        authorization: `DPoP ${token}`,
        dpop: await proofFor(register, token),
      },
    };
    for (const [name, headers] of Object.entries(wrong)) {
      const refused = await call(headers);
      assert.equal(refused.status, 401, name);
      assert.match(refused.headers.get("www-authenticate") ?? "", /^DPoP /, name);
    }
  });

  test("RFC 9449 section 5: the API exchanges the user's bound token for one that is bound to its own key", async () => {
    const theirs = await exchanged(portal, citizen, api);
    const ours = await exchanged(api, theirs, register);
    const [before_, after_] = [decodeJwt(theirs), decodeJwt(ours)];
    assert.deepEqual([after_["aud"], after_["client_id"], after_["pid"]], [register, api, "12345678901"]);
    assert.notDeepEqual(after_["cnf"], before_["cnf"]);
    assert.ok((after_["cnf"] as { jkt: string }).jkt);
  });
});
