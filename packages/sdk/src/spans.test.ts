import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import { trace, type Span, type SpanOptions, type SpanStatus, type TracerProvider } from "@opentelemetry/api";
import { citizen, env, now, sdk, sign } from "../test/issuers.ts";
import { createSdk } from "./index.ts";

interface Seen {
  readonly name: string;
  readonly attributes: Record<string, unknown>;
  status?: SpanStatus;
  ended: number;
}
const seen: Seen[] = [];

/** OpenTelemetry's own registry, with a tracer that writes down what it is told. */
const provider = {
  getTracer: () => ({
    startActiveSpan(name: string, options: SpanOptions, work: (span: Span) => unknown): unknown {
      const one: Seen = { name, attributes: { ...options.attributes }, ended: 0 };
      seen.push(one);
      return work({
        setAttribute: (key: string, value: unknown) => (one.attributes[key] = value),
        setStatus: (status: SpanStatus) => (one.status = status),
        end: () => (one.ended += 1),
      } as unknown as Span);
    },
  }),
} as unknown as TracerProvider;

const nais = { NAIS_TOKEN_ENDPOINT: "http://t/token", NAIS_TOKEN_EXCHANGE_ENDPOINT: "http://t/exchange" };
const answered = (status: number, body: object) =>
  createSdk({ env: nais, now: () => now, fetch: async () => Response.json(body, { status }) });

describe("spans, where an application has OpenTelemetry (baseline 1.5.3 line 12)", () => {
  trace.setGlobalTracerProvider(provider);
  beforeEach(() => void (seen.length = 0));
  after(() => trace.disable());

  test("validation, with issuer and audience, and never the token", async () => {
    const token = await sign(citizen, "tokenx");
    await sdk.validateToken(token);
    await sdk.validateTokenxToken("nonsense");
    assert.deepEqual(seen, [
      {
        name: "Validate JWT",
        attributes: {
          "token.verify.issuer": env.TOKEN_X_ISSUER,
          "token.verify.audience": env.TOKEN_X_CLIENT_ID,
        },
        ended: 1,
      },
      { name: "Validate JWT", attributes: {}, status: { code: 2, message: "malformed" }, ended: 1 },
    ]);
    assert.ok(!JSON.stringify(seen).includes(token));
  });

  test("getting tokens, with target and provider", async () => {
    const good = answered(200, { access_token: "a", expires_in: 60, token_type: "Bearer" });
    await good.requestAzureClientCredentialsToken("local:b:api");
    await answered(400, { error: "invalid_target" }).requestTokenxOboToken("user", "local:b:next");
    assert.deepEqual(seen, [
      {
        name: "Token exchange (m2m)",
        attributes: {
          "token.exchange.m2m.target": "local:b:api",
          "token.exchange.m2m.provider": "entra_id",
        },
        ended: 1,
      },
      {
        name: "Token exchange (OBO)",
        attributes: { "token.exchange.obo.target": "local:b:next", "token.exchange.obo.provider": "tokenx" },
        status: { code: 2, message: "invalid_target" },
        ended: 1,
      },
    ]);
  });
});
