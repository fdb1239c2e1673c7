import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  applyFix,
  changeKinds,
  compareAccess,
  createLandscape,
  decide,
  mayCall,
  parseManifests,
  wayNames,
  ways,
} from "../index.ts";
import type { Application, InboundRule, Landscape, WayName } from "../index.ts";

const now = 1_800_000_000;
const names = ["a", "b", "c", "d"] as const;
const spaces = ["one", "two"] as const;

function application(name: string, namespace: string, more: Partial<Application>): Application {
  return {
    id: `local:${namespace}:${name}`,
    ...{
      cluster: "local",
      namespace,
      name,
      kind: "Application",
      port: 8080,
      ingresses: [],
      env: {},
      paths: {},
    },
    ...{ mcp: false, inbound: [], outbound: { rules: [], external: [] } },
    source: { file: `${name}.yaml`, line: 1, inboundLine: 3, specLine: 2 },
    ...more,
  };
}

const rule: fc.Arbitrary<InboundRule> = fc.record({
  application: fc.constantFrom(...names, "stranger", "*"),
  namespace: fc.constantFrom(...spaces, "*"),
  cluster: fc.constantFrom("local", "remote", "*"),
  roles: fc.subarray(["reader", "writer"]),
  scopes: fc.subarray(["read", "write"]),
});
const landscape: fc.Arbitrary<Landscape> = fc
  .array(
    fc.record({
      name: fc.constantFrom(...names),
      namespace: fc.constantFrom(...spaces),
      inbound: fc.array(rule, { maxLength: 3 }),
      tokenx: fc.boolean(),
      azure: fc.boolean(),
    }),
    { maxLength: 6 },
  )
  .map((drafts) =>
    createLandscape(
      drafts.map(({ name, namespace, inbound, tokenx, azure }) =>
        application(name, namespace, {
          inbound,
          tokenx: { enabled: tokenx },
          azure: { enabled: azure, allowAllUsers: true, groups: [], replyUrls: [] },
        }),
      ),
    ),
  );

const everybody = [...names, "stranger"].flatMap((name) =>
  spaces.flatMap((space) => ["local", "remote"].map((cluster) => `${cluster}:${space}:${name}`)),
);

describe("what plan says is what decide then does", () => {
  const may = (side: Landscape, actor: string, target: string, way: WayName): boolean => {
    if (!side.applications.has(target)) return false;
    const called = side.applications.get(target);
    const caller = side.applications.get(actor);
    const registered =
      (called === undefined || ways[way].uses(called)) && (caller === undefined || ways[way].uses(caller));
    const decision = decide(side.policy, { actor, target, grant: ways[way].grant, now });
    return registered && decision.outcome === "allow";
  };

  test("every change that it names happens, and no other does", () => {
    fc.assert(
      fc.property(landscape, landscape, (before, after) => {
        const { access, wildcards } = compareAccess(before, after, now);
        const said = new Map(access.map((one) => [`${one.actor} ${one.target} ${one.way}`, one.change]));
        assert.equal(said.size, access.length, "each change is named once");
        for (const actor of everybody) {
          for (const target of everybody) {
            for (const way of wayNames) {
              const [could, can] = [may(before, actor, target, way), may(after, actor, target, way)];
              const change = said.get(`${actor} ${target} ${way}`);
              const byName =
                before.applications.has(actor) ||
                after.applications.has(actor) ||
                namedExactly(actor, target, [before, after]);
              const all = wildcards.filter(
                (one) => one.target === target && one.way === way && covers(one.actor, actor),
              );
              const expected = can ? "gained" : "lost";
              const told = byName ? change === expected : all.some((one) => one.change === expected);
              if (could !== can) assert.ok(told, `${actor} ${target} ${way} ${expected}`);
              else assert.ok(change !== "gained" && change !== "lost", `${actor} ${target} ${way}`);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test("what it says of every application of a kind holds for one that nobody has heard of", () => {
    fc.assert(
      fc.property(landscape, landscape, (before, after) => {
        const { wildcards } = compareAccess(before, after, now);
        const once = new Set(wildcards.map(({ actor, target, way }) => `${actor} ${target} ${way}`));
        assert.equal(once.size, wildcards.length, "each change is named once");
        for (const { actor, target, way, change } of wildcards) {
          const newcomer = actor.replaceAll("*", "newcomer");
          const [could, can] = [may(before, newcomer, target, way), may(after, newcomer, target, way)];
          assert.deepEqual(
            [could, can],
            [change !== "gained", change !== "lost"],
            `${actor} ${target} ${way}`,
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  test("a call that stays is said to have more or less where its roles or scopes are more or less", () => {
    fc.assert(
      fc.property(landscape, landscape, (before, after) => {
        for (const { change, actor, target, way } of compareAccess(before, after, now).access) {
          const { gives } = ways[way];
          if (change === "gained" || change === "lost") continue;
          assert.ok(gives !== undefined);
          const question = { actor, target, grant: ways[way].grant, now };
          const [then, next] = [decide(before.policy, question), decide(after.policy, question)];
          const { gains, loses } = changeKinds[change];
          assert.equal(
            next[gives].some((item) => !then[gives].includes(item)),
            gains,
          );
          assert.equal(
            then[gives].some((item) => !next[gives].includes(item)),
            loses,
          );
        }
      }),
    );
  });

  test("against itself nothing changes", () => {
    fc.assert(
      fc.property(landscape, (one) => {
        const { access, wildcards, audiences, scopes, added, removed } = compareAccess(one, one, now);
        assert.deepEqual([access, wildcards, audiences, scopes, added, removed], [[], [], [], [], [], []]);
      }),
    );
  });
});

function namedExactly(actor: string, target: string, sides: readonly Landscape[]): boolean {
  return sides.some((side) => side.policy.target(target)?.exact.has(actor) === true);
}

/** Does `cluster:namespace:name` with a `*` stand for this application? */
function covers(pattern: string, id: string): boolean {
  const parts = id.split(":");
  return pattern.split(":").every((part, index) => part === "*" || part === parts[index]);
}

const caseApi = `# the API of cases
apiVersion: nais.io/v1alpha1
kind: Application
metadata:
  name: portal
  namespace: benefits
spec:
  tokenx: {enabled: true} # citizens
---
apiVersion: nais.io/v1alpha1
kind: Application
metadata:
  name: case-api
  namespace: benefits
spec:
  port: 8080
  azure:
    application:
      enabled: false
  accessPolicy:
    inbound:
      rules: # who may call
        - application: caseworker # every day
`;

describe("applying a fix makes the same call pass", () => {
  const open = (text: string): Landscape => {
    const { applications, problems } = parseManifests([{ file: "app.yaml", text }], { cluster: "local" });
    assert.deepEqual(problems, []);
    return createLandscape(applications);
  };
  const cases: { name: string; way: WayName; more?: object }[] = [
    { name: "no rule, and the target not registered", way: "citizen" },
    { name: "no rule, and neither registered with Entra ID", way: "itself" },
    { name: "a scope that is not granted", way: "citizen", more: { scope: ["cases.write"] } },
    { name: "a user of another group", way: "employee", more: { subject: { groups: ["8522166a"] } } },
  ];
  for (const { name, way, more } of cases) {
    test(name, () => {
      const question = {
        actor: "local:benefits:portal",
        target: "local:benefits:case-api",
        way,
        now,
        ...more,
      };
      let text = caseApi;
      let rounds = 0;
      for (
        let call = mayCall(open(text), question);
        call.outcome === "deny";
        call = mayCall(open(text), question)
      ) {
        assert.ok(rounds++ < 5, "every round brings the call nearer");
        const fixes = [
          ...(call.decision.fix ? [call.decision.fix] : []),
          ...call.obstacles.map(({ fix }) => fix),
        ];
        const [fix] = fixes;
        assert.ok(fix, call.decision.explanation);
        const fixed = applyFix(text, fix);
        assert.ok(fixed !== undefined);
        text = fixed;
      }
      for (const comment of ["# the API of cases", "# citizens", "# who may call", "# every day"])
        assert.ok(text.includes(comment), `${comment} is still there`);
      assert.ok(open(text).policy.target("local:benefits:case-api")?.exact.has("local:benefits:caseworker"));
    });
  }
});
