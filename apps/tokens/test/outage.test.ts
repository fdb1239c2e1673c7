import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { clientIds, clientKey, startApi, until } from "./api.ts";
import { startDouble, type Trouble } from "./double.ts";

const path = "/api/v1/token";
const idportenKey = JSON.stringify((await clientKey()).privateJwk);
const ask = { identity_provider: "entra_id", target: "local:benefits:case-api" };

test("a provider in trouble once is asked again, and the caller notices nothing", async (t) => {
  const rows: { name: string; trouble: Trouble }[] = [
    { name: "500", trouble: { status: 500 } },
    { name: "500 with HTML", trouble: { status: 500, body: "<html>" } },
    { name: "connection reset", trouble: "reset" },
    { name: "HTML instead of JSON", trouble: "html" },
    {
      name: "429 with Retry-After",
      trouble: { status: 429, body: { error: "slow_down" }, headers: { "retry-after": "1" } },
    },
    {
      name: "a code that passes (AADSTS90033)",
      trouble: {
        status: 400,
        body: { error: "invalid_request", error_description: "AADSTS90033: transient" },
      },
    },
  ];
  for (const { name, trouble } of rows) {
    await t.test(name, async () => {
      await using api = await startApi();
      api.entra.tokenTroubles.push(trouble);
      assert.equal((await api.post(path, ask)).status, 200);
      assert.equal(api.entra.received.length, 2);
      if (name.startsWith("429")) assert.deepEqual(api.pauses, [1]);
    });
  }
});

test("a provider that stays in trouble", async (t) => {
  const rows: { name: string; trouble: Trouble; status: number }[] = [
    {
      name: "500 keeps its status",
      trouble: { status: 500, body: { error: "server_error", error_description: "d" } },
      status: 500,
    },
    { name: "HTML is 503", trouble: "html", status: 503 },
    { name: "connection reset is 503", trouble: "reset", status: 503 },
    { name: "no answer is 503 within 2 s", trouble: "hang", status: 503 },
  ];
  for (const { name, trouble, status } of rows) {
    await t.test(name, async () => {
      await using api = await startApi();
      api.entra.always = trouble;
      const started = performance.now();
      const reply = await api.post(path, ask);
      assert.equal(reply.status, status);
      assert.ok(performance.now() - started < 2000);
      assert.equal(typeof reply.body["error_description"], "string");
      assert.doesNotMatch(JSON.stringify(reply.body), /html|ECONN|127\.0\.0\.1/);
    });
  }
});

test("circuit breaker: held tokens are served, others get 503 at once, other providers are untouched, one probe ends it", async () => {
  await using api = await startApi();
  assert.equal((await api.post(path, ask)).status, 200);
  api.entra.always = "reset";
  const other = { ...ask, target: "local:benefits:other" };
  assert.equal((await api.post(path, other)).status, 503);
  const asked = api.entra.received.length;
  const refused = await api.post(path, { ...ask, target: "local:benefits:third" });
  assert.equal(refused.status, 503);
  assert.match(refused.headers.get("retry-after") ?? "", /^\d+$/);
  assert.equal(api.entra.received.length, asked, "nothing more was sent");
  assert.equal((await api.post(path, ask)).status, 200, "the held token");
  assert.equal(
    (await api.post(path, { identity_provider: "maskinporten", target: "nav:thing" })).status,
    200,
  );
  assert.match(await api.metrics(), /portvakt_tokens_breaker_open\{provider="entra_id"\} 1/);
  api.entra.always = undefined;
  api.clock.seconds += 3;
  assert.equal((await api.post(path, other)).status, 200);
});

test("an outage beyond the token's last minutes: it is handed out until it truly expires, and not a moment longer", async () => {
  await using api = await startApi();
  assert.equal((await api.post(path, ask)).status, 200);
  api.entra.always = "reset";
  api.clock.seconds += 3590;
  const last = await api.post(path, ask);
  assert.equal(last.status, 200);
  assert.equal(last.body["expires_in"], 10);
  api.clock.seconds += 11;
  assert.equal((await api.post(path, ask)).status, 503);
});

test("a clock that is set 2 h wrong: a held token is handed out, with what is left of it, though the provider refuses what we sign", async (t) => {
  for (const wrong of [7200, -7200]) {
    await t.test(`${wrong} s`, async () => {
      const clock = { seconds: Math.floor(Date.now() / 1000), wrong: 0 };
      await using api = await startApi({ clock });
      assert.equal((await api.post(path, ask)).status, 200);
      clock.wrong = wrong;
      clock.seconds += 100;
      const held = await api.post(path, ask);
      assert.deepEqual([held.status, held.body["expires_in"]], [200, 3500]);
      assert.equal(api.entra.received.length, 1, "the provider did not even read what came");
      assert.equal((await api.post(path, { ...ask, target: "local:benefits:other" })).status, 400);
      clock.wrong = 0;
      assert.equal((await api.post(path, { ...ask, target: "local:benefits:other" })).status, 200);
    });
  }
});

test("429 with Retry-After: the caller is told at once, and the provider is left alone for that long", async () => {
  await using api = await startApi();
  const body = { error: "temporarily_unavailable", error_description: "slow down" };
  api.entra.always = { status: 429, body, headers: { "retry-after": "7" } };
  const first = await api.post(path, ask);
  assert.deepEqual([first.status, first.headers.get("retry-after")], [429, "7"]);
  assert.equal((await api.post(path, ask)).status, 429);
  assert.equal(api.entra.received.length, 1);
  api.entra.always = undefined;
  api.clock.seconds += 7;
  assert.equal((await api.post(path, ask)).status, 200);
});

test("a token is renewed ahead of its expiry, and callers do not wait for it", async () => {
  await using api = await startApi();
  const first = await api.post(path, ask);
  api.clock.seconds += 3000;
  const slow = Promise.withResolvers<void>();
  api.entra.tokenTroubles.push({ after: slow.promise });
  assert.equal((await api.post(path, ask)).body["access_token"], first.body["access_token"]);
  slow.resolve();
  await until(async () => (await api.post(path, ask)).body["access_token"] !== first.body["access_token"]);
  assert.equal(api.entra.received.length, 2);
});

test("a key set that hangs, redirects, is HTML or 5 MB does no harm, and old keys stay in use", async (t) => {
  const rows: { name: string; trouble: Trouble }[] = [
    { name: "redirect", trouble: "redirect" },
    { name: "HTML", trouble: "html" },
    { name: "5 MB", trouble: "huge" },
    { name: "500", trouble: { status: 500 } },
    { name: "empty", trouble: { status: 200, body: { keys: [] } } },
    { name: "connection reset", trouble: "reset" },
  ];
  for (const { name, trouble } of rows) {
    await t.test(name, async () => {
      await using api = await startApi();
      await until(async () => (await api.ready()).ready);
      api.entra.keysTrouble = trouble;
      api.clock.seconds += 10;
      const at = api.clock.seconds;
      const claims = { iss: api.entra.issuer, aud: clientIds.entra, iat: at, exp: at + 600, azp: "c" };
      const introspect = async (kid?: string) =>
        (
          await api.post("/api/v1/introspect", {
            identity_provider: "entra_id",
            token: await api.entra.sign(claims, kid === undefined ? {} : { kid }),
          })
        ).body;
      assert.match(String((await introspect("unknown"))["error"]), /signed by key "unknown"/);
      assert.equal((await introspect())["active"], true);
    });
  }
});

test("a key set that hangs holds up only tokens of unknown keys", async () => {
  await using api = await startApi();
  await until(async () => (await api.ready()).ready);
  api.entra.keysTrouble = "hang";
  api.clock.seconds += 10;
  const at = api.clock.seconds;
  const claims = { iss: api.entra.issuer, aud: clientIds.entra, iat: at, exp: at + 600, azp: "c" };
  const waiting = api.post("/api/v1/introspect", {
    identity_provider: "entra_id",
    token: await api.entra.sign(claims, { kid: "unknown" }),
  });
  const known = await api.post("/api/v1/introspect", {
    identity_provider: "entra_id",
    token: await api.entra.sign(claims),
  });
  assert.equal(known.body["active"], true);
  assert.match(String((await waiting).body["error"]), /^Entra ID has not answered within 1.8 s/);
});

test("introspection waits no longer for a provider than other callers do, named or found by issuer", async (t) => {
  await using api = await startApi({
    env: { PORTVAKT_TOKENS_PATIENCE: "300ms", IDPORTEN_CLIENT_ID: "me", IDPORTEN_CLIENT_JWK: idportenKey },
    before: ({ maskinporten }) => {
      maskinporten.metadataTrouble = "hang";
    },
  });
  await until(() => [api.entra, api.tokenx, api.idporten].every(({ keyFetches }) => keyFetches > 0));
  api.clock.seconds += 10;
  [api.entra.keysTrouble, api.idporten.always] = ["hang", "hang"];
  const times = { iat: api.clock.seconds, exp: api.clock.seconds + 600 };
  const unknownKey = await api.entra.sign({ iss: api.entra.issuer, ...times }, { kid: "unknown" });
  const undiscovered = await api.maskinporten.sign({ iss: api.maskinporten.issuer, ...times });
  const rows = [
    { name: "an unknown key", ask: { identity_provider: "entra_id", token: unknownKey } },
    { name: "an unknown key, by issuer", ask: { any: true, token: unknownKey } },
    { name: "a provider not yet found", ask: { identity_provider: "maskinporten", token: undiscovered } },
    { name: "a provider not yet found, by issuer", ask: { any: true, token: undiscovered } },
    { name: "a by-reference token", ask: { identity_provider: "idporten", token: "opaque" } },
  ];
  for (const { name, ask: body } of rows) {
    await t.test(name, async () => {
      const started = performance.now();
      const reply = await api.post("/api/v1/introspect", body);
      assert.ok(performance.now() - started < 1000);
      assert.match(String(reply.body["error"]), /answered within 0.3 s/);
    });
  }
});

test("any: a provider that hangs keeps nobody from the others, those that are found and those that are found later", async () => {
  await using api = await startApi({
    before: ({ entra, tokenx }) => {
      entra.metadataTrouble = "hang";
      tokenx.metadataTrouble = { status: 503 };
    },
  });
  await until(() => api.idporten.keyFetches > 0 && api.tokenx.metadataFetches > 0);
  const times = { iat: api.clock.seconds, exp: api.clock.seconds + 600 };
  const tokens = [
    await api.idporten.sign({ iss: api.idporten.issuer, aud: "https://benefits.example", ...times }),
    await api.tokenx.sign({ iss: api.tokenx.issuer, aud: clientIds.tokenx, ...times }),
  ];
  api.tokenx.metadataTrouble = undefined;
  api.clock.seconds += 2;
  const started = performance.now();
  for (const token of tokens)
    assert.equal((await api.post("/api/v1/introspect", { any: true, token })).body["active"], true);
  assert.ok(performance.now() - started < 1000);
});

test("RFC 7662 section 2.3: what strangers have the introspection endpoint refuse stops no requests for tokens", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "tokens-"));
  t.after(() => rm(folder, { recursive: true }));
  const secret = join(folder, "secret");
  await writeFile(secret, "s3cret");
  const clock = { seconds: Math.floor(Date.now() / 1000) };
  const other = await startDouble({ now: () => clock.seconds, clientKeys: [] });
  t.after(() => other.close());
  const provider = {
    name: "other",
    well_known_url: other.wellKnown,
    client_id: "me",
    client_secret_file: secret,
  };
  const env = { PORTVAKT_TOKENS_PROVIDERS: JSON.stringify([{ ...provider, token: "client_credentials" }]) };
  const rows = [
    { status: 400, leftAlone: false, says: /^other refuses to say whether .* \(HTTP 400\)$/ },
    {
      status: 401,
      leftAlone: false,
      says: /^other refuses to say .* \(HTTP 401\): this application may not/,
    },
    { status: 408, leftAlone: true, says: /cannot be asked|is not answering/ },
    { status: 429, leftAlone: true, says: /cannot be asked|is not answering/ },
    { status: 500, leftAlone: true, says: /cannot be asked|is not answering/ },
  ];
  for (const { status, leftAlone, says } of rows) {
    await t.test(String(status), async () => {
      await using api = await startApi({ clock, env });
      const introspect = async () =>
        (await api.post("/api/v1/introspect", { identity_provider: "other", token: "garbage" })).body;
      other.always = { status };
      const before = other.introspections;
      for (let index = 0; index < 6; index++) assert.match(String((await introspect())["error"]), says);
      assert.equal(other.introspections - before < 6, leftAlone);
      other.always = undefined;
      const target = { identity_provider: "other", target: "read" };
      assert.equal((await api.post(path, target)).status, 200);
      clock.seconds += 3;
      assert.match(String((await introspect())["error"]), /says that the token is not active/);
    });
  }
});

test("keys are kept through an outage up to a day, then tokens are refused with the reason", async () => {
  await using api = await startApi();
  await until(async () => (await api.ready()).ready);
  api.entra.keysTrouble = { status: 500 };
  const introspect = async (wait: number) => {
    api.clock.seconds += wait;
    const at = api.clock.seconds;
    const token = await api.entra.sign({
      iss: api.entra.issuer,
      aud: clientIds.entra,
      iat: at,
      exp: at + 600,
      azp: "c",
    });
    return (await api.post("/api/v1/introspect", { identity_provider: "entra_id", token })).body;
  };
  assert.equal((await introspect(80_000))["active"], true);
  assert.match(String((await introspect(10_000))["error"]), /no keys of .* are at hand/);
});
