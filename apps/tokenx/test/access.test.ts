/** Questions about access, and why a decision was made. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { freshDatabase } from "./database.ts";
import { platform, provider, signed } from "./platform.ts";
import type { Platform, Provider } from "./platform.ts";

const caller = "east:a:caller";
const target = "east:a:target";
let on: Platform;
let east: Provider;
let west: Provider;
const env: Record<string, string> = { PORTVAKT_TOKENX_SEAL_KEYS: randomBytes(32).toString("base64") };

const tokenOf = (by: Provider) =>
  signed(by, { iss: by.issuer, sub: "s", aud: "tokenx", iat: on.clock.now, exp: on.clock.now + 60 });
const ask = async (path: string, by: Provider, body?: unknown, to: Platform = on) => {
  const response = await fetch(`${to.running.addresses["tokenx"]}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${await tokenOf(by)}`, "x-request-id": "r-1" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
};
const evaluation = (subject: string, resource: string) => ({
  subject: { type: "application", id: subject },
  action: { name: "token" },
  resource: { type: "application", id: resource },
});

before(async () => {
  [east, west] = await Promise.all([provider(), provider()]);
  const configs = [east, west].map(({ wellKnown }, i) => ({
    wellKnownUrl: wellKnown,
    allowedClusterName: i === 0 ? "east" : "west",
  }));
  Object.assign(env, {
    DATABASE_URL: await freshDatabase(),
    AUTH_PROVIDER_CONFIGS: JSON.stringify(configs),
    AUTH_ACCEPTED_AUDIENCE: "tokenx",
    ISSUER_URL: "https://tokenx.example",
  });
  on = await platform({ env });
  on.bearer = () => tokenOf(east);
  for (const [id, inbound] of [
    [caller, []],
    [target, [caller]],
    ["east:a:snoop", []],
  ] as const)
    assert.equal((await on.register(id, { accessPolicyInbound: inbound })).status, 201);
});
after(async () => {
  await on.close();
  await Promise.all([east.close(), west.close()]);
});

describe("AuthZEN Authorization API 1.0", () => {
  test("section 9: the decision point's metadata names its endpoints", async () => {
    const response = await fetch(`${on.running.addresses["tokenx"]}/.well-known/authzen-configuration`);
    const metadata = (await response.json()) as Record<string, unknown>;
    assert.equal(metadata["policy_decision_point"], "https://tokenx.example");
    assert.equal(metadata["access_evaluation_endpoint"], "https://tokenx.example/access/v1/evaluation");
  });
  test("section 6: may A get a token for B, in the same words as the token endpoint would decide", async () => {
    const yes = await ask("/access/v1/evaluation", east, evaluation(caller, target));
    assert.equal(yes.status, 200);
    assert.equal(yes.body["decision"], true);
    assert.equal(yes.headers.get("x-request-id"), "r-1");
    const no = await ask("/access/v1/evaluation", east, evaluation("east:a:snoop", target));
    assert.equal(no.body["decision"], false);
    const context = no.body["context"] as Record<string, unknown>;
    assert.equal(context["reason"], "no_rule");
    assert.match(JSON.stringify(context["fix"]), /snoop/, "says which lines would change that");
  });
  test("section 7: several questions at once, with defaults", async () => {
    const { subject, action } = evaluation(caller, target);
    const resources = [target, "east:a:snoop"].map((id) => ({ resource: { type: "application", id } }));
    const { body } = await ask("/access/v1/evaluations", east, { subject, action, evaluations: resources });
    assert.deepEqual(
      (body["evaluations"] as { decision: boolean }[]).map(({ decision }) => decision),
      [true, false],
    );
  });
  const semantics = [
    ["execute_all", [true, false, true]],
    ["deny_on_first_deny", [true, false]],
    ["permit_on_first_permit", [true]],
  ] as const;
  for (const [evaluations_semantic, decisions] of semantics)
    test(`section 7.1.2.1: ${evaluations_semantic}`, async () => {
      const { subject, action, resource } = evaluation(caller, target);
      const evaluations = [{}, { resource: { ...resource, id: "east:a:snoop" } }, {}];
      const question = { subject, action, resource, evaluations, options: { evaluations_semantic } };
      const { body } = await ask("/access/v1/evaluations", east, question);
      assert.deepEqual(
        (body["evaluations"] as { decision: boolean }[]).map(({ decision }) => decision),
        decisions,
      );
    });
  test("section 7.1: without a list of evaluations it is one question, and has one answer", async () => {
    for (const more of [{}, { evaluations: [] }]) {
      const { body } = await ask("/access/v1/evaluations", east, { ...evaluation(caller, target), ...more });
      assert.equal(body["decision"], true);
    }
    assert.equal((await ask("/access/v1/evaluations", east, {})).status, 400);
  });
  test("a question that is none of ours is answered no", async () => {
    const question = { ...evaluation(caller, target), action: { name: "delete" } };
    assert.equal((await ask("/access/v1/evaluation", east, question)).body["decision"], false);
  });
  test("another cluster's registrar learns nothing", async () => {
    const { body } = await ask("/access/v1/evaluation", west, evaluation(caller, target));
    assert.deepEqual(body, { decision: false, context: { reason: "not_yours_to_ask" } });
  });
  test("nobody is answered without a registrar's token, and nothing that is malformed", async () => {
    const url = `${on.running.addresses["tokenx"]}/access/v1/evaluation`;
    const body = JSON.stringify(evaluation(caller, target));
    assert.equal((await fetch(url, { method: "POST", body })).status, 401);
    assert.equal((await ask("/access/v1/evaluation", east, { subject: "x" })).status, 400);
  });
});

describe("why a decision was made, by the id that the caller was given", () => {
  test("the target's registrar reads it in full, also from another replica after this one has gone; others do not", async () => {
    const doomed = await platform({ beside: on, env });
    const form = { subject_token: await on.subjectToken(), audience: target };
    const id = String((await doomed.exchange("east:a:snoop", form)).body["decision_id"]);
    await doomed.close();
    const { status, body } = await ask(`/decisions/${id}`, east);
    assert.equal(status, 200);
    assert.equal((body["decision"] as Record<string, unknown>)["reason"], "no_rule");
    assert.equal(body["actor"], "east:a:snoop");
    assert.equal((await ask(`/decisions/${id}`, west)).status, 404);
    assert.equal((await ask("/decisions/unknown", east)).status, 404);
    assert.equal((await fetch(`${on.running.addresses["tokenx"]}/decisions/${id}`)).status, 401);
  });
  test("it is forgotten after the retention", async () => {
    const form = { subject_token: await on.subjectToken({ exp: on.clock.now + 60 }), audience: target };
    const other = await platform({ beside: on, env });
    const id = String((await other.exchange("east:a:snoop", form)).body["decision_id"]);
    await other.close();
    on.clock.now += 7 * 86_400 + 1;
    assert.equal((await ask(`/decisions/${id}`, east)).status, 404);
  });
});
