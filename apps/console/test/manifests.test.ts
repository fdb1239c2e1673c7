/** What is in force follows the files; what is wrong with them is told, and changes nothing. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { parseManifests } from "@portvakt/policy";
import { consoleWith, folderWith, isPage, manifest } from "./kit.ts";

const may = "/access?from=portal&to=api";

test("a folder of manifests is read anew when a file changes, comes or goes", async (t) => {
  const folder = await folderWith({ "portal.yaml": manifest("portal"), "api.yaml": manifest("api") });
  t.after(() => folder.remove());
  const on = await consoleWith({ PORTVAKT_CONSOLE_MANIFESTS: folder.path });
  t.after(() => on.close());
  assert.match((await on.get(may)).text, /may not call/u);
  await folder.write("api.yaml", manifest("api", ["portal"]));
  on.clock.now += 2;
  assert.match((await on.get(may)).text, /Yes/u);
  await folder.write("young.yaml", manifest("young"));
  on.clock.now += 2;
  assert.match((await on.get("/")).text, /3 applications/u);
  await folder.remove();
  on.clock.now += 2;
  const answer = await on.get("/");
  assert.match(answer.text, /cannot be read \(ENOENT\)/u);
  assert.match(answer.text, /3 applications/u, "what was in force is still shown");
});

test("a mistake is told with its place, and what was in force before stays", async (t) => {
  const folder = await folderWith({
    "api.yaml": manifest("api", ["portal"]),
    "portal.yaml": manifest("portal"),
  });
  t.after(() => folder.remove());
  const on = await consoleWith({
    PORTVAKT_CONSOLE_MANIFESTS: folder.path,
    PORTVAKT_CONSOLE_MANIFEST_ROOT: `${folder.path}/`,
  });
  t.after(() => on.close());
  assert.match((await on.get(may)).text, /Yes/u);
  await folder.write("api.yaml", manifest("api").replace("tokenx:", "tokenx: 7\n  tokens:"));
  on.clock.now += 2;
  const page = await on.get("/");
  isPage(page);
  assert.match(page.text, /role="alert"/u);
  assert.match(page.text, /api\.yaml:\d+:\d+: /u);
  assert.match((await on.get(may)).text, /Yes/u);
  await folder.write("api.yaml", manifest("api"));
  on.clock.now += 2;
  assert.doesNotMatch((await on.get("/")).text, /role="alert"/u);
  assert.match((await on.get(may)).text, /may not call/u);
});

test("values fill templates, and a manifest without a namespace gets the one that is set", async (t) => {
  const text = manifest("api", ["{{ caller }}"]).replace("  namespace: benefits\n", "");
  const folder = await folderWith({ "api.yaml": text, "values.json": '{"caller": "portal"}' });
  t.after(() => folder.remove());
  const on = await consoleWith({
    PORTVAKT_CONSOLE_MANIFESTS: join(folder.path, "api.yaml"),
    PORTVAKT_CONSOLE_VALUES: join(folder.path, "values.json"),
    PORTVAKT_CONSOLE_CLUSTER: "prod",
    PORTVAKT_CONSOLE_NAMESPACE: "tax",
  });
  t.after(() => on.close());
  isPage(await on.get("/applications/prod:tax:api"));
  assert.match((await on.get("/access?from=prod:tax:portal&to=api")).text, /Yes/u);
});

test("the applications in force, as portvakt dev writes them down", async (t) => {
  const sources = [{ file: "/agency/app/api.yaml", text: manifest("api", ["portal"]) }];
  const { applications } = parseManifests(sources, { cluster: "local" });
  const folder = await folderWith({ "applications.json": JSON.stringify(applications) });
  t.after(() => folder.remove());
  const on = await consoleWith({
    PORTVAKT_CONSOLE_APPLICATIONS_FILE: join(folder.path, "applications.json"),
    PORTVAKT_CONSOLE_MANIFEST_ROOT: "/agency/",
  });
  t.after(() => on.close());
  const { text } = await on.get("/applications/local:benefits:api");
  assert.match(text, /<code>app\/api\.yaml:1</u);
  await folder.write("applications.json", "[{");
  on.clock.now += 2;
  assert.match((await on.get("/")).text, /is no JSON, or is being written/u);
});

test("3,000 applications: every page answers, none is endless", async (t) => {
  const texts = Array.from({ length: 3_000 }, (_, n) => manifest(`app-${n}`, [`app-${(n + 1) % 3_000}`]));
  const files = [0, 1_000, 2_000].map((first) => texts.slice(first, first + 1_000).join("---\n"));
  const folder = await folderWith(Object.fromEntries(files.map((text, n) => [`all-${n}.yaml`, text])));
  t.after(() => folder.remove());
  const on = await consoleWith({ PORTVAKT_CONSOLE_MANIFESTS: folder.path });
  t.after(() => on.close());
  for (const path of [
    "/",
    "/graph",
    "/applications/local:benefits:app-7",
    "/access?from=app-8&to=app-7",
    "/decisions",
  ]) {
    const answer = await on.get(path);
    isPage(answer);
    assert.ok(answer.text.length < 500_000, `${path}: ${answer.text.length}`);
  }
  assert.match((await on.get("/graph")).text, /too many for one picture/u);
  assert.equal((await on.get("/graph.svg")).status, 422);
  assert.equal((await on.get("/graph.svg?focus=app-7")).status, 200);
});
