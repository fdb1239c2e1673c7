import assert from "node:assert/strict";
import { test } from "node:test";
import { claimsOf, signIn, start } from "./use.mjs";

test("signs in, counts, and issues tokens", async () => {
  await using idp = await start();
  const { id_token } = await signIn(idp.issuers.idporten, "kari");
  assert.equal(claimsOf(id_token).pid, "17858430038");
  assert.equal(idp.requests({ endpoint: "token", client_id: "app" }).length, 1);
  const token = await idp.issue({ provider: "entra", persona: "anna" });
  assert.equal(claimsOf(token).NAVident, "Z990001");
});

test("a fault strikes one test and no other", async () => {
  await using idp = await start();
  const one = idp.forTest("one");
  const other = idp.forTest("other");
  one.fail({ effect: "error", error: "temporarily_unavailable" });
  const [struck, unharmed] = await Promise.all([
    signIn(one.issuers.openid, "kari"),
    signIn(other.issuers.openid, "kari"),
  ]);
  assert.equal(struck.error, "temporarily_unavailable");
  assert.equal(claimsOf(unharmed.id_token).iss, other.issuers.openid);
  assert.equal(one.requests({ endpoint: "token" }).length, 1);
});
