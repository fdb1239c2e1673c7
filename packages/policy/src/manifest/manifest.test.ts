import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  decisionReasons,
  decisionsMarkdown,
  manifestJsonSchema,
  manifestMarkdown,
  parseManifests,
} from "../index.ts";
import type { Problem } from "../index.ts";

const parse = (text: string, values?: Record<string, unknown>) =>
  parseManifests([{ file: "app.yaml", text }], { cluster: "local", ...(values && { values }) });

const head =
  "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata:\n  name: api\n  namespace: benefits\n";
const whole = `${head}  labels:
    team: payments
spec:
  image: "example/api:1"
  port: 3000
  replicas: { min: 2 }
  ingresses: [https://api.example.org/path]
  env:
    - name: REGISTER_URL
      value: http://income-register
    - name: SECRET
      valueFrom: { fieldRef: { fieldPath: metadata.name } }
  liveness: { path: /isalive, initialDelay: 3 }
  azure:
    application:
      enabled: true
      allowAllUsers: false
      claims: { groups: [{ id: "11111111-2222-3333-4444-555555555555" }] }
      tenant: nav.no
    sidecar: { enabled: true, autoLogin: true, autoLoginIgnorePaths: [/internal/**] }
  idporten:
    enabled: true
    sidecar: { enabled: true, level: idporten-loa-high, locale: nn }
  tokenx:
    enabled: true
  maskinporten:
    enabled: true
    scopes:
      consumes: [{ name: "tax:income" }]
      exposes:
        - { enabled: true, name: read, product: benefits, consumers: [{ orgno: "889640782" }] }
  accessPolicy:
    inbound:
      rules:
        - application: portal
        - application: batch
          namespace: other
          cluster: far
          permissions: { roles: [writer], scopes: [read] }
    outbound:
      rules: [{ application: income-register }]
      external: [{ host: tax.example.org }]
`;

test("a whole manifest becomes an application, defaults filled in, unknown parts passed over", () => {
  const { applications, problems } = parse(whole);
  assert.deepEqual(problems, []);
  const [app] = applications;
  assert.ok(app);
  assert.equal(app.id, "local:benefits:api");
  assert.equal(app.team, "payments");
  assert.deepEqual(app.env, { REGISTER_URL: "http://income-register" });
  assert.deepEqual(app.azure?.groups, ["11111111-2222-3333-4444-555555555555"]);
  assert.deepEqual(app.azure?.sidecar?.autoLoginIgnorePaths, ["/internal/**"]);
  assert.equal(app.idporten?.sidecar?.level, "idporten-loa-high");
  assert.equal(app.idporten?.sidecar?.autoLogin, false);
  assert.deepEqual(app.maskinporten?.consumes, [{ name: "tax:income" }]);
  assert.deepEqual(app.maskinporten?.exposes[0]?.consumers, ["889640782"]);
  assert.deepEqual(app.inbound, [
    {
      ...{ application: "portal", namespace: "benefits", cluster: "local", roles: [], scopes: [] },
      source: { file: "app.yaml", line: 40 },
    },
    {
      ...{ application: "batch", namespace: "other", cluster: "far", roles: ["writer"], scopes: ["read"] },
      source: { file: "app.yaml", line: 41 },
    },
  ]);
  assert.equal(app.outbound.rules[0]?.namespace, "benefits");
  assert.deepEqual(app.source, { file: "app.yaml", line: 1, inboundLine: 39, specLine: 8 });
});

test("several documents, other kinds, other groups and empty documents", () => {
  const other = "apiVersion: v1\nkind: ConfigMap\nspec: { accesPolicy: 1 }";
  const topic = "apiVersion: kafka.nais.io/v1\nkind: Topic\nmetadata: { name: t }";
  const job = "apiVersion: nais.io/v1\nkind: Naisjob\nmetadata: { name: job, namespace: benefits }";
  const ours =
    "apiVersion: portvakt.dev/v1\nkind: Application\nmetadata: { name: tool, namespace: b }\nspec: { mcp: true }";
  const { applications, problems } = parse([head, "", other, topic, job, ours].join("\n---\n"));
  assert.deepEqual(problems, []);
  assert.deepEqual(
    applications.map(({ id, kind, mcp }) => [id, kind, mcp]),
    [
      ["local:benefits:api", "Application", false],
      ["local:benefits:job", "Naisjob", false],
      ["local:b:tool", "Application", true],
    ],
  );
});

test("anchors and merge keys are followed, and problems inside them have their place", () => {
  const text = `${head}spec:
  x-rule: &rule
    namespace: other
    permissions: { rols: [a] }
  accessPolicy:
    inbound:
      rules:
        - <<: *rule
          application: portal
`;
  const { applications, problems } = parse(text);
  assert.equal(applications[0]?.inbound[0]?.namespace, "other");
  assert.deepEqual(
    problems.map(({ line, hint }) => [line, hint]),
    [[9, "did you mean roles, not rols?"]],
  );
});

describe("templates", () => {
  const templated = `${head}spec:
  image: {{ image }}
  port: {{ port }}
  ingresses: {{ ingresses }}
  accessPolicy:
    inbound:
      rules:
        - application: {{ caller.name }}
        - applicaton: later
`;
  test("names and names with a dot are filled in; lists too; places are those of the file as written", () => {
    const values = {
      port: 3000,
      ingresses: ["https://a.example.org"],
      caller: { name: "a-much-longer-name" },
    };
    const { applications, problems } = parse(templated.replace(/ {8}- applicaton.*\n/, ""), values);
    assert.deepEqual(problems, []);
    assert.equal(applications[0]?.port, 3000);
    assert.equal(applications[0]?.image, "{{ image }}");
    assert.equal(applications[0]?.inbound[0]?.application, "a-much-longer-name");
    const misspelt = parse(templated, values).problems;
    assert.deepEqual(
      misspelt.map(({ line, column }) => [line, column]),
      [[14, 11]],
      "told once: what is misspelt is not also missing",
    );
  });
  test("a field that needs a value without one is a problem; the image is not", () => {
    const { applications, problems } = parse(templated.replace(/ {8}- applicaton.*\n/, ""), { port: 1 });
    assert.equal(applications.length, 0);
    assert.deepEqual(
      problems.map(({ line, message }) => `${line}: ${message}`),
      [
        "9: spec.ingresses needs {{ ingresses }}, which has no value",
        "13: spec.accessPolicy.inbound.rules.0.application needs {{ caller.name }}, which has no value",
      ],
    );
  });
  test("values are data: inherited names are no values", () => {
    const { problems } = parse(`${head}spec: { port: {{ __proto__ }} }`, {});
    assert.match(problems[0]?.message ?? "", /needs \{\{ __proto__ \}\}, which has no value/);
  });
  test("each, if, unless and else, as deploy tools know them", () => {
    const blocks = `${head}spec:
  ingresses:
    {{#each ingresses as |url|}}
    - {{url}}
    {{/each}}
  accessPolicy:
    inbound:
      rules:
        {{#each callers}}
        - application: {{ name }}
          namespace: {{#if namespace}}{{namespace}}{{else}}{{home}}{{/if}}
        {{/each}}
        {{#unless production}}
        - application: tester
        {{/unless}}
`;
    const values = {
      ingresses: ["https://a.example.org", "https://b.example.org"],
      callers: [{ name: "one", namespace: "x" }, { name: "two" }],
      home: "here",
    };
    const { applications, problems } = parse(blocks, values);
    assert.deepEqual(problems, []);
    assert.deepEqual(applications[0]?.ingresses, values.ingresses);
    assert.deepEqual(
      applications[0]?.inbound.map(({ application, namespace, source }) => [
        application,
        namespace,
        source?.line,
      ]),
      [
        ["one", "x", 15],
        ["two", "here", 15],
        ["tester", "benefits", 19],
      ],
    );
    const production = parse(blocks, { ...values, production: true });
    assert.equal(production.applications[0]?.inbound.length, 2);
  });
  test("what is not understood is reported, not guessed at", () => {
    const told = (text: string): string[] =>
      parse(`${head}${text}`, {}).problems.map(({ line, message }) => `${line}: ${message}`);
    assert.deepEqual(told("x: {{#each list}}\n{{/each}}"), [
      "6: {{#each list}} needs list, which has no value",
    ]);
    assert.deepEqual(told("x: 1\n{{#if a}}"), ["7: {{#if a}} is never closed"]);
    assert.deepEqual(told("x: 1\n{{/if}}"), ["7: {{/if}} closes no block"]);
    assert.ok(told("x: 1\n{{#each a}}{{/if}}{{/each}}").includes("7: {{/if}} closes no block"));
    assert.deepEqual(told("x: 1\n{{> partial}}"), ["7: {{> partial}} is not understood here"]);
    assert.deepEqual(told("x: 1\n{{else}}"), ["7: {{else}} belongs to no block"]);
  });
  for (const inside of ["word", ""]) {
    test(`blocks within blocks are bounded, with ${inside === "" ? "nothing" : "text"} inside`, () => {
      const list = Array.from({ length: 100 }, (_, i) => i);
      const text = `${head}x: "${"{{#each list}}".repeat(8)}${inside}${"{{/each}}".repeat(8)}"`;
      const messages = parse(text, { list }).problems.map(({ message }) => message);
      assert.equal(messages.filter((message) => /expand to more than 1 MiB/.test(message)).length, 1);
    });
  }
});

describe("problems name the place and the fix", () => {
  const cases: { name: string; text: string; at: [number, number]; message: RegExp; hint?: RegExp }[] = [
    {
      name: "a misspelt field that concerns us",
      text: `${head}spec:\n  accesPolicy:\n    inbound: {}\n`,
      at: [7, 3],
      message: /spec\.accesPolicy is not a field, so it has no effect/,
      hint: /accessPolicy/,
    },
    {
      name: "a misspelt field deep down",
      text: `${head}spec:\n  accessPolicy:\n    inboud:\n      rules: []\n`,
      at: [8, 5],
      message: /inboud/,
      hint: /did you mean inbound/,
    },
    {
      name: "a wrong letter case",
      text: `${head}spec:\n  tokenX: { enabled: true }\n`,
      at: [7, 3],
      message: /tokenX/,
      hint: /tokenx/,
    },
    {
      name: "a value of the wrong type",
      text: `${head}spec:\n  tokenx:\n    enabled: "true"\n`,
      at: [8, 14],
      message: /spec\.tokenx\.enabled should be true or false, but is the text "true"/,
    },
    {
      name: "a value outside its bounds",
      text: `${head}spec: { port: 70000 }`,
      at: [6, 15],
      message: /at most 65535, but is 70000/,
    },
    {
      name: "a value that is none of those known",
      text: `${head}spec:\n  idporten: { sidecar: { level: Level5 } }\n`,
      at: [7, 33],
      message: /one of Level3, Level4, idporten-loa-substantial, idporten-loa-high/,
    },
    {
      name: "a rule without an application",
      text: `${head}spec:\n  accessPolicy:\n    inbound:\n      rules:\n        - namespace: x\n`,
      at: [10, 11],
      message: /rules\.0\.application is missing/,
      hint: /or \* for any/,
    },
    {
      name: "a rule that is not a name",
      text: `${head}spec:\n  accessPolicy:\n    inbound:\n      rules: [{ application: "por*" }]\n`,
      at: [9, 30],
      message: /should be an application's name, or \*/,
    },
    {
      name: "a number where the environment needs text",
      text: `${head}spec:\n  env:\n    - name: PORT\n      value: 8080\n`,
      at: [9, 14],
      message: /should be text, but is 8080/,
      hint: /quotes/,
    },
    {
      name: "a namespace that is missing",
      text: "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata:\n  name: api\n",
      at: [3, 1],
      message: /namespace is missing/,
    },
    {
      name: "a kind near one of ours",
      text: head.replace("Application", "Aplication"),
      at: [2, 7],
      message: /no effect/,
      hint: /Application/,
    },
    {
      name: "a version that is not known",
      text: head.replace("v1alpha1", "v1alpha2"),
      at: [1, 13],
      message: /not a version/,
      hint: /nais\.io\/v1alpha1/,
    },
    { name: "broken YAML", text: `${head}spec: [`, at: [6, 8], message: /no valid YAML/ },
    { name: "a repeated field", text: `${head}metadata: {}`, at: [6, 1], message: /unique/ },
    { name: "an anchor that is missing", text: `${head}spec: *nope`, at: [1, 1], message: /no anchor &nope/ },
    ...["https://a:99999/", "https://[::", "https://%zz/", "https://"].map((address) => ({
      name: `an address that is none: ${address}`,
      text: `${head}spec:\n  ingresses:\n    - "${address}"\n`,
      at: [8, 7] as [number, number],
      message: /^spec\.ingresses\.0 should be an address such as https:\/\/app\.example\.org/,
    })),
    {
      name: "two applications with one name",
      text: `${head}---\n${head}`,
      at: [10, 9],
      message: /declared twice/,
      hint: /app\.yaml:1/,
    },
  ];
  for (const { name, text, at, message, hint } of cases) {
    test(name, () => {
      const { problems } = parse(text);
      const found = problems.find((problem) => message.test(problem.message));
      assert.ok(found, JSON.stringify(problems));
      assert.equal(problems.filter(({ message: one }) => one === found.message).length, 1, "it is told once");
      assert.deepEqual([found.line, found.column], at);
      assert.ok(found.hint.length > 0);
      if (hint !== undefined) assert.match(found.hint, hint);
    });
  }
});

test("a misspelt access policy leaves an application that admits nobody", () => {
  const { applications } = parse(
    `${head}spec:\n  accesPolicy:\n    inbound: { rules: [{ application: portal }] }`,
  );
  assert.deepEqual(applications[0]?.inbound, []);
});

describe("what is hostile is bounded", () => {
  const messages = (problems: readonly Problem[]): string =>
    problems.map(({ message }) => message).join("; ");
  test("aliases that expand without bound", () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `a${i}: &a${i} [${Array.from({ length: 9 }, () => (i ? `*a${i - 1}` : "x")).join()}]`,
    );
    const { applications, problems } = parse(`${head}${levels.join("\n")}\n`);
    assert.equal(applications.length, 0);
    assert.match(messages(problems), /expand too far/);
  });
  test("a file of more than 1 MiB", () => {
    assert.match(messages(parse(`${head}# ${"x".repeat(1_048_577)}`).problems), /larger than 1 MiB/);
  });
  test("nesting of more than 40 levels", () => {
    assert.match(messages(parse(`${head}x: ${"[".repeat(60)}${"]".repeat(60)}`).problems), /levels deep/);
  });
  test("names of the language's own objects are plain fields", () => {
    const { applications } = parse(`${head}spec: { __proto__: { port: 1 }, constructor: 1 }`);
    assert.equal(applications[0]?.port, 8080);
  });
  test("no text makes the parser throw", () => {
    const piece = fc.constantFrom(
      head,
      "spec:",
      "\n",
      "  ",
      "- ",
      "{",
      "}",
      "[",
      "&a",
      "*a",
      "<<: *a",
      "---\n",
      "{{ x }}",
      ": ",
      "\t",
      "accessPolicy",
      "'",
      "!!x",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        for (const problem of parse(pieces.join("")).problems) {
          assert.ok(problem.line >= 1 && problem.column >= 1, JSON.stringify(problem));
        }
      }),
      { numRuns: 500 },
    );
  });
});

test("the JSON Schema is made from what checks the manifests", () => {
  const schema = manifestJsonSchema();
  assert.equal(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  assert.deepEqual(schema.required, ["apiVersion", "kind", "metadata"]);
  const rules =
    schema.properties?.["spec"]?.properties?.["accessPolicy"]?.properties?.["inbound"]?.properties?.["rules"];
  assert.deepEqual(rules?.items?.required, ["application"]);
  assert.ok(rules?.items?.properties?.["namespace"]?.description);
});

test("the reference pages have a row for every field and every reason", () => {
  const manifest = manifestMarkdown();
  assert.match(manifest, /\| `spec\.accessPolicy\.inbound\.rules\[\]\.application` \| text, required \|/);
  assert.match(manifest, /\| `spec\.maskinporten\.scopes\.exposes\[\]\.atMaxAge` \| whole number \|/);
  const decisions = decisionsMarkdown();
  for (const code of Object.keys(decisionReasons))
    assert.match(decisions, new RegExp(`^\\| \`${code}\` `, "m"));
});
