import assert from "node:assert/strict";
import { test } from "node:test";
import { login, startStandins } from "./index.ts";

test("one line starts it, on the clock of this machine, and it ends with its block", async () => {
  let url: string;
  {
    await using idp = await startStandins();
    url = idp.issuers.openid;
    const token = await idp.issue({ provider: "entra", persona: "anna", audience: "api://any" });
    const { iat, NAVident } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    // Entra ID dates its tokens five minutes back.
    assert.ok(Math.abs(iat + 300 - Date.now() / 1000) < 5);
    assert.equal(NAVident, "Z990001");
  }
  await assert.rejects(fetch(url), TypeError);
});

test("the clock can be the test's", async () => {
  await using idp = await startStandins({ now: () => 1_800_000_000 });
  const token = await idp.issue({ provider: "idporten", persona: "kari" });
  assert.equal(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).iat, 1_800_000_000);
});

test("it does not start where NODE_ENV is production", async (context) => {
  const before = process.env["NODE_ENV"];
  process.env["NODE_ENV"] = "production";
  context.after(() => {
    if (before === undefined) delete process.env["NODE_ENV"];
    else process.env["NODE_ENV"] = before;
  });
  await assert.rejects(startStandins(), /production/);
});

test("login presses the persona's button, and takes nothing that is no persona's id", async () => {
  const pressed: string[] = [];
  await login({ click: async (selector) => pressed.push(selector) }, "kari");
  assert.deepEqual(pressed, ['button[name="persona"][value="kari"]']);
  await assert.rejects(login({ click: async () => undefined }, 'x"]'), RangeError);
});
