import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gone, newFolder, start } from "./harness.ts";

const manifest = `apiVersion: nais.io/v1alpha1
kind: Application
metadata:
  name: guestbook
  namespace: team-a
  labels:
    team: team-a
spec:
  image: "{{ image }}"
  port: 8080
  ingresses:
    - https://guestbook.example
  idporten:
    enabled: true
    sidecar:
      enabled: true
      autoLogin: true
  tokenx:
    enabled: true
  env:
    - name: GREETING
      value: hello
    - name: PORT
      value: "8080"
`;

// a project that knows nothing of Portvakt; it also starts a process of its own, which must not outlive the platform
const server = `
const { createServer } = require("node:http");
const { spawn } = require("node:child_process");
const helper = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
createServer((request, response) => {
  response.end(JSON.stringify({ helper: helper.pid, pid: process.pid, env: process.env }));
}).listen(process.env.PORT);
`;

test(
  "someone's own project: its command gets the platform's variables, and a login proxy in front",
  { timeout: 90_000 },
  async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "app.yaml"), manifest);
    await writeFile(join(folder, "server.cjs"), server);
    const { dev, state, errors } = await start(folder, [
      "-f",
      "app.yaml",
      "--",
      process.execPath,
      "server.cjs",
    ]);
    assert.match(
      errors(),
      /guestbook {2}PORT is \d+ here, whatever its manifest says: the platform sets it\n/,
    );
    const guestbook = state.applications["guestbook"];
    assert.ok(guestbook);

    const page = await fetch(guestbook.url, { headers: { accept: "text/html" }, redirect: "manual" });
    assert.equal(page.status, 401, "without a session there is no way to the application");
    assert.match(page.headers.get("location") ?? "", /\/oauth2\/login\?redirect=/);

    const direct = (await (await fetch(guestbook.direct)).json()) as {
      helper: number;
      pid: number;
      env: Record<string, string>;
    };
    const { env } = direct;
    assert.equal(env["TOKEN_X_CLIENT_ID"], "local:team-a:guestbook");
    assert.equal(env["GREETING"], "hello");
    assert.match(
      env["NAIS_TOKEN_EXCHANGE_ENDPOINT"] ?? "",
      /^http:\/\/127\.0\.0\.1:\d+\/api\/v1\/token\/exchange$/,
    );
    assert.match(env["IDPORTEN_WELL_KNOWN_URL"] ?? "", /\/\.well-known\/openid-configuration$/);
    assert.deepEqual(
      Object.keys(env).filter((name) => /JWK$|SECRET|PRIVATE/.test(name)),
      [],
      "no key reaches the application",
    );

    dev.kill("SIGKILL");
    await Promise.all([direct.pid, direct.helper, ...Object.values(state.processes)].map(gone));
  },
);

test(
  "a command that cannot be started ends the start with a clear sentence",
  { timeout: 90_000 },
  async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "app.yaml"), manifest);
    await assert.rejects(
      start(folder, ["-f", "app.yaml", "--", "no-such-program", "--now"]),
      (error: Error) => {
        assert.match(
          error.message,
          /guestbook {2}no-such-program could not be started: .*\nportvakt: guestbook ended while starting: exit code 2\nhint: what it said is above; the whole log is in .*guestbook\.log\n$/,
        );
        assert.equal(
          error.message.split("no-such-program").length,
          3,
          "its name, and the system's own words, once",
        );
        assert.doesNotMatch(error.message, /too often|again/);
        return true;
      },
    );
  },
);

test(
  "without a command, the application's variables are in a file to start it with",
  { timeout: 90_000 },
  async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "app.yaml"), manifest);
    const { dev, state } = await start(folder, ["-f", "app.yaml"]);
    const file = join(folder, ".portvakt", "guestbook.env");
    const show = [
      "-p",
      "JSON.stringify([process.env.PORT, process.env.GREETING, process.env.TOKEN_X_CLIENT_ID])",
    ];
    const { stdout } = spawnSync(process.execPath, [`--env-file=${file}`, ...show], {
      encoding: "utf8",
      env: {},
    });
    const port = new URL(state.applications["guestbook"]?.direct ?? "").port;
    assert.deepEqual(JSON.parse(stdout), [port, "hello", "local:team-a:guestbook"]);
    dev.kill("SIGTERM");
    assert.deepEqual(await once(dev, "exit"), [0, null]);
  },
);
