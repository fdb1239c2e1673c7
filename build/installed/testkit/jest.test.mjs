import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { claimsOf, signIn, start } from "./use.mjs";

let idp;
beforeAll(async () => {
  idp = await start();
});
afterAll(() => idp.close());

test("signs in, counts, and issues tokens", async () => {
  const { id_token } = await signIn(idp.issuers.idporten, "kari");
  expect(claimsOf(id_token).pid).toBe("17858430038");
  expect(idp.requests({ endpoint: "token", client_id: "app" })).toHaveLength(1);
  const token = await idp.issue({ provider: "entra", persona: "anna" });
  expect(claimsOf(token).NAVident).toBe("Z990001");
});

test("a fault strikes one test and no other", async () => {
  const one = idp.forTest("one");
  const other = idp.forTest("other");
  one.fail({ effect: "error", error: "temporarily_unavailable" });
  const [struck, unharmed] = await Promise.all([
    signIn(one.issuers.openid, "kari"),
    signIn(other.issuers.openid, "kari"),
  ]);
  expect(struck.error).toBe("temporarily_unavailable");
  expect(claimsOf(unharmed.id_token).iss).toBe(other.issuers.openid);
  expect(one.requests({ endpoint: "token" })).toHaveLength(1);
});
