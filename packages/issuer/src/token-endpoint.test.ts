import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ProtocolError } from "@portvakt/oauth";
import { Throttled, tokenEndpoint } from "./index.ts";
import type { AuditEvent, Grant, PolicyAnswer, TokenEndpointOptions } from "./index.ts";

const client = { id: "local:team:caller", authMethods: ["none"] } as const;

function endpoint(change: Partial<TokenEndpointOptions<typeof client, PolicyAnswer>> = {}) {
  const lines: AuditEvent[] = [];
  const seen: string[][] = [];
  const steps: string[] = [];
  const grant: Grant<typeof client> = {
    grantType: "test",
    required: ["audience"],
    optional: ["resource"],
    repeatable: ["resource"],
    authorize: async ({ request }) => {
      steps.push("authorize");
      seen.push([...request.params.names()]);
      return {
        question: { actor: client.id, target: request.params.one("audience") ?? "", grant: "test" },
        issue: async () => {
          steps.push("issue");
          return { access_token: "issued", token_type: "Bearer" };
        },
      };
    },
  };
  const serve = tokenEndpoint<typeof client>({
    now: () => 1_000,
    authenticate: async () => {
      steps.push("authenticate");
      return client;
    },
    grants: [grant],
    decide: ({ target }) => {
      steps.push("decide");
      return { id: "d1", outcome: target === "open" ? "allow" : "deny" };
    },
    audit: (event) => lines.push(event),
    ...change,
  });
  const post = (body: string, headers: Record<string, string> = {}, method = "POST") =>
    serve(
      new Request("http://as/token", {
        method,
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
        ...(method === "POST" && { body }),
      }),
    );
  return { post, lines, seen, steps };
}

test("a request goes through every step, in order", async () => {
  const { post, steps, lines } = endpoint();
  const response = await post("grant_type=test&audience=open");
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { access_token: "issued", token_type: "Bearer" });
  assert.deepEqual(steps, ["authenticate", "authorize", "decide", "issue"]);
  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.outcome, "issued");
  assert.equal(lines[0]?.decision?.id, "d1");
});

test("RFC 6749 section 5.1: answers and refusals are not cached", async () => {
  for (const body of ["grant_type=test&audience=open", "grant_type=test"]) {
    assert.equal((await endpoint().post(body)).headers.get("cache-control"), "no-store");
  }
});

test("RFC 8693 section 2.2.2: what the policy denies is invalid_target, with the decision's id and no more", async () => {
  const { post, steps, lines } = endpoint();
  const response = await post("grant_type=test&audience=closed");
  assert.equal(response.status, 400);
  const body = (await response.json()) as Record<string, unknown>;
  assert.equal(body["error"], "invalid_target");
  assert.equal(body["decision_id"], "d1");
  assert.doesNotMatch(String(body["error_description"]), /closed/);
  assert.ok(!steps.includes("issue"));
  assert.equal(lines[0]?.decision?.outcome, "deny");
});

const refused: readonly {
  name: string;
  body: string;
  headers?: Record<string, string>;
  method?: string;
  status: number;
  error: string;
}[] = [
  {
    name: "RFC 6749 section 3.2: another method",
    body: "",
    method: "GET",
    status: 405,
    error: "invalid_request",
  },
  {
    name: "RFC 6749 section 3.2: a JSON body",
    body: "{}",
    headers: { "content-type": "application/json" },
    status: 400,
    error: "invalid_request",
  },
  {
    name: "RFC 6749 section 3.2: a repeated parameter",
    body: "grant_type=test&audience=open&audience=open",
    status: 400,
    error: "invalid_request",
  },
  {
    name: "RFC 6749 section 3.2: a repeated grant_type",
    body: "grant_type=test&grant_type=test&audience=open",
    status: 400,
    error: "invalid_request",
  },
  {
    name: "RFC 6749 section 5.2: no grant_type",
    body: "audience=open",
    status: 400,
    error: "invalid_request",
  },
  {
    name: "RFC 6749 section 5.2: a grant that is not served",
    body: "grant_type=password&audience=open",
    status: 400,
    error: "unsupported_grant_type",
  },
  {
    name: "RFC 6749 section 3.2: a required parameter without a value",
    body: "grant_type=test&audience=",
    status: 400,
    error: "invalid_request",
  },
  {
    name: "a body over the limit",
    body: `grant_type=test&audience=${"x".repeat(70_000)}`,
    status: 413,
    error: "invalid_request",
  },
];
describe("refused before the grant sees it", () => {
  for (const { name, body, headers, method, status, error } of refused) {
    test(name, async () => {
      const { post, steps, lines } = endpoint();
      const response = await post(body, headers, method);
      assert.equal(response.status, status);
      assert.equal(((await response.json()) as { error: string }).error, error);
      assert.ok(!steps.includes("authorize"));
      assert.equal(lines.length, 1, "there is one audit line for it");
    });
  }
});

test("RFC 6749 section 3.2: unknown parameters are ignored: the grant does not even see them", async () => {
  const { post, seen } = endpoint();
  assert.equal((await post("grant_type=test&audience=open&resource=a&resource=b&surprise=1")).status, 200);
  assert.deepEqual(seen, [["audience", "resource"]]);
});

test("nothing of an unexpected fault reaches the wire, and the audit line has its cause", async () => {
  const fault = new Error("secret detail");
  const { post, lines } = endpoint({
    decide: () => {
      throw fault;
    },
  });
  const response = await post("grant_type=test&audience=open");
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /secret detail/);
  assert.equal(lines[0]?.outcome, "failed");
  assert.equal(lines[0]?.cause, fault);
});

test("no token leaves without its audit line", async () => {
  const outcomes: string[] = [];
  const { post } = endpoint({
    audit: (event) => {
      outcomes.push(event.outcome);
      if (event.outcome === "issued") throw new Error("the log is full");
    },
  });
  const response = await post("grant_type=test&audience=open");
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /issued/);
  assert.deepEqual(outcomes, ["issued", "failed"]);
});

test("RFC 6585 section 4: a client that is held back gets 429 and Retry-After", async () => {
  const { post, steps } = endpoint({
    admit: () => {
      throw new Throttled(2.2);
    },
  });
  const response = await post("grant_type=test&audience=open");
  assert.equal(response.status, 429);
  assert.equal(response.headers.get("retry-after"), "3");
  assert.deepEqual(steps, ["authenticate"]);
});

test("a server may word its own errors; they are still not cached", async () => {
  const { post } = endpoint({
    writeError: (error) => Response.json({ code: `X-${error.error}` }, { status: error.status }),
  });
  const response = await post("grant_type=test");
  assert.deepEqual(await response.json(), { code: "X-invalid_request" });
  assert.equal(response.headers.get("cache-control"), "no-store");
});

test("RFC 6749 section 5.2: a failed Basic attempt is answered with its challenge", async () => {
  const { post } = endpoint({
    authenticate: async () => {
      throw new ProtocolError("invalid_client", "no");
    },
  });
  const body = "grant_type=test&audience=open";
  const tried = await post(body, { authorization: "Basic YTpi" });
  assert.equal(tried.status, 401);
  assert.match(tried.headers.get("www-authenticate") ?? "", /^Basic /);
  assert.equal((await post(body)).headers.get("www-authenticate"), null);
});
