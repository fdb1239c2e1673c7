import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import * as fc from "fast-check";
import { correlationId, createLogger, createMetrics, fingerprint, Secret } from "./index.ts";
import type { LogFormat, Logger } from "./index.ts";

// A JWT in form: three base64url parts, the first a JSON object. Nothing signed it.
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = `${part({ alg: "RS256", typ: "JWT" })}.${part({ sub: "someone" })}.c2lnbmF0dXJl`;
const jwe = `${part({ alg: "dir", enc: "A256GCM" })}..aXY.Y2lwaGVydGV4dA.dGFn`;
const opaque = "hunter2-hunter2-hunter2";

function logged(write: (log: Logger) => void, format: LogFormat = "json"): string {
  const lines: string[] = [];
  write(
    createLogger({
      name: "test",
      level: "trace",
      format,
      destination: { write: (line) => void lines.push(line) },
    }),
  );
  return lines.join("");
}

describe("logs hold no secrets", () => {
  const names = [
    "authorization", "Authorization", "proxy-authorization", "cookie", "Cookie", "set-cookie", "DPoP", "token", "access_token", "accessToken",
    "refresh_token", "id_token", "idToken", "subject_token", "actor_token", "user_token", "id_token_hint", "logout_token", "client_assertion",
    "clientAssertion", "assertion", "code", "code_verifier", "client_secret", "clientSecret", "password", "software_statement", "private_jwk",
    "next_access_token", "sessionSecret",
  ]; // prettier-ignore
  for (const name of names) {
    it(`in the field ${name}, at any depth`, () => {
      const line = logged((log) => {
        log.info({ [name]: opaque }, "top");
        log.info({ request: { headers: { [name]: opaque } }, list: [{ [name]: [opaque] }] }, "deep");
        log.child({ [name]: opaque }).info("child");
        log.info({ headers: new Headers(/^[\w-]+$/.test(name) ? { [name]: opaque } : {}) }, "headers");
        log.info(
          { params: new URLSearchParams({ [name]: opaque }), map: new Map([[name, opaque]]) },
          "collections",
        );
      });
      assert.ok(!line.includes("hunter2"), line);
    });
  }

  const places: readonly { name: string; write: (log: Logger, token: string) => void }[] = [
    { name: "a message", write: (log, token) => log.info(`got ${token}`) },
    { name: "a message's argument", write: (log, token) => log.info("got %s and %j", token, { token }) },
    { name: "a plain field", write: (log, token) => log.info({ note: `got ${token}` }) },
    { name: "a field's name", write: (log, token) => log.info({ [token]: 1 }) },
    { name: "an error's message and stack", write: (log, token) => log.error(new Error(`bad ${token}`)) },
    {
      name: "an error in a field",
      write: (log, token) => log.error({ err: new Error(`bad ${token}`), error: new Error(token) }, "failed"),
    },
    {
      name: "an error's cause",
      write: (log, token) => log.error({ err: new Error("bad", { cause: new Error(token) }) }),
    },
    {
      name: "an error's own property",
      write: (log, token) => log.error({ err: Object.assign(new Error("bad"), { body: token }) }),
    },
    {
      name: "a URL",
      write: (log, token) => log.info({ url: new URL(`https://x.example/?access_token=${token}`) }),
    },
    { name: "a child's binding", write: (log, token) => log.child({ note: token }).info("x") },
    {
      name: "an object with toJSON",
      write: (log, token) => log.info({ value: { toJSON: () => ({ note: token }) } }),
    },
    {
      name: "deep nesting",
      write: (log, token) => log.info({ a: { b: { c: { d: { e: { f: { g: token } } } } } } }),
    },
    { name: "a joined text", write: (log, token) => log.info({ note: `x=${token}&y="${token}",${token}.` }) },
  ];
  for (const { name, write } of places) {
    it(`in ${name}: a JWT or JWE`, () => {
      for (const format of ["json", "text"] as const) {
        for (const token of [jwt, jwe]) {
          const line = logged((log) => write(log, token), format);
          assert.ok(line.length > 0 && !line.includes("ey") && !line.includes("c2lnbmF0dXJl"), line);
        }
      }
    });
  }

  it("in anything at all: no line has a JWT, wherever it stood", () => {
    const around = fc.string({ unit: "binary", maxLength: 12 });
    const text = fc.tuple(around, fc.constantFrom(jwt, jwe), around).map((parts) => parts.join(""));
    const anything = fc.object({
      key: fc.oneof(fc.string(), text),
      values: [text, fc.string(), fc.integer()],
      maxDepth: 5,
    });
    fc.assert(
      fc.property(anything, text, (fields, message) => {
        const line = logged((log) => {
          log.info(fields, message);
          log.child(fields).error({ err: Object.assign(new Error(message), fields) });
        });
        return line.length > 0 && !/eyJ[\w-]+\.[\w-]*\.[\w-]*/.test(line);
      }),
    );
  });

  it("in a text: credentials by scheme, parameters of a URL, user information", () => {
    const line = logged((log) => {
      log.info(`Bearer ${opaque}`);
      log.info(`failed: https://x.example/cb?code=${opaque}&state=${opaque}&x=1`);
      log.info(`redis://user:${opaque}@store:6379`);
      log.info({ detail: `grant_type=x&client_secret=${opaque}` });
    });
    assert.ok(!line.includes("hunter2"), line);
    assert.ok(line.includes("x=1"));
  });

  it("in a Secret, whatever way it is written", () => {
    const secret = new Secret(opaque);
    const holder = { secret, nested: [secret] };
    const texts = [
      secret.toString(),
      String(secret),
      JSON.stringify(holder),
      inspect(holder, { depth: 9, showHidden: true }),
      logged((log) => log.info({ note: secret })),
    ];
    for (const text of texts) assert.ok(!text.includes("hunter2") && text.includes("[secret]"), text);
    assert.equal(secret.reveal(), opaque);
  });

  it("but the codes of errors, and what is no secret", () => {
    const line = logged((log) => {
      log.info(
        { code: "ECONNREFUSED", status: 3, outcome: "allow", provider: "tokenx", tokens_cached: 4 },
        "kept",
      );
      log.info({ code: "unknown_key", detail: new Set(["a"]), big: 1n, view: new Uint8Array(3) });
    });
    for (const kept of ["ECONNREFUSED", "allow", "tokenx", "unknown_key", '"tokens_cached":4', "[3 bytes]"])
      assert.ok(line.includes(kept), line);
  });
});

describe("logger", () => {
  it("writes one JSON object a line, with level, time, name and fields", () => {
    const line = JSON.parse(logged((log) => log.warn({ a: 1 }, "hello"))) as Record<string, unknown>;
    assert.deepEqual([line["level"], line["name"], line["a"], line["msg"]], ["warn", "test", 1, "hello"]);
    assert.match(String(line["time"]), /^\d{4}-\d\d-\d\dT/);
  });

  it("writes readable lines in the text format", () => {
    assert.match(
      logged((log) => log.warn({ a: 1 }, "hello"), "text"),
      /^\d\d:\d\d:\d\d\.\d{3} warn +test: hello \{"a":1\}\n$/,
    );
  });

  it("keeps lines small, whatever is logged", () => {
    const huge = Array.from({ length: 100_000 }, () => "x".repeat(100));
    assert.ok(logged((log) => log.info({ huge, text: "y".repeat(1e6) })).length < 20_000);
  });
});

describe("metrics", () => {
  it("counts, observes and sets, by label", async () => {
    const metrics = createMetrics();
    const requests = metrics.counter({ name: "requests_total", help: "h", labels: ["outcome"] });
    requests.inc({ outcome: "ok" });
    requests.inc({ outcome: "ok" }, 2);
    metrics.histogram({ name: "seconds", help: "h", buckets: [1, 2] }).observe(1.5);
    metrics.gauge({ name: "sessions", help: "h" }).set(7);
    const text = await metrics.render();
    for (const line of [
      'requests_total{outcome="ok"} 3',
      'seconds_bucket{le="1"} 0',
      'seconds_bucket{le="2"} 1',
      "sessions 7",
    ]) {
      assert.ok(text.includes(line), text);
    }
    assert.match(metrics.contentType, /^text\/plain/);
  });

  it("counts a label's 101st value, long values and tokens as other", async () => {
    const metrics = createMetrics();
    const counter = metrics.counter({ name: "c", help: "h", labels: ["who"] });
    for (const who of [jwt, "x".repeat(81), 'a"b', "new\nline"]) counter.inc({ who });
    for (let i = 0; i < 5000; i++) counter.inc({ who: `client ${i}` });
    const text = await metrics.render();
    assert.equal(text.split("\n").filter((line) => line.startsWith("c{")).length, 101);
    assert.ok(text.includes('c{who="other"} 4904') && !text.includes("ey"));
  });
});

describe("a metric of several labels", () => {
  it("has at most 2,001 series", async () => {
    const metrics = createMetrics();
    const counter = metrics.counter({ name: "c", help: "h", labels: ["a", "b"] });
    for (let i = 0; i < 10_000; i++) counter.inc({ a: i % 100, b: Math.floor(i / 100) });
    const lines = (await metrics.render()).split("\n").filter((line) => line.startsWith("c{"));
    assert.equal(lines.length, 2001);
    assert.ok(lines.includes('c{a="other",b="other"} 8000'));
  });
});

describe("correlationId", () => {
  const rows: readonly { name: string; given: string; kept: boolean }[] = [
    { name: "a plain id", given: "abc-1.2_3", kept: true },
    { name: "64 letters", given: "x".repeat(64), kept: true },
    { name: "65 letters", given: "x".repeat(65), kept: false },
    { name: "a space", given: "a b", kept: false },
    { name: "markup", given: "<script>", kept: false },
    { name: "the beginning of a token", given: jwt.slice(0, 40), kept: false },
  ];
  for (const { name, given, kept } of rows) {
    it(`${kept ? "keeps" : "replaces"} ${name}`, () => {
      const id = correlationId(new Headers({ "x-request-id": given }));
      if (kept) assert.equal(id, given);
      else assert.match(id, /^[0-9a-f-]{36}$/);
    });
  }
  it("takes the other name of the header, too", () =>
    assert.equal(correlationId(new Headers({ "x-correlation-id": "abc" })), "abc"));
  it("makes one where none is given", () => assert.match(correlationId(new Headers()), /^[0-9a-f-]{36}$/));
});

describe("fingerprint", () => {
  it("is eight hex digits, the same for the same token only", () => {
    assert.match(fingerprint(jwt), /^[0-9a-f]{8}$/);
    assert.equal(fingerprint(jwt), fingerprint(jwt));
    assert.notEqual(fingerprint(jwt), fingerprint(jwe));
  });
});
