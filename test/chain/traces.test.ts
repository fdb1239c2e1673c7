// One click of a citizen, as OpenTelemetry sees it: real processes, real OTLP, one trace.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { otlpReceiver } from "@portvakt/runtime/observe/receiver";
import type { OtlpReceiver, ReceivedSpan } from "@portvakt/runtime/observe/receiver";
import { portvakt, startDemo } from "../demo/platform.ts";

const forced = "0af7651916cd43dd8448eb211c80319c";

describe("traces of the chain portal -> application-api -> income-register", { timeout: 180_000 }, () => {
  let receiver: OtlpReceiver;
  let spans: readonly ReceivedSpan[] = [];

  before(async () => {
    receiver = await otlpReceiver();
    const demo = await startDemo({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const tour = await portvakt("tour", "--only", "2.1", "--state", demo.folder);
    await fetch(demo.url("portal"), {
      headers: { traceparent: `00-${forced}-b7ad6b7169203331-01` },
      redirect: "manual",
    });
    // Every process sends what it still holds when it is drained.
    assert.equal(await demo.interrupt(), 0);
    assert.equal(tour.code, 0, tour.stdout + tour.stderr);
    const traces = [...Map.groupBy(receiver.spans, ({ traceId }) => traceId).values()];
    // Her first click fetches tokens; those after it find them held.
    spans = traces.find((trace) => trace.filter(({ name }) => name === "decide").length === 2) ?? [];
  });
  after(() => receiver.close());

  const parentOf = (span: ReceivedSpan): ReceivedSpan | undefined =>
    spans.find(({ spanId }) => spanId === span.parentId);
  const wayTo = (span: ReceivedSpan | undefined): string[] =>
    span === undefined ? [] : [...wayTo(parentOf(span)), `${span.service}: ${span.name} (${span.kind})`];

  test("are one, from the login proxy to both decisions of TokenX", () => {
    const ways = new Set(
      spans.filter(({ name }) => name === "decide").map((span) => wayTo(span).join(" > ")),
    );
    const from = (service: string): string =>
      [
        "portal-sidecar: GET /* (server)",
        "portal-sidecar: GET (client)",
        `${service}: POST /api/v1/token/exchange (server)`,
        `${service}: get token (internal)`,
        `${service}: POST /token (client)`,
        "tokenx: POST /token (server)",
        "tokenx: decide (internal)",
      ].join(" > ");
    assert.deepEqual(ways, new Set([from("application-api-tokens"), from("portal-sidecar")]));
    assert.deepEqual(
      spans.filter((span) => parentOf(span) === undefined).map(({ name, parentId }) => [name, parentId]),
      [["GET /*", ""]],
      "one beginning, and no span without its parent",
    );
  });

  test("say who asked for whom, and why it was allowed", () => {
    const decided = spans.filter(({ name }) => name === "decide").map(({ attributes }) => attributes);
    const asked = decided.map((one) =>
      ["actor", "target", "outcome"].map((name) => one[`portvakt.${name}`]).join(" "),
    );
    const all = [
      "local:benefits:application-api local:benefits:income-register allow",
      "local:benefits:portal local:benefits:application-api allow",
    ];
    assert.deepEqual(new Set(asked), new Set(all));
  });

  test("are the login proxy's own for a stranger who names one, with a link to his", () => {
    assert.ok(receiver.spans.every(({ traceId }) => traceId !== forced));
    const linked = receiver.spans.filter(({ links }) => links.includes(forced));
    assert.deepEqual(
      linked.map(({ service, name, parentId }) => [service, name, parentId]),
      [["portal-sidecar", "GET /*", ""]],
    );
  });

  test("hold no token, cookie, person, query or path of hers, in all that the platform sent", () => {
    const sent = receiver.text();
    for (const secret of [
      "eyJ",
      "Bearer",
      "cookie",
      "pid=",
      "code=",
      "state=",
      "request_uri",
      "client_assertion",
    ])
      assert.ok(!sent.includes(secret), secret);
    for (const { attributes, name } of receiver.spans)
      for (const value of [name, ...Object.values(attributes)])
        assert.doesNotMatch(String(value), /\b\d{11}\b|\?/u);
    assert.ok(receiver.spans.length > 30);
  });
});
