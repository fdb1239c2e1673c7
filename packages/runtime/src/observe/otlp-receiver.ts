// A collector for tests: takes OTLP over HTTP as the exporter sends it, and gives the spans that came. Reads protobuf by the numbers
// of opentelemetry/proto/trace/v1/trace.proto, not with the exporter's own code.
import http from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: "internal" | "server" | "client" | "other";
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Trace ids of the spans that it is linked to. */
  readonly links: readonly string[];
  readonly failed: boolean;
}

export interface OtlpReceiver {
  /** As OTEL_EXPORTER_OTLP_ENDPOINT wants it. */
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Everything that came, as text: what must be in none of it can be looked for. */
  text(): string;
  readonly headers: readonly http.IncomingHttpHeaders[];
  close(): Promise<void>;
}

/** One field of a message: its number, and a varint or the bytes of anything else. */
type Field = readonly [number: number, value: bigint | Buffer];

function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++] ?? 0;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const bytes = (length: number): Buffer => message.subarray(at, (at += length));
  while (at < message.length) {
    const key = Number(varint());
    const form = key & 7;
    yield [key >> 3, form === 0 ? varint() : bytes(form === 1 ? 8 : form === 5 ? 4 : Number(varint()))];
  }
}

const all = (message: Buffer, number: number): Buffer[] =>
  [...fieldsOf(message)].flatMap(([field, value]) =>
    field === number && Buffer.isBuffer(value) ? [value] : [],
  );
const text = (message: Buffer, number: number): string => String(all(message, number)[0] ?? "");
const hex = (message: Buffer, number: number): string => all(message, number)[0]?.toString("hex") ?? "";
const whole = (message: Buffer, number: number): number =>
  Number(
    [...fieldsOf(message)].find(([field, value]) => field === number && typeof value === "bigint")?.[1] ?? 0,
  );

function attributesOf(message: Buffer, number: number): Record<string, string | number> {
  const pairs = all(message, number).map((pair) => {
    const value = all(pair, 2)[0] ?? Buffer.of();
    return [text(pair, 1), all(value, 1).length > 0 ? text(value, 1) : whole(value, 3)] as const;
  });
  return Object.fromEntries(pairs);
}

const kinds = ["other", "internal", "server", "client"] as const;

function readSpan(span: Buffer, service: string): ReceivedSpan {
  return {
    service,
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentId: hex(span, 4),
    name: text(span, 5),
    kind: kinds[whole(span, 6)] ?? "other",
    attributes: attributesOf(span, 9),
    links: all(span, 13).map((link) => hex(link, 1)),
    failed: all(span, 15).some((status) => whole(status, 3) === 2),
  };
}

function readBatch(request: Buffer): ReceivedSpan[] {
  return all(request, 1).flatMap((ofOne) => {
    const service = String(attributesOf(all(ofOne, 1)[0] ?? Buffer.of(), 1)["service.name"] ?? "");
    const scopes = all(ofOne, 2);
    return scopes.flatMap((scope) => all(scope, 2)).map((span) => readSpan(span, service));
  });
}

/** Listens on a port of its own. */
export async function otlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  const headers: http.IncomingHttpHeaders[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      if (request.url === "/v1/traces") {
        bodies.push(body);
        headers.push(request.headers);
        spans.push(...readBatch(body));
      }
      response.writeHead(request.url === "/v1/traces" ? 200 : 404).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    headers,
    text: () => Buffer.concat(bodies).toString("latin1"),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
