import { test } from "node:test";
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { openStage } from "./stage.ts";

test("docs/login.md lists the routes that there are, with their methods", async (t) => {
  const on = await openStage({ env: { PORTVAKT_LOGIN_SESSION_FORWARD_AUTH: "true" } });
  t.after(() => on.close());
  const text = await readFile(resolve(import.meta.dirname, "../../../docs/login.md"), "utf8");
  const rows = [...text.matchAll(/^\| `(\/[\w/]+)` \| ([A-Za-z, ]+) \|/gmu)];
  assert.equal(rows.length, 12);
  for (const [, path = "", methods = ""] of rows) {
    const listed = methods === "any" ? ["GET", "HEAD", "POST", "DELETE"] : methods.split(", ");
    for (const method of ["GET", "HEAD", "POST", "DELETE"]) {
      const { status } = await on.browser().send(`${on.ingress}/oauth2${path}`, { method });
      const answers = status !== 404 && status !== 405;
      assert.equal(answers, listed.includes(method), `${method} ${path}: ${status}`);
    }
  }
});
