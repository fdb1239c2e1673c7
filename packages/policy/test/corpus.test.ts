// Manifests as people have them: manifests/ holds every field that we know, in the forms in which it is written.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { createPolicy, decide, manifestJsonSchema, parseManifests, type Application } from "../src/index.ts";
import type { JsonSchema, ParsedManifests } from "../src/index.ts";

const folder = new URL("manifests/", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, folder), "utf8");
const values = {
  ...(JSON.parse(read("templates-values.json")) as Record<string, unknown>),
  previews: [{ number: 41 }, { number: 42 }, { number: 107 }],
};
const parse = (file: string): ParsedManifests =>
  parseManifests([{ file, text: read(file) }], { cluster: "local", namespace: "default", values });

const corpus: Readonly<Record<string, readonly string[]>> = {
  "anchors.yaml": ["archive:reader", "archive:writer", "archive:index"],
  "application.json": ["small:from-json"],
  "bare.yaml": [
    "default:smallest",
    "small:empty-spec",
    "small:empty-fields",
    "small:json-like",
    "z:a23456789-123456789-123456789-123456789-123456789-123456789-12",
  ],
  "citizens.yaml": [
    "sickness:sickness-portal",
    "family:family-portal",
    "pension:pension-gateway",
    "youth:youth-portal",
  ],
  "employees.yaml": [
    "benefits:caseworker",
    "benefits:open-tool",
    "benefits:closed-tool",
    "benefits:off-tool",
  ],
  "environments.yaml": ["pr-41:preview", "pr-42:preview", "pr-107:preview"],
  "inbound.yaml": [
    "people:person-api",
    "people:feature-flags",
    "people:monitor",
    "people:ledger",
    "people:nobody-calls",
  ],
  "machines.yaml": [
    "payout:nightly-payout",
    "payout:cleaner",
    "statistics:statistics-api",
    "payout:event-reader",
  ],
  "odd-but-right.yaml": ["odd:tagged", "odd:unicode", "odd:four-spaces"],
  "other-kinds.yaml": ["mixed:only-one"],
  "portvakt.yaml": ["agents:tools-server", "agents:assistant", "agents:indexer"],
  "status.yaml": ["ops:dumped", "ops:with-webproxy", "ops:all-providers"],
  "templates.yaml": ["letters:subscriptions", "letters:subscriptions-worker"],
  "windows.yaml": ["small:windows"],
};

describe("every file is read without a problem, and declares these applications", () => {
  for (const [file, ids] of Object.entries(corpus)) {
    test(file, () => {
      const { applications, problems } = parse(file);
      assert.deepEqual(problems, []);
      assert.deepEqual(
        applications.map(({ id }) => id),
        ids.map((id) => `local:${id}`),
      );
    });
  }
  test("they are at least forty", () => assert.ok(Object.values(corpus).flat().length >= 40));
});

const all = new Map(
  Object.keys(corpus).flatMap((file) => parse(file).applications.map((one) => [one.id, one])),
);
function named(id: string): Application {
  const application = all.get(`local:${id}`);
  assert.ok(application, id);
  return application;
}

describe("what they say is what is understood", () => {
  const cases: { name: string; id: string; seen: (application: Application) => unknown; is: unknown }[] = [
    { name: "port", id: "sickness:sickness-portal", seen: (a) => a.port, is: 3000 },
    { name: "port in hexadecimal", id: "small:json-like", seen: (a) => a.port, is: 8080 },
    { name: "port left out", id: "default:smallest", seen: (a) => a.port, is: 8080 },
    { name: "port from an anchor", id: "archive:reader", seen: (a) => a.port, is: 8081 },
    { name: "port from a template", id: "letters:subscriptions", seen: (a) => a.port, is: 9000 },
    { name: "team", id: "odd:unicode", seen: (a) => a.team, is: "håndverk" },
    {
      name: "paths",
      id: "sickness:sickness-portal",
      seen: (a) => a.paths,
      is: {
        liveness: "/sickness/api/internal/isAlive",
        readiness: "/sickness/api/internal/isReady",
        prometheus: "/sickness/api/internal/metrics",
      },
    },
    { name: "paths by alias", id: "archive:reader", seen: (a) => a.paths.readiness, is: "/internal/health" },
    {
      name: "env keeps plain values only",
      id: "sickness:sickness-portal",
      seen: (a) => a.env,
      is: { SICKNESS_API_URL: "http://sickness-api" },
    },
    {
      name: "env by merge key",
      id: "archive:writer",
      seen: (a) => a.env,
      is: { LOG_LEVEL: "info", OTHER_LEVEL: "info" },
    },
    { name: "env of many lines", id: "odd:tagged", seen: (a) => a.env["TEXT"], is: "two lines\nof text\n" },
    {
      name: "env that nobody filled in",
      id: "letters:subscriptions-worker",
      seen: (a) => a.env["GREETING"],
      is: "{{ never-filled-in }}",
    },
    {
      name: "ID-porten's sidecar",
      id: "sickness:sickness-portal",
      seen: (a) => a.idporten?.sidecar,
      is: {
        enabled: true,
        autoLogin: true,
        autoLoginIgnorePaths: ["/sickness/public/**", "/sickness/api/internal/*"],
        level: "Level4",
        locale: "nb",
      },
    },
    {
      name: "ID-porten without one",
      id: "pension:pension-gateway",
      seen: (a) => a.idporten?.sidecar,
      is: undefined,
    },
    {
      name: "Entra ID's groups, addresses and tenant",
      id: "benefits:caseworker",
      seen: (a) => [
        a.azure?.groups.length,
        a.azure?.replyUrls.length,
        a.azure?.tenant,
        a.azure?.sidecar?.autoLogin,
      ],
      is: [2, 2, "nav.no", true],
    },
    { name: "Entra ID off", id: "benefits:off-tool", seen: (a) => a.azure?.enabled, is: false },
    {
      name: "login",
      id: "youth:youth-portal",
      seen: (a) => a.login,
      is: { provider: "openid", enforce: { enabled: true, excludePaths: ["/", "/about/*", "/static/**"] } },
    },
    {
      name: "Maskinporten's scopes to use",
      id: "payout:nightly-payout",
      seen: (a) => [a.kind, a.maskinporten?.consumes.map((scope) => scope.name)],
      is: ["Naisjob", ["tax:assessments.read", "brreg:roles/read"]],
    },
    {
      name: "Maskinporten's scopes to offer",
      id: "statistics:statistics-api",
      seen: (a) =>
        a.maskinporten?.exposes.map((scope) => [
          scope.name,
          scope.enabled,
          scope.atMaxAge,
          scope.consumers,
          scope.accessibleForAll,
          scope.separator,
          scope.visibility,
          scope.delegationSource,
        ]),
      is: [
        ["monthly.read", true, 120, ["974761076"], false, undefined, "public", undefined],
        ["yearly/open.read", true, 30, [], true, undefined, "public", undefined],
        ["internal", false, 30, [], false, ".", "private", "altinn"],
      ],
    },
    {
      name: "outbound rules and hosts",
      id: "payout:nightly-payout",
      seen: (a) => a.outbound,
      is: {
        rules: [{ application: "case-api", namespace: "benefits", cluster: "local" }],
        external: [{ host: "api.tax.example" }],
      },
    },
    {
      name: "a template's list of addresses",
      id: "letters:subscriptions",
      seen: (a) => a.ingresses.length,
      is: 2,
    },
    {
      name: "a template's else",
      id: "letters:subscriptions",
      seen: (a) => [a.idporten?.enabled, a.azure],
      is: [true, undefined],
    },
    {
      name: "a template's name",
      id: "pr-107:preview",
      seen: (a) => a.ingresses,
      is: ["https://pr-107.preview.example"],
    },
    {
      name: "an MCP server and its identity",
      id: "agents:tools-server",
      seen: (a) => [a.mcp, a.identity, a.login?.provider],
      is: [true, { spiffe: "spiffe://agency.example/ns/agents/sa/tools" }, "keycloak"],
    },
  ];
  for (const { name, id, seen, is } of cases) test(name, () => assert.deepEqual(seen(named(id)), is));
});

describe("who may call whom, by these manifests", () => {
  const policy = createPolicy(all.values());
  const cases: [actor: string, target: string, outcome: "allow" | "deny"][] = [
    ["local:sickness:sickness-portal", "local:people:person-api", "allow"],
    ["local:people:sickness-portal", "local:people:person-api", "deny"],
    ["prod-fss:edge:gateway", "local:people:person-api", "allow"],
    ["local:edge:gateway", "local:people:person-api", "deny"],
    ["local:people:people-admin", "local:people:person-api", "allow"],
    ["local:people:anybody", "local:people:feature-flags", "allow"],
    ["local:elsewhere:anybody", "local:people:feature-flags", "deny"],
    ["local:elsewhere:anybody", "local:people:monitor", "allow"],
    ["remote:x:prober", "local:people:monitor", "allow"],
    ["remote:x:other", "local:people:monitor", "deny"],
    ["local:people:person-api", "local:people:nobody-calls", "deny"],
    ["local:archive:back", "local:archive:reader", "allow"],
    ["local:archive:archive", "local:letters:subscriptions", "allow"],
    ["local:pr-42:preview-client", "local:pr-42:preview", "allow"],
    ["local:pr-41:preview-client", "local:pr-42:preview", "deny"],
    ["local:odd:unicode", "local:odd:four-spaces", "allow"],
    ["local:default:smallest", "local:small:json-like", "allow"],
    ["local:benefits:portal", "local:small:windows", "allow"],
  ];
  for (const [actor, target, outcome] of cases) {
    test(`${actor} -> ${target}: ${outcome}`, () => {
      assert.equal(decide(policy, { actor, target, grant: "client_credentials", now: 0 }).outcome, outcome);
    });
  }

  test("two rules for one caller add up", () => {
    const question = { actor: "local:people:person-api", target: "local:people:ledger", now: 0 };
    assert.deepEqual(decide(policy, { ...question, grant: "client_credentials" }).roles, ["read", "write"]);
  });
});

test("every field of the schema stands somewhere in the corpus", () => {
  const texts = Object.keys(corpus).map(read).join("\n");
  const fields = (schema: JsonSchema): string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
      name,
      ...fields(field),
      ...fields(field.items ?? {}),
    ]);
  const missing = [...new Set(fields(manifestJsonSchema()))].filter(
    (name) => !new RegExp(`\\b${name}\\b`).test(texts),
  );
  assert.deepEqual(missing, []);
});
