import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify } from "jose";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

interface Exchange {
  readonly form: URLSearchParams;
  readonly assertion: Record<string, unknown>;
}

interface Edge extends Stage {
  readonly exchanges: Exchange[];
  /** What the exchanging server answers instead. */
  trouble: { status: number; body: unknown } | undefined;
}

/** A small RFC 8693 server beside the stage. */
async function withTokenx(t: TestContext, options: StageOptions = {}): Promise<Edge> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: "x", alg: "RS256" }] });
  const edge: { exchanges: Exchange[]; trouble: Edge["trouble"]; now: () => number } = {
    exchanges: [],
    trouble: undefined,
    now: () => 0,
  };
  const server = http.createServer((request, response) => {
    void (async () => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      response.setHeader("content-type", "application/json");
      if (request.url?.startsWith("/.well-known/") === true)
        return response.end(
          JSON.stringify({ issuer, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` }),
        );
      const form = new URLSearchParams(body);
      const { payload } = await jwtVerify(form.get("client_assertion") ?? "", keys, {
        audience: issuer,
        subject: "local:demo:portal",
        currentDate: new Date(edge.now() * 1000),
      });
      edge.exchanges.push({ form, assertion: payload });
      if (edge.trouble !== undefined)
        return response.writeHead(edge.trouble.status).end(JSON.stringify(edge.trouble.body));
      const token = {
        access_token: `edge-token-${edge.exchanges.length}`,
        token_type: "Bearer",
        expires_in: 120,
        issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      };
      return response.end(JSON.stringify(token));
    })().catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const one = await openStage({
    ...options,
    env: {
      PORTVAKT_LOGIN_AUTO_LOGIN: "true",
      PORTVAKT_LOGIN_UPSTREAM_AUDIENCE: "local:demo:api",
      TOKEN_X_CLIENT_ID: "local:demo:portal",
      TOKEN_X_PRIVATE_JWK: JSON.stringify({ ...(await exportJWK(privateKey)), kid: "x", alg: "RS256" }),
      TOKEN_X_WELL_KNOWN_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/oauth-authorization-server`,
      ...options.env,
    },
  });
  t.after(async () => {
    await one.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  edge.now = () => one.clock.now;
  return Object.assign(edge, one);
}

test("exchange at the edge: the application receives a token made for it, never the sign-in's own, and one exchange serves many", async (t) => {
  const edge = await withTokenx(t);
  const user = await edge.signedIn();
  await Promise.all(Array.from({ length: 20 }, () => user.send(`${edge.ingress}/`)));
  assert.equal(edge.exchanges.length, 1);
  const [first] = edge.exchanges;
  assert.equal(first?.form.get("grant_type"), "urn:ietf:params:oauth:grant-type:token-exchange");
  assert.equal(first?.form.get("audience"), "local:demo:api");
  assert.equal(decodeJwt(first?.form.get("subject_token") ?? "").sub, "user-1");
  assert.deepEqual(
    new Set(edge.upstream.seen.map((seen) => seen.headers.authorization)),
    new Set(["Bearer edge-token-1"]),
  );
});

test("exchange at the edge: a new token before the old one ends, and for every session its own", async (t) => {
  const edge = await withTokenx(t);
  const user = await edge.signedIn();
  edge.clock.now += 111;
  await user.send(`${edge.ingress}/`);
  assert.equal(edge.upstream.seen.at(-1)?.headers.authorization, "Bearer edge-token-2");
  await edge.signedIn();
  assert.equal(edge.upstream.seen.at(-1)?.headers.authorization, "Bearer edge-token-3");
});

test("exchange at the edge: refused by policy is 403, away is 503; nothing reaches the application either way", async (t) => {
  const edge = await withTokenx(t);
  const user = await edge.signedIn();
  edge.upstream.seen.length = 0;
  edge.clock.now += 115;
  edge.trouble = { status: 400, body: { error: "invalid_target" } };
  assert.equal((await user.send(`${edge.ingress}/`)).status, 403);
  edge.trouble = { status: 503, body: { error: "temporarily_unavailable" } };
  const away = await user.send(`${edge.ingress}/`);
  assert.deepEqual([away.status, away.headers["retry-after"]], [503, "2"]);
  assert.equal(edge.upstream.seen.length, 0);
  edge.trouble = undefined;
  assert.equal((await user.send(`${edge.ingress}/`)).status, 200);
});

test("exchange at the edge without the platform's variables is said at the start", async () => {
  await assert.rejects(
    openStage({ env: { PORTVAKT_LOGIN_UPSTREAM_AUDIENCE: "local:demo:api" } }),
    /TOKEN_X_CLIENT_ID/,
  );
});

test("exchange at the edge for employees: on behalf of them, with the client that signed them in", async (t) => {
  const one = await openStage({
    env: { PORTVAKT_LOGIN_PROVIDER: "azure", PORTVAKT_LOGIN_UPSTREAM_AUDIENCE: "local:demo:api" },
    knobs: {
      tokenTrouble: (form) =>
        form.get("requested_token_use") === "on_behalf_of"
          ? {
              status: 200,
              body: { access_token: `obo for ${form.get("scope")}`, token_type: "Bearer", expires_in: 300 },
            }
          : undefined,
    },
  });
  t.after(() => one.close());
  await one.signedIn();
  assert.equal(one.upstream.seen[0]?.headers.authorization, "Bearer obo for api://local.demo.api/.default");
});
