/** Every page, from manifests in a folder and a TokenX that tells what it decided. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  consoleWith,
  doubleOf,
  folderWith,
  isPage,
  mainOf,
  manifest,
  now,
  signer,
  type Console,
} from "./kit.ts";

const [portal, api, snoop] = ["local:benefits:portal", "local:benefits:api", "local:benefits:snoop"];
const denied = {
  ...{ id: "abcdefgh01", outcome: "deny", reason: "no_rule", actor: snoop, target: api, at: now - 30 },
  ...{ grant: "urn:ietf:params:oauth:grant-type:token-exchange", roles: [], scopes: [] },
  explanation: `${api} does not admit ${snoop}: none of its inbound rules names it.`,
  owner: "the target's team",
  fix: { yaml: "spec:\n  accessPolicy: told by TokenX" },
};
const allowed = {
  ...{ ...denied, id: "abcdefgh02", outcome: "allow", reason: "admitted_by_rule", actor: portal },
  explanation: `${portal} may call ${api}.`,
  rule: { file: "api.yaml", line: 15 },
};
const elsewhere = { ...denied, id: "abcdefgh03", target: "prod:tax:register" };
const records = [
  { at: now - 30, outcome: "refused", actor: snoop, target: api, decision: denied, correlation_id: "c-1" },
  { at: now - 40, outcome: "issued", actor: portal, target: api, decision: allowed, correlation_id: "c-2" },
  {
    ...{ at: now - 50, outcome: "refused", actor: portal, target: api, error: "invalid_request" },
    ...{ description: "the subject token expired", correlation_id: "c-3" },
  },
  { at: now - 60, outcome: "refused", actor: snoop, target: elsewhere.target, decision: elsewhere },
];

let tokenx: Awaited<ReturnType<typeof doubleOf>>;
let server: Awaited<ReturnType<typeof doubleOf>>;
let folder: Awaited<ReturnType<typeof folderWith>>;
let on: Console;
let trouble = 200;

before(async () => {
  const { privateJwk } = await signer();
  tokenx = await doubleOf(({ pathname }) => {
    if (trouble !== 200) return { status: trouble, body: {} };
    if (pathname === "/decisions") return { body: { decisions: records } };
    const id = pathname.split("/").at(-1);
    if (pathname.startsWith("/registration/"))
      return { body: { client_id: id, client_id_issued_at: now - 3_600, jwks: { keys: [{}, {}] } } };
    const record = records.find(({ decision }) => decision?.id === id);
    return record === undefined ? { status: 404, body: { error: "not_found" } } : { body: record };
  });
  server = await doubleOf(({ pathname }) =>
    pathname === "/well"
      ? { body: {} }
      : { status: 503, body: { ready: false, checks: { database: { ok: false, detail: "is away" } } } },
  );
  folder = await folderWith({
    "portal.yaml": manifest("portal"),
    "api.yaml": manifest("api", ["portal", "reports"]),
    "snoop.yaml": manifest("snoop", ["*"], "  azure:\n    application:\n      enabled: true\n"),
    "other.yaml": "kind: ConfigMap\n",
  });
  on = await consoleWith({
    PORTVAKT_CONSOLE_MANIFESTS: folder.path,
    PORTVAKT_CONSOLE_MANIFEST_ROOT: `${folder.path}/`,
    PORTVAKT_CONSOLE_TOKENX_URL: tokenx.url,
    PORTVAKT_CONSOLE_READER_JWK: JSON.stringify(privateJwk),
    PORTVAKT_CONSOLE_SERVERS_FILE: join(folder.path, "servers.json"),
  });
  await folder.write(
    "servers.json",
    JSON.stringify([
      { name: "TokenX", address: tokenx.url, ready: `${server.url}/well` },
      { name: "store", ready: `${server.url}/sick` },
      { name: "gone", ready: "http://127.0.0.1:1/readyz" },
      { name: "token API", application: portal, ready: `${server.url}/sick` },
    ]),
  );
});
after(async () => {
  await on.close();
  await Promise.all([tokenx.close(), server.close(), folder.remove()]);
});

const pages: readonly { path: string; status?: number; says: readonly RegExp[] }[] = [
  { path: "/", says: [/3 applications, 3 servers/u, />portal</u, /ready/u, /Refused last/u, /no rule/u] },
  { path: "/?q=SNOOP", says: [/>snoop</u] },
  { path: "/?q=nobody", says: [/No application here has that in its name/u] },
  { path: `/applications/${api}`, says: [/api\.yaml:1\b/u, />portal</u, /api\.yaml:1\d/u, /60 min ago.{0,9}, with 2 keys/u] },
  { path: `/applications/${portal}`, says: [/Whom it may call/u, />api</u, /database: is away/u] },
  { path: "/applications/local:benefits:reports", status: 404, says: [/No manifest here declares/u, />api</u] },
  { path: "/applications/nonsense", status: 404, says: [/No manifest here declares/u] },
  { path: "/graph", says: [/<img src="\/graph\.svg"/u, /As a table/u, /admits every application/u] },
  { path: "/graph?focus=api", says: [/graph\.svg\?focus=local%3Abenefits%3Aapi/u] },
  { path: "/graph?focus=ap", says: [/Did you mean api\?/u] },
  { path: "/decisions", says: [/no rule/u, /admitted by rule/u, /invalid_request: the subject token expired/u] },
  { path: "/decisions?outcome=deny&application=api", says: [/<option value="deny" selected/u] },
  { path: "/decisions?application=ap", says: [/Did you mean api\?/u] },
  { path: "/decisions/abcdefgh01", says: [/does not admit/u, /the target&#39;s team|the target's team/u, /Add to <code>api\.yaml:\d+/u, /application: snoop/u, /c-1/u] },
  { path: "/decisions/abcdefgh02", says: [/allowed/u, /api\.yaml:15/u, /may call/u] },
  { path: "/decisions/abcdefgh03", says: [/told by TokenX/u, /Whose move/u] },
  { path: "/decisions/abcdefgh99", status: 404, says: [/holds no decision with this id/u] },
  { path: "/decisions/..%2fregistration", status: 404, says: [/holds no decision with this id/u] },
  { path: "/access", says: [/A, who calls/u, /<option value="local:benefits:api">/u] },
  { path: "/access?from=portal&to=api", says: [/Yes/u, /on behalf of a citizen, by TokenX/u, /api\.yaml:\d+/u] },
  { path: "/access?from=snoop&to=api", says: [/may not call/u, /application: snoop/u, /Whose move/u] },
  { path: "/access?from=nobody&to=api", says: [/No manifest here declares an application named nobody/u] },
  { path: "/access?from=portal&to=api&scope=case:write", says: [/case:write/u] },
  { path: "/explain", says: [/Every code/u, /AADSTS501051/u, /MP-200/u] },
  { path: "/explain/AADSTS501051", says: [/The target does not admit this application/u, /login\.microsoftonline\.com/u] },
  { path: "/explain/no_rule", says: [/Whose move/u] },
  { path: "/explain/unheard-of", status: 404, says: [/Nothing here knows what that is/u] },
  { path: "/token", says: [/neither kept nor logged/u, /never in an address/u] },
  { path: "/nothing", status: 404, says: [/no such page/u] },
]; // prettier-ignore

describe("pages", () => {
  for (const { path, status = 200, says } of pages) {
    test(`${path} answers ${status}, whole and with its headers`, async () => {
      const answer = await on.get(path);
      isPage(answer, status);
      for (const words of says) assert.match(mainOf(answer), words);
    });
  }

  test("are those that docs/console.md lists", async () => {
    const text = await readFile(resolve(import.meta.dirname, "../../../docs/console.md"), "utf8");
    const listed = [...text.matchAll(/^\| `(\/[^`]*)` \|/gmu)].map(([, path = ""]) => path);
    assert.equal(listed.length, 10);
    for (const path of listed) {
      const id = path.startsWith("/decisions") ? denied.id : api;
      const sample = path.replace("<id>", id).replace("<code>", "MP-200");
      assert.equal((await on.get(sample)).status, 200, path);
    }
  });

  test("without TokenX, or with one that refuses or answers nonsense, a page still says what it can", async (t) => {
    for (const [status, words] of [
      [401, /refuses the console(?:'|&#39;)s key/u],
      [500, /HTTP 500/u],
    ] as const) {
      trouble = status;
      isPage(await on.get("/"), 200);
      assert.match(mainOf(await on.get("/decisions")), words);
      isPage(await on.get("/decisions/abcdefgh01"), 502);
    }
    trouble = 200;
    const alone = await consoleWith();
    t.after(() => alone.close());
    isPage(await alone.get("/"));
    assert.match((await alone.get("/decisions")).text, /was told of no TokenX/u);
  });

  test("GET is all that it asks of TokenX and of servers", () => {
    assert.ok(tokenx.asked.length > 10 && server.asked.length > 0);
    for (const request of [...tokenx.asked, ...server.asked]) assert.match(request, /^GET /u);
  });

  test("the picture stands alone under a policy of its own", async () => {
    const { status, headers, text } = await on.get("/graph.svg");
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "image/svg+xml");
    assert.match(
      headers.get("content-security-policy") ?? "",
      /^default-src 'none'; style-src 'sha256-[^']+'/u,
    );
    assert.match(text, /^<svg/u);
    assert.ok((await on.get("/graph.svg?focus=portal")).text.length < text.length);
  });

  test("nothing is changed: other methods have no page", async () => {
    for (const method of ["PUT", "DELETE", "PATCH"])
      assert.equal((await fetch(`${on.url}/`, { method })).status, 404);
    assert.equal((await on.post("/decisions", "x")).status, 404);
  });
});
