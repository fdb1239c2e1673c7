// docs/observability.md, from the tables of metrics and spans that the servers use.

import { metrics as login } from "@portvakt/login";
import { runtimeMetrics, spanAttributes } from "@portvakt/runtime/observe";
import type { MetricTable, SpanKind } from "@portvakt/runtime/observe";
import { metrics as standins } from "@portvakt/standins";
import { metrics as tokens, spans as tokensSpans } from "@portvakt/tokens";
import { metrics as tokenx, spans as tokenxSpans } from "@portvakt/tokenx";

const ended = (sentence: string): string => (sentence.endsWith(".") ? sentence : `${sentence}.`);

function metricRows(table: MetricTable): string {
  const rows = Object.values(table).map(({ name, kind, labels = [], help }) => {
    const names = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${kind} | ${names} | ${ended(help)} |`;
  });
  return ["| Name | Type | Labels | Meaning |", "|---|---|---|---|", ...rows].join("\n");
}

function spanRows(servers: Readonly<Record<string, Readonly<Record<string, SpanKind>>>>): string {
  const rows = Object.entries(servers).flatMap(([server, kinds]) =>
    Object.values(kinds).map(({ name, help, attributes }) => {
      const names = attributes.map((attribute) => `\`portvakt.${attribute}\``).join(", ");
      return `| \`${name}\` | ${server} | ${names} | ${ended(help)} |`;
    }),
  );
  return ["| Span | Server | Attributes | Covers |", "|---|---|---|---|", ...rows].join("\n");
}

const attributeRows = (): string =>
  [
    "| Attribute | Says |",
    "|---|---|",
    ...Object.entries(spanAttributes).map(([name, says]) => `| \`portvakt.${name}\` | ${ended(says)} |`),
  ].join("\n");

/** The whole page. */
export function observabilityMarkdown(): string {
  return `# Logs, metrics, traces

## Logs

One JSON object a line on standard output (\`PORTVAKT_<SERVER>_LOG_FORMAT=text\` for people). A refusal has a \`correlation_id\`: the caller's
\`X-Request-Id\` where that is sane, else one of ours; the answer's body says the same. When traces are on, lines also have \`trace_id\` and
\`span_id\`. Secrets are taken out by the name of their field and by their look; no line holds a token.

## Metrics

Prometheus text at \`/metrics\` of each server's status address. A label takes its first 100 values, and a metric its first 2,000
series; what comes after is counted as \`other\`.

### Every server

And \`process_*\` and \`nodejs_*\`: memory, CPU, event loop.

${metricRows(runtimeMetrics)}

### Login proxy

${metricRows(login)}

### Token API

${metricRows(tokens)}

### TokenX

${metricRows(tokenx)}

### Stand-ins

${metricRows(standins)}

## Traces

OpenTelemetry, by its standard variables: \`OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318\` is enough, and [settings.md](settings.md) has
them all. Without one of them nothing is loaded and nothing is spent. \`portvakt dev\` passes the variables on to everything that it starts, so that
a click in the demo is one trace from the login proxy to the last decision.

Spans are sent in the background from a queue of 2,048; what does not fit, or finds no collector, is lost and counted, and no request waits. What is
left is sent when a server drains, for at most three seconds.

### What is traced

Each request that comes is a span named by method and route, such as \`POST /token\`, with the attributes of OpenTelemetry's conventions for HTTP. All
that the login proxy passes on to the application has the route \`/*\`. Probes and the status address are not traced, nor are WebSockets. A request that
goes out is a span named by method and, at a provider's endpoint, its path; one to the application behind the login proxy by its method. Calls to
Redis, Valkey, PostgreSQL and PGlite are spans named by operation. Between them:

${spanRows({ "token API": tokensSpans, TokenX: tokenxSpans })}

### What spans say

${attributeRows()}

A span that fails has the code of the error in \`error.type\`, and nothing of its message. No attribute holds a token, a cookie, a query, a path as it
was asked for, or a person.

### Where a trace goes

\`traceparent\` and \`tracestate\` (W3C Trace Context) are continued by the token API, TokenX and the stand-ins, which only applications and servers
reach. The login proxy stands where anybody may ask, and continues those of peers in \`PORTVAKT_LOGIN_TRUSTED_PROXIES\`; for others' requests it begins a
trace of its own, with a link to theirs. It sends its own on to the application in their place. Baggage is neither read nor sent.
`;
}
