import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Secret } from "../observe/index.ts";
import {
  defineSettings,
  formatAddress,
  printSettings,
  readSettings,
  setting,
  settingsMarkdown,
  SettingsError,
} from "./index.ts";
import type { Environment, Schema, SettingsOf } from "./index.ts";

const schema = defineSettings({
  bindAddress: setting.address({
    env: ["PORTVAKT_TEST_BIND_ADDRESS", "OLD_BIND_ADDRESS"],
    default: "127.0.0.1:3000",
    doc: "Where.",
  }),
  key: setting.secret({ env: ["PORTVAKT_TEST_KEY", "OLD_KEY"], optional: true, doc: "A | secret." }),
  issuer: setting.url({ env: "PORTVAKT_TEST_ISSUER", doc: "Whose tokens." }),
});
const right: Environment = { PORTVAKT_TEST_ISSUER: "https://issuer.example/" };

function problemsOf(schema: Schema, env: Environment): SettingsError {
  try {
    readSettings(schema, env);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error;
  }
  return assert.fail("the settings were accepted");
}

/** One setting's value, or what is wrong with it. */
function read(one: Schema[string], text: string): unknown {
  try {
    return readSettings({ one }, { ONE: text })["one"];
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return `✗ ${error.problems[0]?.problem}`;
  }
}

describe("kinds of settings", () => {
  const one = { env: "ONE", doc: "" };
  const bad = (why: string, text: string): string => `✗ ${why} (it is ${JSON.stringify(text)})`;
  const rows: readonly { name: string; setting: Schema[string]; text: string; value: unknown }[] = [
    { name: "text", setting: setting.text(one), text: " kept as it is ", value: " kept as it is " },
    { name: "flag: true", setting: setting.flag(one), text: "TRUE", value: true },
    { name: "flag: 0", setting: setting.flag(one), text: "0", value: false },
    { name: "flag: neither", setting: setting.flag(one), text: "constructor", value: bad("is not a yes or no", "constructor") },
    { name: "whole", setting: setting.whole(one), text: "42", value: 42 },
    { name: "whole: a fraction", setting: setting.whole(one), text: "4.2", value: bad("is not a whole number", "4.2") },
    { name: "whole: below", setting: setting.whole({ ...one, min: 5 }), text: "4", value: bad("is below 5", "4") },
    { name: "whole: above", setting: setting.whole({ ...one, max: 5 }), text: "6", value: bad("is above 5", "6") },
    { name: "seconds: a number", setting: setting.seconds(one), text: "30", value: 30 },
    { name: "seconds: hours", setting: setting.seconds(one), text: "10h", value: 36_000 },
    { name: "seconds: mixed", setting: setting.seconds(one), text: "1h30m5s", value: 5405 },
    { name: "seconds: milliseconds", setting: setting.seconds(one), text: "500ms", value: 0.5 },
    { name: "seconds: negative", setting: setting.seconds(one), text: "-1s", value: bad("is not a duration", "-1s") },
    { name: "seconds: no unit at the end", setting: setting.seconds(one), text: "1h30", value: bad("is not a duration", "1h30") },
    { name: "seconds: above", setting: setting.seconds({ ...one, max: 60 }), text: "2m", value: bad("is above 60 s", "2m") },
    { name: "address", setting: setting.address(one), text: "localhost:80", value: { host: "localhost", port: 80 } },
    { name: "address: IPv6", setting: setting.address(one), text: "[::1]:80", value: { host: "::1", port: 80 } },
    { name: "address: every interface", setting: setting.address(one), text: ":3000", value: { host: "::", port: 3000 } },
    { name: "address: no port", setting: setting.address(one), text: "localhost", value: bad("is not an address", "localhost") },
    { name: "address: port too high", setting: setting.address(one), text: "a:65536", value: bad("is not an address", "a:65536") },
    { name: "address: a URL", setting: setting.address(one), text: "http://a:1", value: bad("is not an address", "http://a:1") },
    { name: "url: kept letter by letter", setting: setting.url(one), text: "https://A.example:443", value: "https://A.example:443" },
    { name: "url: with a password, which is not told", setting: setting.url(one), text: "https://user:hunter2@idp.test/wk", value: bad("has a user name or password in it", "https://[redacted]@idp.test/wk") },
    { name: "address: with a password, which is not told", setting: setting.address(one), text: "user:hunter2@redis:port", value: bad("is not an address", "[redacted]@redis:port") },
    { name: "url: no URL", setting: setting.url(one), text: "example.com", value: bad("is not a URL", "example.com") },
    { name: "url: another scheme", setting: setting.url(one), text: "javascript:0", value: bad("has the scheme javascript: where https: or http: is meant", "javascript:0") },
    { name: "list", setting: setting.list(one), text: "a, b,,c ", value: ["a", "b", "c"] },
    { name: "list with commas between braces", setting: setting.list(one), text: "/{a,b}/**,/c{,d},{", value: ["/{a,b}/**", "/c{,d}", "{"] },
    { name: "list of another kind", setting: setting.list({ ...one, of: setting.whole(one) }), text: "1,2", value: [1, 2] },
    { name: "choice", setting: setting.choice({ ...one, values: ["a", "b"] }), text: "b", value: "b" },
    { name: "choice: neither", setting: setting.choice({ ...one, values: ["a", "b"] }), text: "c", value: bad("is not among the values", "c") },
    { name: "json", setting: setting.json(one), text: '{"a":1}', value: { a: 1 } },
    { name: "json: broken", setting: setting.json(one), text: "{", value: bad("is not JSON", "{") },
    { name: "own check", setting: setting.text({ ...one, check: (v) => (v === "x" ? "is x" : undefined) }), text: "x", value: bad("is x", "x") },
  ]; // prettier-ignore
  for (const { name, setting, text, value } of rows)
    it(name, () => assert.deepEqual(read(setting, text), value));

  it("keeps a URL's password out of the problem", () => {
    const secret = setting.secret({
      env: "ONE",
      doc: "",
      check: (value) => (value.reveal().length < 99 ? "is too short" : undefined),
    });
    assert.equal(read(secret, "hunter2"), "✗ is too short");
  });

  it("writes an address as it reads it", () => {
    assert.equal(formatAddress({ host: "::1", port: 80 }), "[::1]:80");
    assert.equal(formatAddress({ host: "localhost", port: 80 }), "localhost:80");
  });
});

describe("readSettings", () => {
  it("takes defaults, leaves optional settings undefined, freezes the result", () => {
    const settings = readSettings(schema, right);
    assert.deepEqual(settings, {
      bindAddress: { host: "127.0.0.1", port: 3000 },
      key: undefined,
      issuer: "https://issuer.example/",
    });
    assert.ok(Object.isFrozen(settings));
    const typed: SettingsOf<typeof schema>["key"] = settings.key satisfies Secret | undefined;
    assert.equal(typed, undefined);
  });

  it("takes an empty string for unset", () => {
    assert.equal(
      readSettings(schema, { ...right, PORTVAKT_TEST_BIND_ADDRESS: "", OLD_BIND_ADDRESS: "a:1" }).bindAddress
        .host,
      "a",
    );
    assert.equal(problemsOf(schema, { PORTVAKT_TEST_ISSUER: "" }).problems[0]?.problem, "is not set");
  });

  it("prefers our own name to an alias", () => {
    assert.equal(
      readSettings(schema, { ...right, OLD_BIND_ADDRESS: "a:1", PORTVAKT_TEST_BIND_ADDRESS: "b:2" })
        .bindAddress.host,
      "b",
    );
  });

  it("reports every problem at once", () => {
    const error = problemsOf(schema, { PORTVAKT_TEST_BIND_ADDRESS: "x", PORTVAKT_TEST_ISUER: "https://a" });
    assert.deepEqual(
      error.problems.map(({ env, hint }) => [env, hint]),
      [
        ["PORTVAKT_TEST_BIND_ADDRESS", "use host:port, for example 127.0.0.1:3000"],
        ["PORTVAKT_TEST_ISSUER", "Whose tokens."],
        ["PORTVAKT_TEST_ISUER", "did you mean PORTVAKT_TEST_ISSUER?"],
      ],
    );
    assert.equal(error.message.split("\n").length, 3);
  });

  it("names the alias that a wrong value came from", () => {
    assert.equal(
      problemsOf(schema, { ...right, OLD_BIND_ADDRESS: "x" }).problems[0]?.env,
      "OLD_BIND_ADDRESS",
    );
  });

  it("leaves other programs' variables alone", () => {
    assert.doesNotThrow(() =>
      readSettings(schema, { ...right, PORTVAKT_TESTING_X: "1", OLD_OTHER: "1", PATH: "/bin" }),
    );
  });

  it("refuses a schema in which two settings share a name", () => {
    const twice = { a: setting.text({ env: "A", doc: "" }), b: setting.text({ env: "A", doc: "" }) };
    assert.throws(() => defineSettings(twice), /A names both a and b/);
  });
});

describe("secrets", () => {
  it("are read from the file that NAME_FILE names, without its last newline", async () => {
    const folder = await mkdtemp(join(tmpdir(), "portvakt-config-"));
    const path = join(folder, "key");
    await writeFile(path, "from a file\n");
    assert.equal(
      readSettings(schema, { ...right, PORTVAKT_TEST_KEY_FILE: path }).key?.reveal(),
      "from a file",
    );
    assert.equal(readSettings(schema, { ...right, OLD_KEY_FILE: path }).key?.reveal(), "from a file");
    assert.match(
      printSettings(schema, { ...right, PORTVAKT_TEST_KEY_FILE: path }),
      /\[secret\] +PORTVAKT_TEST_KEY_FILE/,
    );
    await writeFile(path, "");
    assert.equal(
      problemsOf(schema, { ...right, PORTVAKT_TEST_KEY_FILE: path }).problems[0]?.problem,
      "names an empty file",
    );
    await rm(folder, { recursive: true });
    assert.equal(
      problemsOf(schema, { ...right, PORTVAKT_TEST_KEY_FILE: path }).problems[0]?.problem,
      "names a file that cannot be read: ENOENT",
    );
  });

  it("are printed nowhere", () => {
    const env = { ...right, PORTVAKT_TEST_KEY: "hunter2" };
    const settings = readSettings(schema, env);
    assert.ok(!printSettings(schema, env).includes("hunter2"));
    assert.ok(!JSON.stringify(settings).includes("hunter2"));
    const checked = { key: setting.secret({ env: "PORTVAKT_TEST_KEY", doc: "", check: () => "is wrong" }) };
    assert.ok(!problemsOf(checked, env).message.includes("hunter2"));
    assert.ok(!printSettings(checked, env).includes("hunter2"));
  });
});

describe("a list of secrets", () => {
  it("is read, and printed nowhere", () => {
    const keys = {
      keys: setting.list({ env: "KEYS", of: setting.secret({ env: "key", doc: "" }), doc: "" }),
    };
    const env = { KEYS: "hunter1,hunter2" };
    assert.deepEqual(
      readSettings(keys, env).keys.map((key) => key.reveal()),
      ["hunter1", "hunter2"],
    );
    assert.ok(!printSettings(keys, env).includes("hunter"));
    assert.ok(!JSON.stringify(readSettings(keys, env)).includes("hunter"));
    const checked = setting.list({ env: "KEYS", of: setting.whole({ env: "n", doc: "" }), doc: "" });
    assert.match(problemsOf({ checked }, { KEYS: "1,x" }).message, /is not a whole number/);
  });
});

describe("settings for people", () => {
  it("prints name, value and source, and problems in their place", () => {
    const lines = printSettings(schema, { OLD_BIND_ADDRESS: "a:1" }).split("\n");
    assert.match(lines[1] ?? "", /^PORTVAKT_TEST_BIND_ADDRESS +a:1 +OLD_BIND_ADDRESS$/);
    assert.match(lines[2] ?? "", /^PORTVAKT_TEST_KEY +- +unset$/);
    assert.match(lines[3] ?? "", /^PORTVAKT_TEST_ISSUER +! is not set +unset$/);
  });

  it("writes a table for the documentation", () => {
    assert.equal(
      settingsMarkdown(schema),
      `| Name | Value | Default | Also read from | Meaning |
|---|---|---|---|---|
| \`PORTVAKT_TEST_BIND_ADDRESS\` | host:port | \`127.0.0.1:3000\` | \`OLD_BIND_ADDRESS\` | Where. |
| \`PORTVAKT_TEST_KEY\` | secret |  | \`OLD_KEY\`, \`PORTVAKT_TEST_KEY_FILE\` | A \\| secret. |
| \`PORTVAKT_TEST_ISSUER\` | URL | required |  | Whose tokens. |
`,
    );
  });
});
