import { flushCompileCache } from "node:module";
import {
  commonSettings,
  runProcess,
  type CommonSettings,
  type Running,
  type Tools,
} from "@portvakt/runtime/process";
import type { Environment, Schema, SettingsOf } from "@portvakt/runtime/config";
import type { Surroundings } from "./verb.ts";

// Each server is imported when its verb runs: a token API does not load a login proxy.

interface App<S extends Schema & CommonSettings> {
  readonly settings: S;
  readonly start: (settings: SettingsOf<S>, tools: Tools) => Promise<Running>;
  readonly check?: (settings: SettingsOf<S>) => void | Promise<void>;
  /** Adds our names to what other programs' environments say by theirs. */
  readonly environment?: (env: Environment) => Environment;
}

async function serve<S extends Schema & CommonSettings>(
  name: string,
  app: App<S>,
  around: Surroundings,
  argv: readonly string[],
): Promise<void> {
  const { settings } = app;
  const start: typeof app.start = async (values, tools) => {
    const running = await app.start(values, tools);
    flushCompileCache(); // now, and not at the end: the next process may start in a moment
    return running;
  };
  const { now } = around;
  const { check } = app;
  const env = app.environment?.(around.env) ?? around.env;
  await runProcess({ name: `portvakt ${name}`, settings, start, ...(check && { check }), env, argv, now });
}

/** `portvakt login` */
export async function serveLogin(around: Surroundings, argv: readonly string[]): Promise<void> {
  await serve("login", await import("@portvakt/login"), around, argv);
}

/** `portvakt tokens` */
export async function serveTokens(around: Surroundings, argv: readonly string[]): Promise<void> {
  await serve("tokens", await import("@portvakt/tokens"), around, argv);
}

/** `portvakt tokenx` */
export async function serveTokenx(around: Surroundings, argv: readonly string[]): Promise<void> {
  await serve("tokenx", await import("@portvakt/tokenx"), around, argv);
}

/** `portvakt standins` */
export async function serveStandins(around: Surroundings, argv: readonly string[]): Promise<void> {
  await serve("standins", await import("@portvakt/standins"), around, argv);
}

/** `portvakt console` */
export async function serveConsole(around: Surroundings, argv: readonly string[]): Promise<void> {
  await serve("console", await import("@portvakt/console"), around, argv);
}

type Named<P extends string, S> = { readonly [K in keyof S & string as `${P}.${K}`]: S[K] };

/** The settings of one app under a name of their own, so that two apps' settings fit into one schema. */
function named<P extends string, S extends Schema>(part: P, settings: S): Named<P, S> {
  const entries = Object.entries(settings).map(([name, setting]) => [`${part}.${name}`, setting]);
  return Object.fromEntries(entries) as Named<P, S>;
}

/** The other way round: what one app reads of the whole. */
function partOf<S extends Schema>(part: string, whole: Readonly<Record<string, unknown>>): SettingsOf<S> {
  const start = `${part}.`;
  const entries = Object.entries(whole).filter(([name]) => name.startsWith(start));
  return Object.fromEntries(
    entries.map(([name, value]) => [name.slice(start.length), value]),
  ) as SettingsOf<S>;
}

/** `portvakt sidecar`: login proxy and token API, each with its own settings, in one process with one status listener. */
export async function serveSidecar(around: Surroundings, argv: readonly string[]): Promise<void> {
  const [login, tokens] = await Promise.all([import("@portvakt/login"), import("@portvakt/tokens")]);
  const settings = {
    ...commonSettings("sidecar"),
    ...named("login", login.settings),
    ...named("tokens", tokens.settings),
  };
  const start = async (whole: SettingsOf<typeof settings>, tools: Tools): Promise<Running> => {
    const parts = await Promise.all([
      login.start(partOf<typeof login.settings>("login", whole), tools),
      tokens.start(partOf<typeof tokens.settings>("tokens", whole), tools),
    ]);
    return together({ login: parts[0], tokens: parts[1] });
  };
  const check = async (whole: SettingsOf<typeof settings>): Promise<void> => {
    await login.check(partOf<typeof login.settings>("login", whole));
    await tokens.check(partOf<typeof tokens.settings>("tokens", whole));
  };
  const { environment } = login;
  await serve("sidecar", { settings, start, check, environment }, around, argv);
}

/** Several started apps as one: ready when all are, closed when all are. */
function together(apps: Readonly<Record<string, Running>>): Running {
  const entries = Object.entries(apps);
  const prefixed = <T>(name: string, record: Readonly<Record<string, T>>): [string, T][] =>
    Object.entries(record).map(([key, value]) => [`${name}.${key}`, value]);
  return {
    addresses: Object.fromEntries(entries.flatMap(([name, app]) => prefixed(name, app.addresses))),
    async ready() {
      const all = await Promise.all(entries.map(async ([name, app]) => ({ name, state: await app.ready() })));
      return {
        ready: all.every(({ state }) => state.ready),
        checks: Object.fromEntries(all.flatMap(({ name, state }) => prefixed(name, state.checks))),
      };
    },
    async close() {
      await Promise.all(entries.map(async ([, app]) => await app.close()));
    },
  };
}
