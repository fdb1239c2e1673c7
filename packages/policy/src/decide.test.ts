import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { createPolicy, decide, decisionReasons, parseApplicationId, parseManifests } from "./index.ts";
import type { DecisionReason, InboundRule, PolicyApplication, Question } from "./index.ts";

const onBehalfOf = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const exchange = "urn:ietf:params:oauth:grant-type:token-exchange";

const rule = (application: string, more: Partial<InboundRule> = {}): InboundRule => ({
  ...{ application, namespace: "benefits", cluster: "local", roles: [], scopes: [] },
  ...more,
});
const source = { file: "case-api.yaml", line: 1, inboundLine: 9 };
const caseApi: PolicyApplication = {
  id: "local:benefits:case-api",
  source,
  azure: { enabled: true, allowAllUsers: false, groups: ["group-1"] },
  inbound: [
    rule("caseworker", { scopes: ["read"], roles: ["reader"], source: { file: "case-api.yaml", line: 10 } }),
    rule("caseworker", { scopes: ["write"] }),
    rule("*", { namespace: "payout", source: { file: "case-api.yaml", line: 12 } }),
    rule("audit", { namespace: "audit", source: { file: "case-api.yaml", line: 14 } }),
    rule("far", { cluster: "remote", source: { file: "case-api.yaml", line: 16 } }),
  ],
};
const policy = createPolicy([caseApi, { id: "local:benefits:closed", inbound: [] }], {
  newDecisionId: () => "id-1",
});
const ask = (actor: string, target = caseApi.id, more: Partial<Question> = {}) =>
  decide(policy, { actor, target, grant: exchange, now: 1000, ...more });

describe("every reason has a case", () => {
  const cases: { reason: DecisionReason; question: [string, string?, Partial<Question>?]; says: RegExp }[] = [
    {
      reason: "admitted_by_rule",
      question: ["local:benefits:caseworker"],
      says: /case-api\.yaml:10 admits it/,
    },
    { reason: "admitted_by_wildcard", question: ["local:payout:job"], says: /case-api\.yaml:12/ },
    { reason: "malformed_actor", question: ["snoop"], says: /not of the form cluster:namespace:name/ },
    { reason: "malformed_target", question: ["local:payout:job", "case-api"], says: /not of the form/ },
    {
      reason: "unknown_target",
      question: ["local:payout:job", "local:benefits:caseapi"],
      says: /Did you mean local:benefits:case-api\?/,
    },
    {
      reason: "no_inbound_rules",
      question: ["local:payout:job", "local:benefits:closed"],
      says: /admits no callers/,
    },
    { reason: "no_rule", question: ["local:benefits:snoop"], says: /none of its inbound rules names it/ },
    {
      reason: "other_namespace",
      question: ["local:benefits:audit"],
      says: /in namespace audit, not benefits/,
    },
    { reason: "other_cluster", question: ["local:benefits:far"], says: /in cluster remote, not local/ },
    {
      reason: "scope_not_granted",
      question: ["local:benefits:caseworker", caseApi.id, { scope: ["read", "delete"] }],
      says: /not with the scope delete/,
    },
    {
      reason: "user_not_assigned",
      question: [
        "local:benefits:caseworker",
        caseApi.id,
        { grant: onBehalfOf, subject: { groups: ["group-2"] } },
      ],
      says: /not this user/,
    },
  ];
  for (const { reason, question, says } of cases) {
    test(reason, () => {
      const decision = ask(...question);
      assert.equal(decision.reason, reason);
      assert.equal(decision.outcome, decisionReasons[reason].outcome);
      assert.equal(decision.owner, decisionReasons[reason].owner);
      assert.match(decision.explanation, says);
      assert.doesNotMatch(decision.explanation, /[{}]|undefined/);
      if (decision.outcome === "deny") assert.deepEqual([decision.roles, decision.scopes], [[], []]);
    });
  }
  test("the table has no row without a case", () => {
    assert.deepEqual(cases.map(({ reason }) => reason).sort(), Object.keys(decisionReasons).sort());
  });
});

test("a decision carries the id, the time, the rule's line, and the union of what its rules give", () => {
  assert.deepEqual(ask("local:benefits:caseworker"), {
    id: "id-1",
    outcome: "allow",
    reason: "admitted_by_rule",
    actor: "local:benefits:caseworker",
    target: caseApi.id,
    grant: exchange,
    at: 1000,
    rule: { file: "case-api.yaml", line: 10 },
    roles: ["reader"],
    scopes: ["read", "write"],
    explanation:
      "local:benefits:caseworker may call local:benefits:case-api: the rule in case-api.yaml:10 admits it.",
    owner: "nobody",
  });
  assert.equal(ask("local:benefits:caseworker", caseApi.id, { id: "given" }).id, "given");
});

test("the policy's own ids are short and do not repeat", () => {
  const { newDecisionId } = createPolicy([]);
  const ids = Array.from({ length: 2000 }, () => newDecisionId());
  assert.equal(new Set(ids).size, 2000);
  for (const id of ids) assert.match(id, /^[0-9a-hjkmnp-tv-z]{10}$/);
});

describe("scopes asked for", () => {
  const allowed = [
    "api://local.benefits.case-api/.default",
    "api://local.benefits.case-api/read",
    "write",
    "defaultaccess",
  ];
  for (const scope of allowed) {
    test(`${scope} is granted`, () =>
      assert.equal(ask("local:benefits:caseworker", caseApi.id, { scope: [scope] }).outcome, "allow"));
  }
  for (const scope of ["api://local.benefits.case-api/delete", "", "api://x", "READ"]) {
    test(`${scope || "(empty)"} is not`, () =>
      assert.equal(ask("local:benefits:caseworker", caseApi.id, { scope: [scope] }).outcome, "deny"));
  }
});

describe("users of a target that names groups", () => {
  const cases: { name: string; more: Partial<Question>; outcome: string }[] = [
    { name: "a member", more: { grant: onBehalfOf, subject: { groups: ["group-1"] } }, outcome: "allow" },
    { name: "no groups at all", more: { grant: onBehalfOf, subject: {} }, outcome: "deny" },
    {
      name: "groups that are text",
      more: { grant: onBehalfOf, subject: { groups: "group-1" } },
      outcome: "deny",
    },
    { name: "a call without a user", more: { grant: "client_credentials" }, outcome: "allow" },
    { name: "a citizen", more: { grant: exchange, subject: { pid: "1" } }, outcome: "allow" },
  ];
  for (const { name, more, outcome } of cases) {
    test(name, () => assert.equal(ask("local:benefits:caseworker", caseApi.id, more).outcome, outcome));
  }
  const admits = (azure: PolicyApplication["azure"]): string => {
    const other = createPolicy([{ id: "local:b:api", inbound: [rule("web", { namespace: "b" })], azure }]);
    const question = { actor: "local:b:web", target: "local:b:api", grant: onBehalfOf, subject: {}, now: 1 };
    return decide(other, question).outcome;
  };
  test("allowAllUsers admits every user", () => {
    assert.equal(admits({ allowAllUsers: true, groups: [] }), "allow");
  });
  test("neither groups nor allowAllUsers admits none", () => {
    assert.equal(admits({ enabled: true, allowAllUsers: false, groups: [] }), "deny");
  });
  test("where Entra ID is not enabled, or users are not told of, nobody is held against groups", () => {
    assert.equal(admits({ enabled: false, allowAllUsers: false, groups: [] }), "allow");
    assert.equal(admits(undefined), "allow");
  });
});

describe("the fix", () => {
  test("is the shortest rule that names the caller, at the line of the target's rules", () => {
    const { fix } = ask("local:benefits:snoop");
    assert.deepEqual(fix, {
      file: "case-api.yaml",
      line: 9,
      yaml: "spec:\n  accessPolicy:\n    inbound:\n      rules:\n        - application: snoop",
    });
  });
  test("carries the scopes that the rule gives already", () => {
    const { fix } = ask("local:benefits:caseworker", caseApi.id, { scope: ["delete"] });
    assert.match(fix?.yaml ?? "", /scopes:\n +- "read"\n +- "write"\n +- "delete"$/);
  });
  for (const actor of ["local:benefits:snoop", "local:other:snoop", "far:other:true", "local:no:123"]) {
    test(`as the target's manifest it admits ${actor}`, () => {
      const { fix } = ask(actor);
      const text = `apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: case-api, namespace: benefits }\n${fix?.yaml}\n`;
      const { applications, problems } = parseManifests([{ file: "x", text }], { cluster: "local" });
      assert.deepEqual(problems, []);
      assert.equal(
        decide(createPolicy(applications), { actor, target: caseApi.id, grant: exchange, now: 1 }).outcome,
        "allow",
      );
    });
  }
});

test("wildcards, unknown callers, repeated and malformed ids are reported", () => {
  const { warnings, size } = createPolicy([caseApi, caseApi, { id: "case-api", inbound: [] }]);
  assert.equal(size, 1);
  assert.deepEqual(
    warnings.map(({ code, rule: at }) => [code, at?.line]),
    [
      ["declared_twice", 1],
      ["malformed_id", undefined],
      ["unknown_caller", 10],
      ["unknown_caller", undefined],
      ["wildcard", 12],
      ["unknown_caller", 14],
    ],
  );
  assert.match(
    warnings.find(({ code }) => code === "wildcard")?.message ?? "",
    /every application in namespace payout/,
  );
});

test("the first of two declarations counts: a second cannot open what the first closed", () => {
  const twice = createPolicy([
    { id: "local:b:api", inbound: [] },
    { id: "local:b:api", inbound: [rule("*", { namespace: "*" })] },
  ]);
  assert.equal(
    decide(twice, { actor: "local:b:x", target: "local:b:api", grant: exchange, now: 1 }).outcome,
    "deny",
  );
});

describe("properties", () => {
  const word = fc.constantFrom("a", "b", "c");
  const wild = fc.constantFrom("a", "b", "c", "*");
  const id = fc.tuple(word, word, word).map((parts) => parts.join(":"));
  const anyRule: fc.Arbitrary<InboundRule> = fc.record({
    ...{ application: wild, namespace: wild, cluster: wild },
    roles: fc.subarray(["r", "s"]),
    scopes: fc.subarray(["x", "y"]),
  });
  const rules = fc.array(anyRule, { maxLength: 6 });
  const outcome = (inbound: readonly InboundRule[], actor: string, scope?: readonly string[]) =>
    decide(createPolicy([{ id: "a:a:a", inbound }]), {
      actor,
      target: "a:a:a",
      grant: exchange,
      scope,
      now: 1,
    });

  test("no rule, no access", () => {
    fc.assert(fc.property(id, (actor) => assert.equal(outcome([], actor).outcome, "deny")));
  });
  test("access if and only if a rule names the caller part by part", () => {
    fc.assert(
      fc.property(rules, id, (inbound, actor) => {
        const [cluster, namespace, name] = actor.split(":");
        const named = inbound.some(
          (r) =>
            ["*", name].includes(r.application) &&
            ["*", namespace].includes(r.namespace) &&
            ["*", cluster].includes(r.cluster),
        );
        assert.equal(outcome(inbound, actor).outcome, named ? "allow" : "deny");
      }),
      { numRuns: 1000 },
    );
  });
  test("adding a rule takes nothing away: not the access, not a role, not a scope", () => {
    fc.assert(
      fc.property(rules, anyRule, fc.nat(6), id, (inbound, extra, at, actor) => {
        const before = outcome(inbound, actor, ["x"]);
        const after = outcome(inbound.toSpliced(at, 0, extra), actor, ["x"]);
        if (before.outcome !== "allow") return;
        assert.equal(after.outcome, "allow");
        for (const role of before.roles) assert.ok(after.roles.includes(role));
        for (const scope of before.scopes) assert.ok(after.scopes.includes(scope));
      }),
      { numRuns: 1000 },
    );
  });
  test("the order of the rules changes neither the outcome nor what it gives", () => {
    fc.assert(
      fc.property(rules, id, (inbound, actor) => {
        const [one, other] = [outcome(inbound, actor), outcome(inbound.toReversed(), actor)];
        assert.equal(one.outcome, other.outcome);
        assert.deepEqual([...one.scopes].sort(), [...other.scopes].sort());
      }),
    );
  });
  test("no actor or target, however odd, makes it throw or is let in by an exact rule", () => {
    const odd = fc.oneof(
      fc.string(),
      fc.constantFrom("*:*:*", "a:a:*", "__proto__", "a:a:a:a", " a:a:a", "a:a:a\n"),
    );
    fc.assert(
      fc.property(odd, odd, (actor, target) => {
        const decision = decide(
          createPolicy([{ id: "a:a:a", inbound: [rule("*", { namespace: "*", cluster: "*" })] }]),
          {
            ...{ actor, target, grant: exchange, now: 1 },
          },
        );
        if (target !== "a:a:a" || parseApplicationId(actor) === undefined)
          assert.equal(decision.outcome, "deny");
      }),
    );
  });
});

test("application ids: three DNS labels and nothing else", () => {
  assert.deepEqual(parseApplicationId("c:n-1:a"), { cluster: "c", namespace: "n-1", name: "a" });
  const wrong = [
    "",
    "a",
    "a:b",
    "a:b:c:d",
    "A:b:c",
    "a:b:-c",
    "a:b:c-",
    "a:b:*",
    "a::c",
    "a:b:c\n",
    `a:b:${"c".repeat(64)}`,
  ];
  for (const text of wrong) assert.equal(parseApplicationId(text), undefined, JSON.stringify(text));
});
