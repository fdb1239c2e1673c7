import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { importJWK, jwtVerify } from "jose";
import { createSigner, generatePrivateJwk, publicJwkOf } from "./keys.ts";
import { localKeySet } from "./key-set.ts";
import { verifyJwt } from "./verify.ts";

const now = 1_800_000_000;

const lesser = {
  "nothing of Node's": "delete process.getBuiltinModule",
  "no decoder of base64": "delete Uint8Array.fromBase64",
  "neither of them": "delete process.getBuiltinModule; delete Uint8Array.fromBase64",
};
for (const [name, change] of Object.entries(lesser))
  test(`every rule holds alike where the runtime has ${name}`, () => {
    const files = ["base64url.test.ts", "verify.test.ts", "key-set.test.ts", "id-token.test.ts"].map((file) =>
      fileURLToPath(new URL(file, import.meta.url)),
    );
    const run = spawnSync(
      process.execPath,
      ["--import", `data:text/javascript,${change}`, "--test", ...files],
      { encoding: "utf8", env: { PATH: process.env["PATH"] } },
    );
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.match(run.stdout, /^(?:# |ℹ )pass [1-9]\d+$/m);
  });

/** RFC 7515 section 2, and RFC 4648 section 3.5: no other characters, and no bits that stand for nothing. */
const isBase64url = (text: string): boolean =>
  text.split(".").every((part) => Buffer.from(part, "base64url").toString("base64url") === part);

test("what jose refuses is refused; what it accepts is accepted, but for what is no base64url", async () => {
  const jwk = await generatePrivateJwk("ES256");
  const claims = { iss: "issuer", aud: "api", sub: "å", iat: now, exp: now + 60 };
  const good = await (await createSigner(jwk)).sign(claims);
  const keys = localKeySet([publicJwkOf(jwk)]);
  const rules = { issuer: "issuer", audience: "api", keys, algorithms: ["ES256"] } as const;
  const key = await importJWK(publicJwkOf(jwk), "ES256");
  const expected = { issuer: "issuer", audience: "api", currentDate: new Date(now * 1000) };
  const byJose = (token: string): Promise<boolean> =>
    jwtVerify(token, key, { ...expected, algorithms: ["ES256"], requiredClaims: ["exp", "iat"] }).then(
      () => true,
      () => false,
    );
  const change = fc.record({
    at: fc.nat(good.length),
    cut: fc.nat(2),
    put: fc.constantFrom("", "A", "-", "_", "+", "/", "=", ".", " ", "\n", "%", "š", "AA", "\u0000"),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ at, cut, put }) => {
      const token = good.slice(0, at) + put + good.slice(at + cut);
      const [ours, theirs] = [(await verifyJwt(token, rules, () => now)).ok, await byJose(token)];
      if (ours || isBase64url(token)) assert.equal(ours, theirs, JSON.stringify(token));
    }),
    { numRuns: 500 },
  );
});
