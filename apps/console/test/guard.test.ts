/** Who may look: deny by default. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readSettings, SettingsError } from "@portvakt/runtime/config";
import { Secret } from "@portvakt/runtime/observe";
import { createGuard, type GuardOptions } from "../src/guard.ts";
import { check, settings as schema } from "../src/settings.ts";
import { consoleWith, issuerOf, isPage, now, signer } from "./kit.ts";

const ours = "PORTVAKT_CONSOLE_";
const secret = "a-secret-of-thirty-two-characters";
const basic = (password: string, user = "me"): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});

describe("settings that would let strangers look", () => {
  const cases: readonly { name: string; env: Record<string, string>; problem: RegExp | undefined }[] = [
    { name: "loopback alone", env: {}, problem: undefined },
    { name: "loopback of IPv6", env: { BIND_ADDRESS: "[::1]:7006" }, problem: undefined },
    { name: "every interface", env: { BIND_ADDRESS: ":7006" }, problem: /BIND_ADDRESS is not a loopback/u },
    { name: "a network", env: { BIND_ADDRESS: "10.0.0.1:7006" }, problem: /BIND_ADDRESS is not a loopback/u },
    { name: "a name that looks like loopback", env: { BIND_ADDRESS: "127.0.0.1.example:7006" }, problem: /BIND_ADDRESS/u },
    { name: "a network with a secret", env: { BIND_ADDRESS: ":7006", ACCESS_SECRET: secret }, problem: undefined },
    { name: "a login without audience", env: { LOGIN_WELL_KNOWN_URL: "https://a.example", LOGIN_GROUPS: "g" }, problem: /LOGIN_AUDIENCE/u },
    { name: "a login without groups", env: { LOGIN_WELL_KNOWN_URL: "https://a.example", LOGIN_AUDIENCE: "c" }, problem: /LOGIN_GROUPS names nobody/u },
    { name: "TokenX without a key", env: { TOKENX_URL: "https://a.example" }, problem: /READER_JWK is missing/u },
    { name: "a key that is public", env: { TOKENX_URL: "https://a.example", READER_JWK: '{"kty":"RSA"}' }, problem: /READER_JWK is no private JWK/u },
  ]; // prettier-ignore
  for (const { name, env, problem } of cases) {
    test(name, () => {
      const named = Object.fromEntries(Object.entries(env).map(([key, value]) => [`${ours}${key}`, value]));
      const judge = (): void => check(readSettings(schema, named));
      if (problem === undefined) judge();
      else
        assert.throws(
          judge,
          (error: unknown) => error instanceof SettingsError && problem.test(error.message),
        );
    });
  }

  test("a short secret is refused, and no problem repeats it", () => {
    assert.throws(
      () => readSettings(schema, { [`${ours}ACCESS_SECRET`]: "hunter2" }),
      (error: unknown) =>
        error instanceof SettingsError &&
        /shorter than 24/u.test(error.message) &&
        !/hunter2/u.test(error.message),
    );
  });
});

describe("on loopback", () => {
  const guard = createGuard({ host: "127.0.0.1", secret: undefined, login: undefined, now: () => now });
  const hosts: readonly [host: string, isAdmitted: boolean][] = [
    ["localhost:7006", true],
    ["127.0.0.1:7006", true],
    ["[::1]:7006", true],
    ["console.localhost", true],
    ["attacker.example", false],
    ["attacker.example:7006", false],
    ["localhost.attacker.example", false],
    ["127.0.0.1.attacker.example", false],
    ["", false],
  ];
  for (const [host, isAdmitted] of hosts) {
    test(`DNS rebinding: the Host "${host}" is ${isAdmitted ? "admitted" : "refused"}`, async () => {
      const refusal = await guard(new Request("http://x/", { headers: { host } }));
      assert.equal(refusal?.status, isAdmitted ? undefined : 403);
    });
  }

  const forms: readonly [name: string, headers: Record<string, string>, isTaken: boolean][] = [
    ["of the console itself", { "sec-fetch-site": "same-origin" }, true],
    ["typed by a person", { "sec-fetch-site": "none" }, true],
    ["of another site", { "sec-fetch-site": "cross-site" }, false],
    ["of another port on this host", { "sec-fetch-site": "same-site" }, false],
    ["of another site, where the browser says no more", { origin: "https://attacker.example" }, false],
    ["of a page without origin", { origin: "null" }, false],
    ["of the console, where the browser says no more", { origin: "http://localhost:7006" }, true],
    ["of a program", {}, true],
  ];
  for (const [name, headers, isTaken] of forms) {
    test(`a form ${name} is ${isTaken ? "taken" : "refused"}`, async () => {
      const given = { host: "localhost:7006", ...headers };
      const refusal = await guard(new Request("http://x/token", { method: "POST", headers: given }));
      assert.equal(refusal?.status, isTaken ? undefined : 403);
    });
  }
});

describe("with an access secret", () => {
  const options: GuardOptions = {
    host: "0.0.0.0",
    secret: new Secret(secret),
    login: undefined,
    now: () => now,
  };
  const guard = createGuard(options);
  const cases: readonly [name: string, headers: Record<string, string>, isAdmitted: boolean][] = [
    ["the secret", basic(secret), true],
    ["the secret under any name", basic(secret, ""), true],
    ["no secret", {}, false],
    ["another", basic(`${secret}!`), false],
    ["its beginning", basic(secret.slice(0, -1)), false],
    ["an empty one", basic(""), false],
    ["the secret as user name", basic("", secret), false],
    ["another scheme", { authorization: `Bearer ${secret}` }, false],
    ["nonsense", { authorization: "Basic ***" }, false],
  ];
  for (const [name, headers, isAdmitted] of cases) {
    test(`${name}: ${isAdmitted ? "admitted" : "refused"}`, async () => {
      const refusal = await guard(
        new Request("http://x/", { headers: { ...headers, host: "console.example" } }),
      );
      assert.equal(refusal?.status, isAdmitted ? undefined : 401);
    });
  }

  test("every route asks for it, and the page that says so has every header", async (t) => {
    const on = await consoleWith({ [`${ours}ACCESS_SECRET`]: secret });
    t.after(() => on.close());
    for (const path of ["/", "/graph.svg", "/icon.svg", "/decisions", "/nothing", "/token"]) {
      const answer = await on.get(path);
      isPage(answer, 401);
      assert.match(answer.headers.get("www-authenticate") ?? "", /^Basic /u);
    }
    isPage(await on.post("/token", "x"), 401);
    isPage(await on.get("/", basic(secret)));
    assert.doesNotMatch(on.logged.join(""), new RegExp(secret, "u"));
  });
});

describe("behind the login proxy", async () => {
  const [provider, stranger] = [await signer(), await signer()];
  const issuer = await issuerOf(provider.publicJwk);
  const claims = {
    iss: issuer.url,
    sub: "s",
    aud: "console-client",
    iat: now - 5,
    exp: now + 300,
    ver: "2.0",
  };
  const person = { ...claims, azp: "console-client", oid: "o", scp: "defaultaccess", groups: ["operators"] };
  const start = (groups: string): ReturnType<typeof consoleWith> =>
    consoleWith({
      [`${ours}LOGIN_WELL_KNOWN_URL`]: `${issuer.url}/.well-known/openid-configuration`,
      [`${ours}LOGIN_AUDIENCE`]: "console-client",
      [`${ours}LOGIN_GROUPS`]: groups,
    });
  const cases: readonly [name: string, token: () => Promise<string>, status: number][] = [
    ["an operator's token", () => provider.sign(person), 200],
    ["the token of somebody in no such group", () => provider.sign({ ...person, groups: ["others"] }), 403],
    ["a token without groups", () => provider.sign({ ...person, groups: undefined }), 403],
    ["a token for another application", () => provider.sign({ ...person, aud: "other" }), 401],
    ["an expired token", () => provider.sign({ ...person, exp: now - 60 }), 401],
    ["a token of another key", () => stranger.sign(person), 401],
    ["a token of another issuer", () => provider.sign({ ...person, iss: "https://other.example" }), 401],
    ["an ID token", () => provider.sign({ ...claims, groups: ["operators"], nonce: "n" }), 401],
    ["no token", () => Promise.resolve(""), 401],
  ];
  for (const [name, token, status] of cases) {
    test(`${name}: ${status}`, async (t) => {
      const on = await start("operators");
      t.after(() => on.close());
      const raw = await token();
      isPage(await on.get("/", raw === "" ? {} : { authorization: `Bearer ${raw}` }), status);
      if (raw !== "") assert.ok(!on.logged.join("").includes(raw));
    });
  }

  test("`*` admits everybody with a token for the console", async (t) => {
    const on = await start("*");
    t.after(() => on.close());
    const raw = await provider.sign({ ...person, groups: undefined });
    isPage(await on.get("/", { authorization: `Bearer ${raw}` }));
    isPage(await on.get("/"), 401);
  });

  test("nobody is admitted while the provider is away", async (t) => {
    await issuer.close();
    const on = await start("*");
    t.after(() => on.close());
    const raw = await provider.sign(person);
    isPage(await on.get("/", { authorization: `Bearer ${raw}` }), 401);
  });
});
