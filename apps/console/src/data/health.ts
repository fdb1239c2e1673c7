import { readFile } from "node:fs/promises";
import { readJson } from "@portvakt/oauth";
import type { Tools } from "@portvakt/runtime/process";
import { z } from "zod";

const webUrl = z.url({ protocol: /^https?$/ });
const serversSchema = z
  .array(
    z.object({
      name: z.string().min(1).max(100),
      application: z.string().max(200).optional(),
      address: webUrl.optional(),
      ready: webUrl.optional(),
    }),
  )
  .max(2_000);

/** A server that the console is told of. */
type KnownServer = z.infer<typeof serversSchema>[number];

/** A server and how it is. `ready` is undefined where the console was not told how to ask. */
export interface ServerHealth extends KnownServer {
  readonly isReady: boolean | undefined;
  /** What is the matter, where it says so. */
  readonly detail: string | undefined;
}

export type ReadHealth = () => Promise<readonly ServerHealth[]>;

const timeoutMs = 1_500;
const mostBytes = 65_536;
const keptSeconds = 2;
const readinessSchema = z.object({
  checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().max(500).optional() })),
});

/** Asks every server of the file whether it is ready, all at once; answers are kept for two seconds. */
export function watchedHealth(
  file: string | undefined,
  { now, log }: Pick<Tools, "now" | "log">,
): ReadHealth {
  let last: { readonly at: number; readonly all: Promise<readonly ServerHealth[]> } | undefined;
  const read = async (): Promise<readonly ServerHealth[]> => {
    if (file === undefined) return [];
    try {
      const servers = serversSchema.parse(JSON.parse(await readFile(file, "utf8")));
      return await Promise.all(servers.map(healthOf));
    } catch (err) {
      log.warn({ err }, "the file of servers cannot be read");
      return [];
    }
  };
  return () => {
    const age = last === undefined ? Infinity : now() - last.at;
    if (last !== undefined && age >= 0 && age < keptSeconds) return last.all;
    last = { at: now(), all: read() };
    return last.all;
  };
}

async function healthOf(server: KnownServer): Promise<ServerHealth> {
  const { ready } = server;
  if (ready === undefined) return { ...server, isReady: undefined, detail: undefined };
  try {
    const response = await fetch(ready, { redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
    const isReady = response.status === 200;
    const detail = isReady ? undefined : await troubleIn(response);
    if (isReady) await response.body?.cancel();
    return { ...server, isReady, detail };
  } catch {
    return { ...server, isReady: false, detail: "does not answer" };
  }
}

/** What our servers say in /readyz; of others, the status. */
async function troubleIn(response: Response): Promise<string> {
  const status = `answers with HTTP ${response.status}`;
  const body = await readJson(response, mostBytes).catch(() => undefined);
  const parsed = readinessSchema.safeParse(body);
  if (!parsed.success) return status;
  const bad = Object.entries(parsed.data.checks).filter(([, { ok }]) => !ok);
  const said = bad.map(([name, { detail }]) => (detail === undefined ? name : `${name}: ${detail}`));
  return said.slice(0, 5).join("; ") || status;
}
