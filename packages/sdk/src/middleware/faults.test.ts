// What is thrown while a request is judged, by whomever: it lets nobody in, ends no process, keeps no client waiting and tells no stranger.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { adapters, overSocket } from "../../test/adapters.ts";
import { answer as answerOf, citizen, env, now, sdk, sign } from "../../test/issuers.ts";
import { boundToken, proof } from "../../test/proofs.ts";
import { createSdk } from "../index.ts";
import type { Refused, Sdk } from "../index.ts";
import { requireToken as requireForExpress } from "./express.ts";
import type { RequireOptions } from "./judge.ts";

const internals = /secret of the house/;
const thrown = new TypeError("secret of the house");
const throws = (): never => {
  throw thrown;
};
const rejects = (): Promise<never> => Promise.reject(thrown);
const authorization = `Bearer ${await sign(citizen, "tokenx")}`;

/** The console, kept from printing, and what it was given. */
const listening = (t: TestContext) => t.mock.method(console, "error", () => undefined).mock;

const validators: { name: string; validateToken: Sdk["validateToken"] }[] = [
  { name: "throws", validateToken: throws },
  { name: "rejects", validateToken: rejects },
  { name: "gives nothing", validateToken: (() => Promise.resolve()) as unknown as Sdk["validateToken"] },
];
const logs: { name: string; onRefused: NonNullable<RequireOptions["onRefused"]> }[] = [
  { name: "throws", onRefused: throws },
  { name: "rejects", onRefused: rejects },
];

for (const [adapter, ask] of Object.entries(adapters)) {
  describe(`what is thrown behind requireToken for ${adapter}`, () => {
    for (const { name, validateToken } of validators) {
      test(`a validator that ${name} lets nobody in: 500, and the cause is for the log alone`, async () => {
        const refusals: Refused[] = [];
        const options = { sdk: { ...sdk, validateToken }, onRefused: (one: Refused) => refusals.push(one) };
        const answer = await ask(options)({ authorization });
        assert.equal(answer.status, 500);
        assert.match(answer.headers.get("content-type") ?? "", /^application\/problem\+json/);
        assert.equal(answer.headers.get("www-authenticate"), null);
        assert.deepEqual(JSON.parse(answer.text), {
          ...{ title: "Internal Server Error", status: 500, code: "server_error" },
          detail: "this application cannot validate tokens",
        });
        assert.doesNotMatch(answer.text, internals);
        assert.deepEqual(
          refusals.map((one) => [one.code, one.error.cause instanceof TypeError]),
          [["server_error", true]],
        );
      });
    }
    for (const { name, onRefused } of logs) {
      test(`an onRefused that ${name} changes no answer, and is heard of on the console`, async (t) => {
        const heard = listening(t);
        const answer = await ask({ sdk, onRefused })({});
        assert.deepEqual([answer.status, answer.headers.get("www-authenticate")], [401, "Bearer"]);
        assert.doesNotMatch(answer.text, internals);
        assert.equal(heard.callCount(), 1);
        assert.equal(heard.calls[0]?.arguments[1], thrown);
      });
    }
    for (const issue of [rejects, () => Promise.resolve("a\r\nset-cookie: b")]) {
      test("RFC 9449 section 8.1: nonces that fail, or fit into no header, are a 500", async () => {
        const nonces = { issue, accepts: () => Promise.resolve(false) };
        const dpop = { origin: "https://api.example", nonces };
        const judging = createSdk({ env, now: () => now, fetch: answerOf });
        const answer = await ask({ sdk: judging, dpop })({
          authorization: `DPoP ${boundToken}`,
          dpop: await proof({ htu: "https://api.example/" }),
        });
        assert.deepEqual([answer.status, answer.headers.get("set-cookie")], [500, null]);
      });
    }
  });
}

test("a refusal that comes after somebody else's answer is not sent", async () => {
  let judged: Promise<void> | undefined;
  const answer = await overSocket((request, response) => {
    judged = requireForExpress({ sdk })(request, response, () => undefined);
    response.writeHead(408).end("too late");
  }, {});
  assert.deepEqual([answer.status, answer.text], [408, "too late"]);
  await judged;
});

test("validateToken itself gives a result when something throws (RFC 8725: not accepted)", async () => {
  const broken = createSdk({ env, now: throws, fetch: answerOf });
  const result = await broken.validateToken(await sign(citizen, "tokenx"));
  assert.ok(!result.ok && result.code === "server_error");
  assert.equal(result.error.cause, thrown);
  assert.doesNotMatch(result.error.message, internals);
});
