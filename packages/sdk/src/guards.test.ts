import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { citizen, codeOf, employee, idporten, machine, now, sdk, sign } from "../test/issuers.ts";
import type { Claims, Issuer } from "../test/issuers.ts";
import type { ValidateOptions } from "./index.ts";

describe("guards", () => {
  const cases: { name: string; claims: Claims; key: Issuer; guards: ValidateOptions; code: string }[] = [
    {
      name: "acr: the older name of the same level",
      claims: citizen,
      key: "tokenx",
      guards: { acr: "idporten-loa-high" },
      code: "accepted",
    },
    {
      name: "acr: a higher level",
      claims: citizen,
      key: "tokenx",
      guards: { acr: "Level3" },
      code: "accepted",
    },
    {
      name: "acr: a lower level",
      claims: idporten,
      key: "idporten",
      guards: { acr: "idporten-loa-high" },
      code: "insufficient_acr",
    },
    {
      name: "acr: none in the token",
      claims: { ...citizen, acr: undefined },
      key: "tokenx",
      guards: { acr: "Level3" },
      code: "insufficient_acr",
    },
    {
      name: "acr: a value outside the order must be equal",
      claims: { ...citizen, acr: "Level9" },
      key: "tokenx",
      guards: { acr: "Level3" },
      code: "insufficient_acr",
    },
    {
      name: "scope: all of them",
      claims: employee,
      key: "entra",
      guards: { scope: ["read", "defaultaccess"] },
      code: "accepted",
    },
    {
      name: "scope: one is missing",
      claims: employee,
      key: "entra",
      guards: { scope: ["read", "write"] },
      code: "insufficient_scope",
    },
    {
      name: "roles: one of them",
      claims: machine,
      key: "entra",
      guards: { roles: ["x", "access_as_application"] },
      code: "accepted",
    },
    {
      name: "roles: none of them",
      claims: machine,
      key: "entra",
      guards: { roles: "writer" },
      code: "missing_role",
    },
    {
      name: "roles: text instead of a list",
      claims: { ...machine, roles: "writer" },
      key: "entra",
      guards: { roles: "writer" },
      code: "missing_role",
    },
    {
      name: "roles: an empty list admits nobody",
      claims: machine,
      key: "entra",
      guards: { roles: [] },
      code: "missing_role",
    },
    {
      name: "groups: a member",
      claims: employee,
      key: "entra",
      guards: { groups: "group-1" },
      code: "accepted",
    },
    {
      name: "groups: not a member",
      claims: employee,
      key: "entra",
      guards: { groups: ["group-2"] },
      code: "missing_group",
    },
    {
      name: "kind: a user where a machine is asked for",
      claims: employee,
      key: "entra",
      guards: { kind: "machine" },
      code: "wrong_kind",
    },
    {
      name: "kind: a machine where a user is asked for",
      claims: machine,
      key: "entra",
      guards: { kind: "user" },
      code: "wrong_kind",
    },
    {
      name: "kind: a token that says both is neither",
      claims: { ...employee, idtyp: "app" },
      key: "entra",
      guards: { kind: "user" },
      code: "wrong_kind",
    },
    {
      name: "clients: the caller is listed",
      claims: citizen,
      key: "tokenx",
      guards: { clients: "local:benefits:portal" },
      code: "accepted",
    },
    {
      name: "clients: it is not",
      claims: citizen,
      key: "tokenx",
      guards: { clients: "local:benefits:other" },
      code: "wrong_caller",
    },
    {
      name: "max age: recent",
      claims: { ...citizen, auth_time: now - 60 },
      key: "tokenx",
      guards: { maxAgeSeconds: 60 },
      code: "accepted",
    },
    {
      name: "max age: too long ago",
      claims: { ...citizen, auth_time: now - 61 },
      key: "tokenx",
      guards: { maxAgeSeconds: 60 },
      code: "stale_authentication",
    },
    {
      name: "max age: not told",
      claims: citizen,
      key: "tokenx",
      guards: { maxAgeSeconds: 60 },
      code: "stale_authentication",
    },
  ];
  for (const { name, claims, key, guards, code } of cases) {
    test(name, async () =>
      assert.equal(codeOf(await sdk.validateToken(await sign(claims, key), guards)), code),
    );
  }
});
