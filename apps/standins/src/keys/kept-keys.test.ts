import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { verifyJwt } from "@portvakt/oauth";
import { createFaults } from "../faults/faults.ts";
import { keysInFolder } from "./kept-keys.ts";
import { createSigning } from "./signing.ts";

const claims = { iss: "https://issuer.example", aud: "api", iat: 1000, exp: 2000 };
const occasion = { provider: "idporten", token: "access_token", clientId: "", test: undefined } as const;

test("a token of before a restart verifies after it, also when the key was replaced; the files are their owner's", async () => {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-keys-"));
  const start = () => createSigning(createFaults(), keysInFolder(folder, "idporten"));
  const before = start();
  const token = await before.sign(claims, occasion);
  const kid = await before.rotate();
  const after = start();
  const rules = { issuer: claims.iss, audience: "api", keys: after.keySet, algorithms: ["RS256"] } as const;
  assert.ok((await verifyJwt(token, rules, () => 1500)).ok);
  assert.deepEqual((await after.jwks()).keys.map((key) => key.kid)[0], kid);
  for (const file of await readdir(folder)) assert.equal((await stat(join(folder, file))).mode & 0o077, 0);
  await rm(folder, { recursive: true });
});

test("without a folder every start has a key of its own", async () => {
  const [one, other] = await Promise.all([
    createSigning(createFaults()).jwks(),
    createSigning(createFaults()).jwks(),
  ]);
  assert.notEqual(one.keys[0]?.kid, other.keys[0]?.kid);
});
