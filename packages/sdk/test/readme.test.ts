// Every example of the README, run as it stands there: over the process's own environment, against a real server that has the
// providers' keys and the token API.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

const folder = resolve(import.meta.dirname, "..");
const readme = await readFile(join(folder, "README.md"), "utf8");
const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gmsu)].map(([, text = ""]) => text);
const place = resolve(folder, "../../.cache/sdk-readme");

const pair = await generateKeyPair("RS256", { extractable: true });
const keys = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: "one", alg: "RS256" }] };
const asked: Record<string, unknown>[] = [];
let tokenType = "Bearer";
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    const isKeys = request.url?.startsWith("/jwks") === true;
    if (!isKeys) asked.push(JSON.parse(body) as Record<string, unknown>);
    const token = { access_token: `token-${asked.length}`, expires_in: 60, token_type: tokenType };
    const proof = { proof: `proof ${JSON.stringify(asked.at(-1))}` };
    const answer = request.url === "/api/v1/dpop-proof" ? proof : isKeys ? keys : token;
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
  });
});

let origin = "";
const issuers = { IDPORTEN: "idporten", AZURE_OPENID_CONFIG: "entra", TOKEN_X: "tokenx" } as const;
type Issuer = (typeof issuers)[keyof typeof issuers];
const sign = (issuer: Issuer, claims: Record<string, unknown>): Promise<string> =>
  new SignJWT({ iss: `https://${issuer}.example`, aud: "me", ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "one" })
    .setIssuedAt()
    .setExpirationTime("1m")
    .sign(pair.privateKey);
const citizen = () =>
  sign("tokenx", { client_id: "local:benefits:portal", pid: "12345678901", acr: "Level4" });

/** The example with these words in it, as a module. */
async function example(words: string): Promise<Record<string, unknown>> {
  const at = blocks.findIndex((text) => text.includes(words));
  assert.notEqual(at, -1, `no example has ${words}`);
  const file = join(place, `${at}.ts`);
  await writeFile(file, blocks[at] ?? "");
  return (await import(file)) as Record<string, unknown>;
}

type Handler = Parameters<typeof createServer>[1];

/** What an application's handler answers on the socket: with a citizen's token, and without one. */
async function served(handler: Handler): Promise<(string | number)[]> {
  const api = createServer(handler as Parameters<typeof createServer>[0]).listen(0, "127.0.0.1");
  await once(api, "listening");
  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}/api/me`;
  const right = await fetch(url, { headers: { authorization: `Bearer ${await citizen()}` } });
  const answers = [await right.text(), (await fetch(url)).status];
  api.closeAllConnections();
  api.close();
  return answers;
}

describe("the README's examples", () => {
  before(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const [prefix, issuer] of Object.entries(issuers)) {
      process.env[`${prefix}_ISSUER`] = `https://${issuer}.example`;
      process.env[`${prefix}_JWKS_URI`] = `${origin}/jwks/${issuer}`;
    }
    for (const name of ["IDPORTEN_AUDIENCE", "AZURE_APP_CLIENT_ID", "TOKEN_X_CLIENT_ID"])
      process.env[name] = "me";
    process.env["NAIS_TOKEN_ENDPOINT"] = `${origin}/api/v1/token`;
    process.env["NAIS_TOKEN_EXCHANGE_ENDPOINT"] = `${origin}/api/v1/token/exchange`;
    await mkdir(place, { recursive: true });
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(place, { recursive: true, force: true });
  });

  const told = ["local:benefits:portal for 12345678901", 401];
  test("Hono", async () => {
    const { app } = (await example('from "hono"')) as { app: { fetch(request: Request): Promise<Response> } };
    const authorization = `Bearer ${await citizen()}`;
    const right = await app.fetch(new Request("http://api/api/me", { headers: { authorization } }));
    assert.deepEqual([await right.text(), (await app.fetch(new Request("http://api/api/me"))).status], told);
  });
  test("Express", async () => {
    assert.deepEqual(await served((await example('from "express"'))["app"] as Handler), told);
  });
  test("Fastify", async () => {
    const { app } = (await example('from "fastify"')) as {
      app: { ready(): Promise<void>; routing: Handler; close(): Promise<void> };
    };
    await app.ready();
    assert.deepEqual(await served(app.routing), told);
    await app.close();
  });
  test("Koa", async () => {
    const { app } = (await example('from "koa"')) as { app: { callback(): Handler } };
    assert.deepEqual(await served(app.callback()), told);
  });
  test("node:http", async () => {
    const { server: api } = (await example('from "node:http"')) as {
      server: ReturnType<typeof createServer>;
    };
    assert.deepEqual(await served((...pair) => void api.emit("request", ...pair)), told);
  });
  test("Next.js", async () => {
    const { GET } = (await example("Next.js")) as { GET(request: Request): Promise<Response> };
    const authorization = `Bearer ${await citizen()}`;
    const right = await GET(new Request("http://api/api/me", { headers: { authorization } }));
    assert.deepEqual([await right.text(), (await GET(new Request("http://api/api/me"))).status], told);
  });
  test("who calls", async () => {
    const { whoCalls } = (await example("whoCalls")) as { whoCalls(request: Request): Promise<string> };
    const authorization = `Bearer ${await citizen()}`;
    const request = new Request("http://api/", { headers: { authorization } });
    assert.equal(await whoCalls(request), "local:benefits:portal");
  });
  test("each provider's tokens", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: 1_800_000_000_000 });
    const { readToken } = (await example("readToken")) as { readToken(token: string): Promise<string> };
    const idporten = await sign("idporten", { client_id: "c", pid: "12345678901" });
    assert.equal(await readToken(idporten), "12345678901, for another 60 s");
    const names = { oid: "o", NAVident: "A123456", preferred_username: "a@b.c", name: "Anna", groups: [] };
    assert.equal(await readToken(await sign("entra", { azp: "c", scp: "x", ...names })), "A123456 Anna");
    assert.equal(await readToken(await citizen()), "12345678901");
    assert.equal(await readToken(`${(await citizen()).slice(0, -8)}AAAAAAAA`), "unknown");
  });
  test("every token", async () => {
    const { everyToken } = (await example("everyToken")) as {
      everyToken(token: string): Promise<string[]>;
    };
    asked.length = 0;
    const tokens = await everyToken("user-token");
    assert.deepEqual(tokens, ["token-1", "token-2", "token-3", "token-4"]);
    assert.deepEqual(
      asked.map((one) => [one["identity_provider"], one["target"], one["user_token"], one["resource"]]),
      [
        ["tokenx", "local:benefits:income-register", "user-token", undefined],
        ["entra_id", "local:benefits:case-api", "user-token", undefined],
        ["entra_id", "local:benefits:payout", undefined, undefined],
        ["maskinporten", "tax:income", undefined, "https://api.tax.example"],
      ],
    );
  });
  test("a call with a token that is bound to a key, to an API that wants a nonce", async (t) => {
    const { callBound } = (await example("callBound")) as {
      callBound(token: string, url: string): Promise<Response | undefined>;
    };
    asked.length = 0;
    const url = "http://income-register/income";
    const real = globalThis.fetch;
    const sent: (string | null)[][] = [];
    t.mock.method(globalThis, "fetch", async (input: string, init?: RequestInit) => {
      if (input !== url) return real(input, init);
      const headers = new Headers(init?.headers);
      sent.push([headers.get("authorization"), headers.get("dpop")]);
      const wanting = { status: 401, headers: { "dpop-nonce": "n" } };
      return sent.length === 1 ? new Response("", wanting) : new Response("in");
    });
    tokenType = "DPoP";
    const response = await callBound(await citizen(), url);
    tokenType = "Bearer";
    assert.equal(await response?.text(), "in");
    const proof = (nonce: object) =>
      `proof ${JSON.stringify({ method: "GET", url, access_token: "token-1", ...nonce })}`;
    assert.deepEqual(sent, [
      ["DPoP token-1", proof({})],
      ["DPoP token-1", proof({ nonce: "n" })],
    ]);
    sent.length = 1;
    await callBound(await citizen(), url);
    assert.deepEqual(sent[1], ["Bearer token-4", null]);
  });
  test("a call on behalf of the user", async (t) => {
    const { callFor } = (await example("callFor")) as {
      callFor(token: string): Promise<Response | undefined>;
    };
    asked.length = 0;
    const real = globalThis.fetch;
    t.mock.method(globalThis, "fetch", async (input: string, init?: RequestInit) =>
      input.startsWith("http://income-register/")
        ? new Response(new Headers(init?.headers).get("authorization"))
        : real(input, init),
    );
    const response = await callFor(await citizen());
    assert.equal(await response?.text(), "Bearer token-1");
  });
});
