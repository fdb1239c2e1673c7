import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createSigner, generatePrivateJwk, publicClient, type ServerMetadata } from "@portvakt/oauth";
import { findLoginHabits } from "@portvakt/providers";
import { openKeyValueStore, type KeyValueStore } from "@portvakt/runtime/store";
import { background, navigation, openBrowser, type Browser } from "./browser.ts";
import { connectProvider } from "../src/provider/connection.ts";
import { lastKnownIn } from "../src/provider/last-known.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

const sessionName = "__Host-io.nais.wonderwall.session";

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-known-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function stage(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const one = await openStage(options);
  t.after(() => one.close());
  return one;
}

async function saved(folder: string): Promise<string> {
  for (;;) {
    const file = (await readdir(folder)).find((name) => name.startsWith("provider-"));
    if (file !== undefined) return join(folder, file);
    await delay(10);
  }
}

interface Restarted {
  readonly later: Stage;
  readonly user: Browser;
  readonly file: string;
  readonly issuer: string;
}

/** A proxy that reached its provider, and another one, later, that cannot. */
async function restart(
  t: TestContext,
  between: (file: string) => Promise<void> = async () => {},
): Promise<Restarted> {
  const folder = await folderOf(t);
  const env = { PORTVAKT_LOGIN_LAST_KNOWN_DIRECTORY: folder, PORTVAKT_LOGIN_LAST_KNOWN_MAX_AGE: "1h" };
  const store: KeyValueStore = await openKeyValueStore({ now: () => 1_800_000_000 });
  t.after(() => store.close());
  const first = await openStage({ env, store });
  const user = await first.signedIn();
  const file = await saved(folder);
  const { wellKnownUrl, issuer } = first.provider;
  await first.close();
  await between(file);
  const later = await stage(t, { env, store, wellKnownUrl });
  const again = openBrowser({ "app.test": later.replicas[0]!.address });
  await again.send(`${later.ingress}/oauth2/ping`);
  again.setCookie(sessionName, user.cookie(sessionName)!);
  return { later, user: again, file, issuer };
}

test("a provider that is away at the start: what it last said of itself is used, and readiness tells so", async (t) => {
  const { later, user, issuer, file } = await restart(t);
  assert.equal((await user.send(`${later.ingress}/`, { headers: background })).status, 200);
  assert.match(later.upstream.seen[0]?.headers.authorization ?? "", /^Bearer ey/);
  const away = await user.send(`${later.ingress}/oauth2/logout`, { headers: navigation });
  assert.ok(away.headers.location?.startsWith(`${issuer}/logout?`), "its endpoints are known");
  const ready = await later.replicas[0]!.running.ready();
  assert.deepEqual(
    [ready.ready, ready.checks["provider:openid"]],
    [true, { ok: true, detail: "away; what it last said of itself is used" }],
  );
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const text = await readFile(file, "utf8");
  assert.ok(!text.includes('"d":'), "public keys alone");
});

test("last known metadata has a bounded age, also while the process runs", async (t) => {
  const { later, user } = await restart(t);
  const { running } = later.replicas[0]!;
  // Whoever signs in waits until it is clear what is known of the provider.
  assert.equal((await user.send(`${later.ingress}/oauth2/login`, { headers: navigation })).status, 503);
  assert.equal((await running.ready()).ready, true);
  later.clock.now += 3601;
  assert.equal((await running.ready()).checks["provider:openid"]?.ok, false);
});

const spoilt = [
  { name: "is not JSON", change: () => "{" },
  { name: "is for another address", change: (text: string) => text.replace('"url":"http', '"url":"https') },
  { name: "has no keys", change: (text: string) => text.replace('"keys":[', '"no":[') },
  { name: "has no token endpoint", change: (text: string) => text.replace('"token_endpoint"', '"x"') },
  { name: "is of tomorrow", change: (text: string) => text.replace('"savedAt":18000', '"savedAt":18001') },
];
for (const { name, change } of spoilt) {
  test(`a last known file that ${name} is not used`, async (t) => {
    const { later, user } = await restart(t, async (file) =>
      writeFile(file, change(await readFile(file, "utf8"))),
    );
    await user.send(`${later.ingress}/oauth2/login`, { headers: navigation });
    assert.equal((await later.replicas[0]!.running.ready()).checks["provider:openid"]?.ok, false);
  });
}

const wellKnownUrl = "https://issuer.test/.well-known/openid-configuration";
const ownMetadata = (): ServerMetadata => ({
  issuer: "https://issuer.test",
  authorization_endpoint: "https://issuer.test/authorize",
  token_endpoint: "https://issuer.test/token",
  jwks_uri: "https://issuer.test/jwks",
});
const setup: Parameters<typeof connectProvider>[0]["setup"] = {
  name: "openid",
  habits: findLoginHabits("openid")!,
  clientId: "client",
  wellKnownUrl,
  tenants: [],
  trustedAudiences: [],
  authenticate: () => publicClient({ clientId: "client" }),
};

test("once the provider is back, what it says now counts, and a key that it took back is refused", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const [old, fresh] = await Promise.all(
    [1, 2].map(async () => generatePrivateJwk("ES256").then(createSigner)),
  );
  const metadata = ownMetadata();
  const power = { on: false };
  const known = lastKnownIn(await folderOf(t), { now: () => 1_800_000_000, maxAgeSeconds: 60 });
  await known.save(wellKnownUrl, { metadata, jwks: { keys: [{ ...old!.publicJwk }] } });
  const connection = connectProvider({
    setup,
    now: () => 1_800_000_000,
    fetch: async (input) => {
      if (!power.on) throw new TypeError("away");
      const { url } = new Request(input);
      return Response.json(url === wellKnownUrl ? metadata : { keys: [fresh!.publicJwk] });
    },
    onTrouble: () => undefined,
    lastKnown: known,
  });
  t.after(() => connection.close());
  const finds = async (signer: typeof old): Promise<boolean> =>
    (await (await connection.provider()).keys.find({ kid: signer!.kid, alg: "ES256" })).ok;
  assert.deepEqual([await finds(old), connection.isLastKnown()], [true, true]);
  power.on = true;
  t.mock.timers.tick(4000);
  for (let turns = 0; connection.isLastKnown() && turns < 10_000; turns++)
    await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([await finds(old), await finds(fresh)], [false, true]);
});

test("RFC 8414 section 3: what is saved with keys that were fetched anew is what the provider says of itself by then", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const signer = await createSigner(await generatePrivateJwk("ES256"));
  const metadata = ownMetadata();
  const clock = { now: 1_800_000_000 };
  const saves: (string | undefined)[] = [];
  let toldOf = Promise.withResolvers<void>();
  const connection = connectProvider({
    setup,
    now: () => clock.now,
    fetch: async (input) => {
      const { url } = new Request(input);
      return Response.json(url === wellKnownUrl ? metadata : { keys: [signer.publicJwk] });
    },
    onTrouble: () => undefined,
    lastKnown: {
      load: async () => undefined,
      isFresh: () => true,
      save: async (_url, known) => {
        saves.push(known.metadata.token_endpoint);
        toldOf.resolve();
      },
    },
    rereadSeconds: 60,
  });
  t.after(() => connection.close());
  await connection.provider();
  await toldOf.promise;
  toldOf = Promise.withResolvers();
  Object.assign(metadata, { token_endpoint: "https://issuer.test/token/v2" });
  t.mock.timers.tick(70_000);
  while ((await connection.provider()).metadata.token_endpoint !== metadata.token_endpoint)
    await new Promise((resolve) => setImmediate(resolve));
  clock.now += 7 * 3600;
  await (await connection.provider()).keys.find({ kid: signer.kid, alg: "ES256" });
  await toldOf.promise;
  assert.deepEqual(saves, ["https://issuer.test/token", "https://issuer.test/token/v2"]);
});
