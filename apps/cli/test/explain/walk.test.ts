// Every refusal that the platform can make, from its tables: it is met, `explain` finds it in the answer as it came and names
// cause, owner and fix, the fix is applied, and the same call passes.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { meaningOf, subjectOf, tables } from "@portvakt/explain";
import { acquireScenarios, faultScenarios, refusalScenarios } from "./applications.ts";
import { allowed, decisionScenarios } from "./decisions.ts";
import { entraScenarios } from "./entra.ts";
import { openKit, type Scenarios } from "./kit.ts";
import { maskinportenScenarios } from "./maskinporten.ts";
import { protocolScenarios } from "./protocol.ts";
import { tokenScenarios } from "./tokens.ts";

const kit = await openKit();
after(() => kit.idp.close());

/** One set of scenarios for each table of explain. */
const scenarios: Readonly<Record<string, Scenarios>> = {
  "a decision of the access policy": decisionScenarios,
  "a refusal of Entra ID": entraScenarios(kit),
  "a refusal of Maskinporten": maskinportenScenarios(kit),
  "a refusal of a token": await tokenScenarios(),
  "a refusal by an application": await refusalScenarios(),
  "no token for an application": acquireScenarios(),
  "an error of the protocol": protocolScenarios(kit),
  "a fault, which only logs tell": faultScenarios(),
};

for (const { kind, codes } of tables) {
  describe(kind, () => {
    for (const code of Object.keys(codes).filter((one) => !allowed.includes(one))) {
      test(code, async () => {
        const scenario = scenarios[kind]?.[code];
        assert.ok(scenario, "every code has a scenario");
        const refused = await scenario.wrong();
        assert.notEqual(refused, "ok");
        const subject = subjectOf(refused);
        const known = subject?.kind === "token" ? undefined : subject?.known;
        assert.ok(known, refused);
        assert.equal(known.code, code, refused);
        for (const words of [known.cause, known.owner, known.fix]) assert.ok(words.length > 5);
        assert.equal(await scenario.fixed(), "ok", known.fix);
      });
    }
  });
}

test("every scenario belongs to a code, and every code is found by its name", () => {
  for (const { kind, codes } of tables) {
    assert.deepEqual(
      Object.keys(scenarios[kind] ?? {}).filter((code) => !Object.hasOwn(codes, code)),
      [],
    );
    for (const code of Object.keys(codes)) assert.equal(meaningOf(code.toLowerCase())?.code, code);
  }
});
