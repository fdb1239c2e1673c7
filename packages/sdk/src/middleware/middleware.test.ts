import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import express from "express";
import { adapters } from "../../test/adapters.ts";
import {
  answer as answerOf,
  citizen,
  employee,
  env,
  idporten,
  machine,
  now,
  sdk,
  sign,
} from "../../test/issuers.ts";
import { boundToken, proof } from "../../test/proofs.ts";
import { createSdk } from "../index.ts";
import { createNonces } from "../verified/nonces.ts";
import { callerOf, requireToken as requireForExpress } from "./express.ts";
import { requireToken as requireForFetch } from "./fetch.ts";
import type { RequireOptions } from "./judge.ts";

const bearer = async (...args: Parameters<typeof sign>) => ({
  authorization: `Bearer ${await sign(...args)}`,
});
const good = await bearer(citizen, "tokenx");

const cases: {
  name: string;
  headers: Record<string, string | string[]>;
  options?: RequireOptions;
  status: number;
  challenge?: string | RegExp;
  code?: string;
  /** The nonce that the answer brings. */
  nonce?: string;
}[] = [
  { name: "a right token passes", headers: good, status: 200 },
  {
    name: "RFC 6750 section 3.1: no credentials, a challenge without an error",
    headers: {},
    status: 401,
    challenge: "Bearer",
    code: "no_token",
  },
  {
    name: "an empty header is no credentials",
    headers: { authorization: "" },
    status: 401,
    challenge: "Bearer",
    code: "no_token",
  },
  {
    name: "another scheme is no credentials",
    headers: { authorization: "Basic YTpi" },
    status: 401,
    challenge: 'Bearer realm="api"',
    options: { realm: "api" },
    code: "no_token",
  },
  {
    name: "RFC 6750 section 3.1: a malformed header is invalid_request",
    headers: { authorization: "Bearer a b" },
    status: 400,
    challenge: /^Bearer error="invalid_request", error_description="/,
    code: "malformed_header",
  },
  {
    name: "RFC 6750 section 3.1: an expired token is invalid_token",
    headers: await bearer({ ...citizen, exp: now - 34 }, "tokenx"),
    status: 401,
    challenge: 'Bearer error="invalid_token", error_description="the token expired 34 s ago"',
    code: "expired",
  },
  {
    name: "RFC 6750 section 3: what a token says cannot break out of the challenge",
    headers: await bearer({ ...citizen, aud: 'x", error="none\r\nSet-Cookie: a=b' }, "tokenx"),
    status: 401,
    challenge: /^Bearer error="invalid_token", error_description="[^"\\\r\n]*"$/,
    code: "wrong_audience",
  },
  {
    name: "RFC 9449 section 7.1: a token bound to a key is refused as a plain bearer token",
    headers: await bearer({ ...citizen, cnf: { jkt: "x" } }, "tokenx"),
    status: 401,
    challenge: /^Bearer error="invalid_token", .*\(cnf\)/,
    code: "sender_constrained",
  },
  {
    name: "RFC 6750 section 3.1: a missing scope is insufficient_scope, and named",
    headers: await bearer(employee, "entra"),
    options: { scope: ["read", "write"] },
    status: 403,
    challenge:
      'Bearer error="insufficient_scope", error_description="the token lacks the scope write", scope="read write"',
    code: "insufficient_scope",
  },
  {
    name: "RFC 9470 section 3: a level that is too low is insufficient_user_authentication with acr_values",
    headers: await bearer(idporten, "idporten"),
    options: { acr: "idporten-loa-high" },
    status: 401,
    challenge: /^Bearer error="insufficient_user_authentication", .*, acr_values="idporten-loa-high"$/,
    code: "insufficient_acr",
  },
  {
    name: "RFC 9470 section 3: an authentication too long ago, with max_age",
    headers: await bearer({ ...citizen, auth_time: now - 999 }, "tokenx"),
    options: { maxAgeSeconds: 300 },
    status: 401,
    challenge: /^Bearer error="insufficient_user_authentication", .*, max_age="300"$/,
    code: "stale_authentication",
  },
  {
    name: "RFC 9728 section 5.1: the metadata's address is in the challenge",
    headers: {},
    options: { resourceMetadata: "https://api.example/.well-known/oauth-protected-resource" },
    status: 401,
    challenge: 'Bearer resource_metadata="https://api.example/.well-known/oauth-protected-resource"',
    code: "no_token",
  },
  {
    name: "a machine where a user is asked for",
    headers: await bearer(machine, "entra"),
    options: { kind: "user" },
    status: 403,
    challenge: /insufficient_scope/,
    code: "wrong_kind",
  },
  {
    name: "a role that is missing",
    headers: await bearer(machine, "entra"),
    options: { roles: "writer" },
    status: 403,
    challenge: /insufficient_scope/,
    code: "missing_role",
  },
  {
    name: "a provider that is not among those named",
    headers: good,
    options: { providers: "entra_id" },
    status: 401,
    challenge: /invalid_token/,
    code: "wrong_issuer",
  },
  {
    name: "keys that cannot be fetched are our trouble, not the caller's",
    headers: good,
    options: {
      sdk: createSdk({ env, now: () => now, fetch: () => Promise.reject(new TypeError("cut off")) }),
    },
    status: 503,
    code: "keys_unavailable",
  },
  {
    name: "an application that is not set up says nothing of its settings",
    headers: good,
    options: { sdk: createSdk({ env: {}, now: () => now }) },
    status: 500,
    code: "not_configured",
  },
];

const dpop = { origin: "https://api.example" };
const nonces = createNonces("the same at every replica, and long", () => now);
const here = { htu: "https://api.example/" };
const bound = { authorization: `DPoP ${boundToken}` };
cases.push(
  {
    name: "RFC 9449 section 7.1: a bound token with its proof passes",
    headers: { ...bound, dpop: await proof(here) },
    options: { dpop },
    status: 200,
  },
  {
    name: "RFC 9449 section 7.1: a wrong proof is invalid_dpop_proof, with algs",
    headers: { ...bound, dpop: await proof({ htu: "https://other.example/" }) },
    options: { dpop },
    status: 401,
    challenge: /^DPoP error="invalid_dpop_proof", error_description="[^"]+", algs="[^"]*ES256[^"]*"$/,
    code: "bad_proof",
  },
  {
    name: "RFC 9449 section 4.3: two proofs are none",
    headers: { ...bound, dpop: [await proof(here), await proof(here)] },
    options: { dpop },
    status: 401,
    challenge: /invalid_dpop_proof/,
    code: "bad_proof",
  },
  {
    name: "RFC 9449 section 7.1: a bound token without a proof",
    headers: bound,
    options: { dpop },
    status: 401,
    challenge: /invalid_dpop_proof/,
    code: "bad_proof",
  },
  {
    name: "RFC 9449 section 7.2: a bound token may not come as a plain bearer token, even with its proof",
    headers: { authorization: `Bearer ${boundToken}`, dpop: await proof(here) },
    options: { dpop },
    status: 401,
    challenge: /^Bearer error="invalid_token", .*, DPoP algs="/,
    code: "sender_constrained",
  },
  {
    name: "RFC 9449 section 7.1: both schemes are offered where both are taken",
    headers: {},
    options: { dpop },
    status: 401,
    challenge: /^Bearer, DPoP algs="[^"]+"$/,
    code: "no_token",
  },
  {
    name: "RFC 9449 section 7.1: a plain token where bound ones are required",
    headers: good,
    options: { dpop: { ...dpop, required: true } },
    status: 401,
    challenge: /^DPoP algs="[^"]+"$/,
    code: "no_token",
  },
  {
    name: "RFC 9449 section 9: a proof without a nonce where one is wanted",
    headers: { ...bound, dpop: await proof(here) },
    options: { dpop: { ...dpop, nonces } },
    status: 401,
    challenge: /^DPoP error="use_dpop_nonce", error_description="[^"]+", algs="[^"]+"$/,
    code: "no_nonce",
    nonce: await nonces.issue(),
  },
  {
    name: "RFC 9449 section 9: a proof with the nonce that is wanted passes",
    headers: { ...bound, dpop: await proof({ ...here, nonce: await nonces.issue() }) },
    options: { dpop: { ...dpop, nonces } },
    status: 200,
  },
  {
    name: "RFC 9449 section 7.1: where DPoP is not set up, its scheme is no credentials",
    headers: { ...bound, dpop: await proof(here) },
    status: 401,
    challenge: "Bearer",
    code: "no_token",
  },
);

for (const [adapter, ask] of Object.entries(adapters)) {
  describe(`requireToken for ${adapter}`, () => {
    // Of its own: a proof is taken once.
    const sdk = createSdk({ env, now: () => now, fetch: answerOf });
    for (const { name, headers, options, status, challenge, code, nonce } of cases) {
      test(name, async () => {
        const refusals: string[] = [];
        const onRefused: RequireOptions["onRefused"] = (refusal) => refusals.push(refusal.code);
        const answer = await ask({ sdk, onRefused, ...options })(headers);
        assert.equal(answer.status, status, answer.text);
        if (code === undefined) {
          assert.equal(answer.text, "local:benefits:portal");
          assert.deepEqual(refusals, []);
          return;
        }
        assert.equal(answer.headers.get("dpop-nonce"), nonce ?? null);
        const told = answer.headers.get("www-authenticate");
        if (challenge === undefined) assert.equal(told, null);
        else if (typeof challenge === "string") assert.equal(told, challenge);
        else assert.match(told ?? "", challenge);
        assert.match(
          answer.headers.get("content-type") ?? "",
          /^application\/problem\+json(; charset=utf-8)?$/,
        );
        assert.equal(answer.headers.get("cache-control"), "no-store");
        const problem = JSON.parse(answer.text) as Record<string, unknown>;
        assert.deepEqual([problem["status"], problem["code"]], [status, code]);
        assert.deepEqual(refusals, [code]);
        if (status === 500) assert.equal(problem["detail"], "this application cannot validate tokens");
      });
    }
    test("RFC 9110 section 5.3: two Authorization headers are refused, whatever is in them", async () => {
      const answer = await ask({ sdk })({ authorization: [good.authorization, good.authorization] });
      assert.equal(answer.status, 400);
    });
    test("a refusal never repeats the token", async () => {
      const { authorization } = await bearer({ ...citizen, exp: now - 60 }, "tokenx");
      const answer = await ask({ sdk })({ authorization });
      assert.ok(!`${answer.text}${answer.headers.get("www-authenticate")}`.includes(authorization.slice(7)));
    });
  });
}

test("a token in the query is never looked at (RFC 6750 section 2.3)", async () => {
  const handler = requireForFetch({ sdk })(() => new Response("in"));
  const response = await handler(new Request(`http://api/?access_token=${good.authorization.slice(7)}`));
  assert.equal(response.status, 401);
});

test("callerOf without requireToken is a mistake that shows", () => {
  assert.throws(() => callerOf({ headers: {} }), /requireToken/);
});

test("fetch handlers get what their framework passes after the request", async () => {
  const handler = requireForFetch({ sdk })((_request, caller, context: { params: string }) => {
    return new Response(`${caller.kind} ${context.params}`);
  });
  const response = await handler(new Request("http://api/", { headers: good }), { params: "p" });
  assert.equal(await response.text(), "user p");
});

test("RFC 9449 section 4.3: behind a router that was mounted, the proof is for the whole address", async () => {
  const router = express.Router();
  router.use(requireForExpress({ sdk, dpop }));
  router.get("/things", (request, response) => void response.end(callerOf(request).client));
  const app = express();
  app.use("/api", router);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const headers = { ...bound, dpop: await proof({ htu: "https://api.example/api/things" }) };
    const response = await fetch(`http://127.0.0.1:${port}/api/things?page=2`, { headers });
    assert.deepEqual([response.status, await response.text()], [200, "local:benefits:portal"]);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
