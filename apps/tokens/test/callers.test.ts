import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SettingsError } from "@portvakt/runtime/config";
import { startApi } from "./api.ts";

const path = "/api/v1/token";
const ask = { identity_provider: "entra_id", target: "local:benefits:case-api" };

interface RawReply {
  readonly status: number;
  readonly body: string;
}

function rawPost(
  where: { port?: number; socketPath?: string },
  headers: Record<string, string>,
): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const host = where.socketPath === undefined ? { host: "127.0.0.1" } : {};
    const outgoing = request(
      {
        ...where,
        ...host,
        path,
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
      },
      (response) => {
        let body = "";
        response.on("data", (chunk) => (body += String(chunk)));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(JSON.stringify(ask));
  });
}

test("weak point 6, who may call: loopback names only, and no web page", async (t) => {
  await using api = await startApi();
  const port = Number(new URL(api.url).port);
  const rows = [
    { name: "127.0.0.1", headers: { host: `127.0.0.1:${port}` }, status: 200 },
    { name: "localhost", headers: { host: `LOCALHOST:${port}` }, status: 200 },
    { name: "::1", headers: { host: `[::1]:${port}` }, status: 200 },
    {
      name: "a name that was made to point here (DNS rebinding)",
      headers: { host: `evil.example:${port}` },
      status: 403,
    },
    { name: "a name that begins like ours", headers: { host: "localhost.evil.example" }, status: 403 },
    { name: "a name that begins like our address", headers: { host: "127.0.0.1.evil.example" }, status: 403 },
    {
      name: "the docs page itself",
      headers: { host: `localhost:${port}`, origin: `http://localhost:${port}` },
      status: 200,
    },
    {
      name: "a form on another page",
      headers: { host: `localhost:${port}`, origin: "https://evil.example" },
      status: 403,
    },
    {
      name: "a page on another local port",
      headers: { host: `localhost:${port}`, origin: "http://localhost:1" },
      status: 403,
    },
    { name: "a sandboxed frame", headers: { host: `localhost:${port}`, origin: "null" }, status: 403 },
  ];
  for (const { name, headers, status } of rows) {
    await t.test(name, async () => assert.equal((await rawPost({ port }, headers)).status, status));
  }
});

test("weak point 6, a shared secret: needed when there is one, and read anew when it changes", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "tokens-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "secret");
  await writeFile(file, "first-secret\n");
  await using api = await startApi({
    env: { PORTVAKT_TOKENS_SHARED_SECRET_FILE: file, PORTVAKT_TOKENS_BIND_ADDRESS: "0.0.0.0:0" },
  });
  const call = (authorization?: string) =>
    api.post(path, ask, authorization === undefined ? {} : { authorization });
  assert.equal((await call()).status, 401);
  assert.equal((await call("Bearer wrong")).status, 401);
  assert.equal((await call("Bearer ")).status, 401);
  assert.equal((await call("Bearer first-secret")).status, 200);
  await writeFile(file, "second-secret\n");
  await utimes(file, 1, 1);
  api.clock.seconds += 2;
  assert.equal((await call("Bearer first-secret")).status, 401);
  assert.equal((await call("Bearer second-secret")).status, 200);
  await rm(file);
  api.clock.seconds += 2;
  assert.equal((await call("Bearer second-secret")).status, 401, "without its file nobody gets in");
});

test("an address that others can reach is refused without a secret", async () => {
  await assert.rejects(startApi({ env: { PORTVAKT_TOKENS_BIND_ADDRESS: "0.0.0.0:0" } }), (error: unknown) => {
    assert.ok(error instanceof SettingsError);
    assert.equal(error.problems[0]?.env, "PORTVAKT_TOKENS_BIND_ADDRESS");
    return true;
  });
});

test("a Unix socket: only for who may open the file", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "tokens-"));
  t.after(() => rm(folder, { recursive: true }));
  const socketPath = join(folder, "tokens.sock");
  await using api = await startApi({ env: { PORTVAKT_TOKENS_SOCKET_PATH: socketPath } });
  assert.equal((await rawPost({ socketPath }, { host: "tokens" })).status, 200);
  assert.equal((await stat(socketPath)).mode & 0o007, 0);
  assert.equal(api.url, `unix:${socketPath}`);
});

test("a Unix socket never takes the place of another file", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "tokens-"));
  t.after(() => rm(folder, { recursive: true }));
  const socketPath = join(folder, "precious");
  await writeFile(socketPath, "precious");
  await assert.rejects(startApi({ env: { PORTVAKT_TOKENS_SOCKET_PATH: socketPath } }), SettingsError);
  assert.equal(await readFile(socketPath, "utf8"), "precious");
});

test("what is not there: other methods and other paths", async () => {
  await using api = await startApi();
  const other = await fetch(api.url + path);
  assert.deepEqual([other.status, other.headers.get("allow")], [405, "POST"], "RFC 9110 section 15.5.6");
  const page = await fetch(`${api.url}/docs`, { method: "DELETE" });
  assert.deepEqual([page.status, page.headers.get("allow")], [405, "GET, HEAD"]);
  const head = await fetch(`${api.url}/docs`, { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""], "RFC 9110 section 9.3.2");
  assert.equal((await fetch(`${api.url}/api/v2/token`)).status, 404);
  assert.equal(
    (
      await fetch(`${api.url}${path}?x=1`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(ask),
      })
    ).status,
    200,
  );
});

test("RFC 9112 section 9.6: a request that is too large is told so, whole, and its connection ends", async () => {
  await using api = await startApi();
  const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
  await once(socket, "connect");
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
  const size = 2_000_000;
  socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${size}\r\n\r\n`);
  socket.end(Buffer.alloc(size, "x"));
  await once(socket, "close");
  assert.match(answer, /^HTTP\/1.1 413 /);
  assert.match(answer, /\r\nconnection: close\r\n/i);
  assert.match(answer, /the request is too large"\}$/);
});

test("a request that is endless is not read for ever", async () => {
  await using api = await startApi();
  const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => undefined);
  socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n`);
  const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
  const writing = setInterval(() => socket.write(chunk), 1).unref();
  await once(socket.resume(), "close");
  clearInterval(writing);
  assert.ok(socket.bytesWritten < 40_000_000);
});

test("a request that breaks off harms no other", async () => {
  await using api = await startApi();
  const socket = connect(Number(new URL(api.url).port), "127.0.0.1");
  await once(socket, "connect");
  socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{`);
  const others = Array.from({ length: 20 }, () => api.post(path, ask));
  socket.destroy();
  for (const { status } of await Promise.all(others)) assert.equal(status, 200);
  assert.equal((await api.post(path, ask)).status, 200);
});

test("requests that arrive together each get their own answer", async () => {
  await using api = await startApi();
  const names = Array.from({ length: 100 }, (_, index) => `p${index}`);
  const answers = await Promise.all(
    names.map((name) => api.post("/api/v1/introspect", { identity_provider: name, token: "x" })),
  );
  for (const [index, { status, body }] of answers.entries()) {
    assert.equal(status, 400);
    assert.match(JSON.stringify(body), new RegExp(`\\bp${index}\\b`));
  }
});

test("draining: a request in flight is answered, then nothing listens", async () => {
  const api = await startApi();
  await using _ = api;
  api.entra.tokenTroubles.push({ delayMs: 150 });
  const inFlight = api.post(path, ask);
  while (api.entra.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await api.close();
  assert.equal((await inFlight).status, 200);
  const { port } = new URL(api.url);
  await assert.rejects(
    new Promise((resolve, reject) =>
      connect(Number(port), "127.0.0.1", () => resolve(undefined)).once("error", reject),
    ),
  );
});

test("settings: every missing piece of an enabled provider is named at once", async () => {
  await assert.rejects(
    startApi({
      env: {
        AZURE_APP_CLIENT_ID: "",
        AZURE_APP_JWK: "",
        TOKEN_X_WELL_KNOWN_URL: "",
        TOKEN_X_PRIVATE_JWK: '{"kty":"oct","k":"c2VjcmV0"}',
      },
    }),
    (error: unknown) => {
      assert.ok(error instanceof SettingsError);
      assert.deepEqual(
        error.problems.map(({ env }) => env),
        ["AZURE_APP_CLIENT_ID", "AZURE_APP_JWK", "TOKEN_X_WELL_KNOWN_URL", "TOKEN_X_PRIVATE_JWK"],
      );
      assert.match(
        error.message,
        /missing configuration for provider 'entra_id': set AZURE_APP_JWK or AZURE_APP_CLIENT_SECRET/,
      );
      assert.doesNotMatch(error.message, /c2VjcmV0/);
      return true;
    },
  );
});
