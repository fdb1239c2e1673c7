import { serve } from "@portvakt/runtime/http";
import type { Running, Tools } from "@portvakt/runtime/process";
import { probes } from "./app.ts";
import { createHandler } from "./endpoints.ts";
import { openDatabase } from "./registry/database.ts";
import { createState, keepFresh, readAll, readinessOf } from "./state.ts";
import type { Settings } from "./state.ts";

/** Starts TokenX: database, registry and keys first, then the listener. An issuer of subject tokens may be down. */
export async function start(settings: Settings, tools: Tools): Promise<Running> {
  const { db, ring } = await openDatabase(settings, tools.log);
  const closing: (() => Promise<void>)[] = [() => db.close()];
  const close = async (): Promise<void> => {
    for (const end of closing.toReversed()) await end();
  };
  try {
    const state = createState(settings, tools, db, ring);
    // Listens before it reads, so that no change falls between the two.
    closing.push(await keepFresh(state));
    await readAll(state);
    let handle: (request: Request) => Response | Promise<Response> = () =>
      new Response(null, { status: 503 });
    const address = settings.port === undefined ? settings.bindAddress : { host: "::", port: settings.port };
    const routes: string[] = [];
    const { log, metrics, stopping } = tools;
    const traces = { routes, silent: probes };
    const fetch = (request: Request): Response | Promise<Response> => handle(request);
    const server = await serve({ fetch, address, log, metrics, stopping, traces });
    closing.push(() => server.close({ graceSeconds: settings.shutdownGraceSeconds }));
    // Only the listener knows its port, which may be part of the issuer identifier.
    const app = createHandler(state, settings.issuer ?? server.url);
    handle = app.fetch;
    routes.push(...app.routes);
    return { addresses: { tokenx: server.url }, ready: () => readinessOf(state), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Emergency: makes new signing keys that sign at once, and withdraws all others, on every replica. Tokens signed with those
 * are refused from then on, by whoever reads the key set afresh.
 */
export async function replaceSigningKeys(settings: Settings, tools: Tools): Promise<void> {
  const { db, ring } = await openDatabase(settings, tools.log);
  try {
    await createState(settings, tools, db, ring).keys.replaceAll();
    tools.log.warn("all signing keys were replaced");
  } finally {
    await db.close();
  }
}
