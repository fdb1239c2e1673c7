// What is counted once about the token API: memory with many tokens in it, how soon it is ready, what it takes when idle.
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { until } from "@portvakt/chaos/rig";
import { generatePrivateJwk } from "@portvakt/oauth";
import { requestText } from "./rig/load.ts";
import { cores, megabytesOf, startNode, startPortvakt } from "./rig/processes.ts";
import type { Generator, Started } from "./rig/processes.ts";
import { median } from "./rig/report.ts";
import type { Figure } from "./rig/report.ts";

const cachedTokens = 100_000;
/** Keeps what is garbage out of the figure: without a limit, the heap grows before it is swept. */
const heapMegabytes = 320;

/** Memory before and after a hundred thousand tokens are held; the provider is one that signs nothing. */
export async function memoryOfTokens(generator: Generator): Promise<readonly Figure[]> {
  const program = fileURLToPath(new URL("peers/issuing.ts", import.meta.url));
  await using provider = await startNode({ core: cores.load, args: [program] });
  const origin = provider.addresses["main"] ?? "";
  await using server = await startPortvakt("tokens", {
    PORTVAKT_TOKENS_BIND_ADDRESS: "127.0.0.1:0",
    PORTVAKT_TOKENS_CACHE_ENTRIES: String(cachedTokens),
    NODE_OPTIONS: `--max-old-space-size=${heapMegabytes}`,
    MASKINPORTEN_ENABLED: "true",
    MASKINPORTEN_CLIENT_ID: "bench",
    MASKINPORTEN_CLIENT_JWK: JSON.stringify(await generatePrivateJwk("ES256")),
    MASKINPORTEN_ISSUER: origin,
    MASKINPORTEN_JWKS_URI: `${origin}/jwks`,
    MASKINPORTEN_TOKEN_ENDPOINT: `${origin}/token`,
  });
  const port = Number(new URL(server.addresses["tokens"] ?? "").port);
  const json = { "content-type": "application/json" };
  const request = (index: number): string =>
    requestText(
      "/api/v1/token",
      json,
      JSON.stringify({ identity_provider: "maskinporten", target: `bench:${index}` }),
    );
  const before = megabytesOf(server.pid);
  for (let first = 0; first < cachedTokens; first += 10_000) {
    const requests = Array.from({ length: 10_000 }, (_, index) => request(first + index));
    await generator.run({ port, connections: 32, requests, count: requests.length });
  }
  const after = megabytesOf(server.pid);
  return [
    { name: "memory with no token", ours: before, unit: "MB" },
    {
      name: `memory with ${cachedTokens} cached tokens of 900 bytes, heap limited to ${heapMegabytes} MB`,
      ours: after,
      unit: "MB",
    },
  ];
}

async function isReady(server: Started): Promise<boolean> {
  return (await fetch(`${server.addresses["status"] ?? ""}/readyz`)).ok;
}

/** Milliseconds from nothing to ready, providers up; medians of several starts. */
export async function startingUp(env: Readonly<Record<string, string>>): Promise<readonly Figure[]> {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    await using server = await startPortvakt("tokens", env);
    await until("the token API is ready", () => isReady(server));
    times.push(performance.now() - began);
  }
  return [{ name: "start to ready", ours: median(times), unit: "ms" }];
}

/** Login proxy and token API in one process with nothing to do. */
export async function idleSidecar(env: Readonly<Record<string, string>>): Promise<readonly Figure[]> {
  await using server = await startPortvakt("sidecar", env);
  await until("the sidecar is ready", () => isReady(server));
  await delay(3000);
  return [{ name: "portvakt sidecar, idle, anonymous memory", ours: megabytesOf(server.pid), unit: "MB" }];
}
