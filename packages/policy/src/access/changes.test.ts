import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compareAccess, createLandscape, parseManifests, takesAccess } from "../index.ts";
import type { Changes, Landscape } from "../index.ts";

const now = 1_800_000_000;

/** The application `api` of namespace `benefits`, with these lines below `spec`. */
function api(spec: string, ...others: readonly string[]): Landscape {
  const head =
    "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: api, namespace: benefits }\n";
  const text = [`${head}spec: ${spec}`, ...others].join("\n---\n");
  const { applications, problems } = parseManifests([{ file: "app.yaml", text }], { cluster: "local" });
  assert.deepEqual(problems, []);
  return createLandscape(applications);
}

const admits = (...rules: readonly string[]): string =>
  `{ tokenx: { enabled: true }, accessPolicy: { inbound: { rules: [${rules.join(", ")}] } } }`;
const employees = (fields: string): string => `{ azure: { application: { enabled: true, ${fields} } } }`;
const exposing = (fields: string): string =>
  `{ maskinporten: { enabled: true, scopes: { exposes: [{ enabled: true, name: a.read, product: tax, ${fields} }] } } }`;
const permitting = (permissions: string): string =>
  `{ azure: { application: { enabled: true, allowAllUsers: true } }, accessPolicy: { inbound: { rules: [{ application: portal, permissions: ${permissions} }] } } }`;

/** Each change in a line, whatever it is about. */
function linesOf({ access, wildcards, audiences, scopes }: Changes): string[] {
  return [
    ...access.map(({ change, actor, way }) => `${change}: ${actor}, ${way}`),
    ...wildcards.map(({ change, who, way }) => `${change}: ${who}, ${way}`),
    ...audiences.map(({ change }) => `${change}: employees`),
    ...scopes.map(({ change, scope }) => `${change}: organisations with ${scope}`),
  ];
}

const partners = "every application in namespace partners of cluster local";
const world = "every application in any namespace of any cluster";
const open = "{ application: '*', namespace: '*', cluster: '*' }";

const cases: { name: string; before: string; after: string; says: string[]; takes: boolean }[] = [
  {
    name: "a namespace is let in, with no application in it",
    before: admits(),
    after: admits("{ application: '*', namespace: partners }"),
    says: [`gained: ${partners}, citizen`],
    takes: false,
  },
  {
    name: "a namespace is shut out",
    before: admits("{ application: '*', namespace: partners }"),
    after: admits(),
    says: [`lost: ${partners}, citizen`],
    takes: true,
  },
  {
    name: "everybody becomes one application",
    before: admits(open),
    after: admits("{ application: portal }"),
    says: ["lost: local:benefits:api, citizen", `lost: ${world}, citizen`],
    takes: true,
  },
  {
    name: "a lone application opens to everybody",
    before: admits(),
    after: admits(open),
    says: ["gained: local:benefits:api, citizen", `gained: ${world}, citizen`],
    takes: false,
  },
  {
    name: "a wildcard inside a wider one changes nothing",
    before: admits(open),
    after: admits(open, "{ application: '*', namespace: partners }"),
    says: [],
    takes: false,
  },
  {
    name: "all employees become those of a group",
    before: employees("allowAllUsers: true"),
    after: employees("claims: { groups: [{ id: g1 }] }"),
    says: ["narrowed: employees"],
    takes: true,
  },
  {
    name: "those of a group become all employees",
    before: employees("claims: { groups: [{ id: g1 }] }"),
    after: employees("allowAllUsers: true"),
    says: ["widened: employees"],
    takes: false,
  },
  {
    name: "one group takes another's place",
    before: employees("claims: { groups: [{ id: g1 }] }"),
    after: employees("claims: { groups: [{ id: g2 }] }"),
    says: ["exchanged: employees"],
    takes: true,
  },
  {
    name: "no group but nobody: the application is no longer registered",
    before: employees("claims: { groups: [{ id: g1 }] }"),
    after: "{}",
    says: ["lost: employees"],
    takes: true,
  },
  {
    name: "a role and a scope are taken away",
    before: permitting("{ roles: [reader, writer], scopes: [read, write] }"),
    after: permitting("{ roles: [reader], scopes: [read] }"),
    says: ["narrowed: local:benefits:portal, employee", "narrowed: local:benefits:portal, itself"],
    takes: true,
  },
  {
    name: "a role is given",
    before: permitting("{ roles: [reader] }"),
    after: permitting("{ roles: [reader, writer] }"),
    says: ["widened: local:benefits:portal, itself"],
    takes: false,
  },
  {
    name: "a scope of Maskinporten's opens to every organisation",
    before: exposing("consumers: [{ orgno: '974761076' }]"),
    after: exposing("accessibleForAll: true"),
    says: ["widened: organisations with tax:a.read"],
    takes: false,
  },
  {
    name: "an organisation is taken from a scope",
    before: exposing("consumers: [{ orgno: '974761076' }, { orgno: '889640782' }]"),
    after: exposing("consumers: [{ orgno: '974761076' }]"),
    says: ["narrowed: organisations with tax:a.read"],
    takes: true,
  },
  {
    name: "a scope is no longer exposed",
    before: exposing("accessibleForAll: true"),
    after: "{}",
    says: ["lost: organisations with tax:a.read"],
    takes: true,
  },
];

describe("what plan says of one change", () => {
  for (const { name, before, after, says, takes } of cases) {
    test(name, () => {
      const changes = compareAccess(api(before), api(after), now);
      assert.deepEqual([linesOf(changes), takesAccess(changes)], [says, takes]);
    });
  }

  test("an application that goes takes its employees' access with it", () => {
    const [before, after] = [
      api(
        "{}",
        "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: tool, namespace: n }\nspec: { azure: { application: { enabled: true, allowAllUsers: true } } }",
      ),
      api("{}"),
    ];
    const changes = compareAccess(before, after, now);
    assert.deepEqual([changes.removed, linesOf(changes)], [["local:n:tool"], ["lost: employees"]]);
    assert.ok(takesAccess(changes));
  });
});
