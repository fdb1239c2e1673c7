import { test } from "node:test";
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { downstreamHeaders, upstreamHeaders } from "./headers.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapUsed(): number {
  // What is only cached goes in the second round.
  for (let round = 0; round < 3; round++) collect();
  return process.memoryUsage().heapUsed;
}

/** A message with one header whose name nobody has seen before. */
function withName(name: string): IncomingMessage {
  return { headers: {}, rawHeaders: [name, "1"], socket: { remoteAddress: "192.0.2.1" } } as IncomingMessage;
}

const options = {
  accessToken: undefined,
  idToken: undefined,
  passAuthorization: false,
  trustedPeer: false,
  scheme: "https",
  correlationId: "1",
  isOwnCookie: () => false,
};

test("CWE-770: what names of headers mean is remembered for as many as fit, not for 30 MB of long ones", () => {
  const before = heapUsed();
  for (let index = 0; index < 1900; index++) {
    const name = `X-${index}-${"a".repeat(15_000)}`;
    assert.ok(upstreamHeaders(withName(name), options)?.includes(name));
    assert.deepEqual(downstreamHeaders([name, "1"], options.isOwnCookie), [name, "1"]);
  }
  const grown = heapUsed() - before;
  assert.ok(grown < 5_000_000, `${grown} bytes`);
});
