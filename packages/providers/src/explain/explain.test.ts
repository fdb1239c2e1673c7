import assert from "node:assert/strict";
import { test } from "node:test";
import { ReportedError } from "@portvakt/oauth";
import { providers } from "../index.ts";

const named = "(local:benefits:portal)";

test("every code of the spec page is translated, with the one whose move it is", async (t) => {
  const rows: { code: string; owner: string; hint: RegExp }[] = [
    { code: "AADSTS50013", owner: "application", hint: /not accepted as an assertion/ },
    {
      code: "AADSTS50105",
      owner: "target",
      hint: /spec\.azure\.application: add the group's id to claims\.groups/,
    },
    {
      code: "AADSTS501051",
      owner: "target",
      hint: /inbound\.rules: add "- application: portal", "namespace: benefits", "cluster: local"/,
    },
    { code: "AADSTS65001", owner: "target", hint: /inbound\.rules: add "- application: portal"/ },
    { code: "AADSTS500011", owner: "application", hint: /misspelt/ },
    { code: "AADSTS7000215", owner: "platform", hint: /client secret is wrong/ },
    { code: "AADSTS700024", owner: "platform", hint: /clocks/ },
    { code: "AADSTS50076", owner: "user", hint: /multi-factor/ },
    { code: "AADSTS53003", owner: "user", hint: /conditional access/ },
    { code: "AADSTS530032", owner: "user", hint: /security policy/ },
  ];
  for (const { code, owner, hint } of rows) {
    await t.test(code, () => {
      const description = `${code}: something ${named} happened.`;
      const error = new ReportedError(400, { error: "invalid_grant", error_description: description });
      const explanation = providers.entra_id.explain(error, "local:benefits:case-api");
      assert.equal(explanation?.code, code);
      assert.equal(explanation?.owner, owner);
      assert.match(explanation?.hint ?? "", hint);
      assert.equal(explanation?.uri, `https://login.microsoftonline.com/error?code=${code.slice(6)}`);
    });
  }
  const codes = [
    "011",
    "012",
    "100",
    "110",
    "120",
    "121",
    "122",
    "123",
    "124",
    "130",
    "200",
    "201",
    "250",
    "251",
    "301",
    "302",
    "303",
  ];
  for (const code of codes.map((one) => `MP-${one}`)) {
    await t.test(code, () => {
      const error = new ReportedError(400, {
        error: "invalid_grant",
        error_description: `Some words (${code})`,
      });
      const explanation = providers.maskinporten.explain(error, "nav:thing");
      assert.equal(explanation?.code, code);
      assert.ok((explanation?.hint.length ?? 0) > 30);
    });
  }
});

test("a code that nobody knows is not explained, and nothing is made up", () => {
  const unknown = new ReportedError(400, { error: "invalid_grant", error_description: "AADSTS999999: new" });
  assert.equal(providers.entra_id.explain(unknown, "x"), undefined);
  const hostile = new ReportedError(400, {
    error: "__proto__",
    error_codes: ["constructor"],
    error_description: "MP-999",
  });
  for (const provider of Object.values(providers)) assert.equal(provider.explain(hostile, "x"), undefined);
});
