import type { Clock } from "@portvakt/oauth";
import { serve, type HttpServer } from "@portvakt/runtime/http";
import type { Logger, Metrics } from "@portvakt/runtime/observe";
import { controlApp } from "./control/control.ts";
import { createEntra } from "./entra/entra.ts";
import { createFaults, type Fault, type FaultOrder, type ProviderName } from "./faults/faults.ts";
import { createRecorder, type RecordedRequest, type RecordFilter } from "./faults/recorder.ts";
import { createIdporten } from "./idporten/idporten.ts";
import { createMaskinporten } from "./maskinporten/maskinporten.ts";
import { createOpenid } from "./openid/openid.ts";
import { builtinPersonas, type Personas } from "./personas/personas.ts";
import { createReport } from "./report.ts";
import { createRegistry } from "./registry.ts";
import { mergeRegistrations, type Registrations, type RegistrationsInput } from "./registrations.ts";
import { keysInFolder, type KeyKeeper } from "./keys/kept-keys.ts";
import { createSigning } from "./keys/signing.ts";
import type { Parts, Standin, TokenOrder } from "./standin.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface StandinsOptions {
  readonly now: Clock;
  readonly log: Logger;
  readonly metrics?: Metrics;
  readonly registrations?: RegistrationsInput;
  readonly personas?: Personas;
  /** Where each listens; absent = a free port on the loopback interface. */
  readonly addresses?: Readonly<Partial<Record<ProviderName | "control", Address>>>;
  /** Where the signing keys outlive the stand-ins; absent = nowhere. */
  readonly keysFolder?: string;
  /** Host names by which containers reach the stand-ins, other than the public URLs. */
  readonly backHosts?: readonly string[];
  /** How browsers and clients reach each; absent = http://localhost and the listener's port. */
  readonly publicUrls?: Readonly<Partial<Record<ProviderName, string | undefined>>>;
}

/** Running stand-ins, and everything that a test may do to them. The control API offers the same over HTTP. */
export interface Standins extends AsyncDisposable {
  readonly idporten: Standin;
  readonly entra: Standin;
  readonly maskinporten: Standin;
  /** A provider with no habits of its own; any path below it is an issuer too. */
  readonly openid: Standin;
  readonly issuers: Readonly<Record<ProviderName, string>>;
  /** Where clients reach each stand-in, and the control API. */
  readonly urls: Readonly<Record<ProviderName | "control", string>>;
  readonly personas: Personas;
  registrations(): Registrations;
  /** Puts registrations in force: instead of those there are, or beside them. */
  register(registrations: RegistrationsInput, how?: "replace" | "merge"): Registrations;
  /**
   * The stand-ins as one test sees them: issuers of its own, so that its sessions, keys, clock, faults and record are its
   * own too, also for requests that come through a program under test. Clients and people are everybody's.
   */
  forTest(test: string): TestStandins;
  /** Signs a token without any flow. */
  issue(order: TokenOrder): Promise<string>;
  /** Orders a fault; the answer is its number. */
  fail(fault: FaultOrder): number;
  faults(): { id: number; left: number; fault: Fault }[];
  clearFaults(test?: string): void;
  requests(filter?: RecordFilter): RecordedRequest[];
  forgetRequests(): void;
  rotateKeys(provider: ProviderName, options?: { forget?: boolean; test?: string }): Promise<string>;
  /** Moves the clock of all stand-ins, or of one test's, by so many seconds from the real one. */
  moveClock(offsetSeconds: number, test?: string): void;
  close(): Promise<void>;
}

/** What one test gets of running stand-ins; everything here leaves other tests alone. */
export interface TestStandins {
  readonly test: string;
  /** What the program under test is to be configured with. */
  readonly issuers: Readonly<Record<ProviderName, string>>;
  readonly urls: Readonly<Record<ProviderName, string>>;
  issue(order: Omit<TokenOrder, "test">): Promise<string>;
  fail(fault: Omit<FaultOrder, "test">): number;
  clearFaults(): void;
  requests(filter?: Omit<RecordFilter, "test">): RecordedRequest[];
  rotateKeys(provider: ProviderName, options?: { forget?: boolean }): Promise<string>;
  moveClock(offsetSeconds: number): void;
}

const loopback: Address = { host: "127.0.0.1", port: 0 };
const makers = {
  idporten: createIdporten,
  entra: createEntra,
  maskinporten: createMaskinporten,
  openid: createOpenid,
} as const;

/** Starts all stand-ins, each on a listener of its own. Nothing waits for keys: they are made while the listeners open. */
export async function openStandins(options: StandinsOptions): Promise<Standins> {
  const clock = { offset: 0, byTest: new Map<string, number>() };
  const closing = new AbortController();
  const faults = createFaults();
  const shared = {
    now: () => options.now() + clock.offset,
    registry: createRegistry(options.registrations ?? {}, () => options.now() + clock.offset),
    personas: options.personas ?? builtinPersonas(),
    faults,
    recorder: createRecorder(),
    backHosts: new Set(options.backHosts),
    closing: closing.signal,
    fetch,
    report: createReport(options.log, options.metrics),
  };
  const { keysFolder } = options;
  const keeper = (name: ProviderName): KeyKeeper | undefined =>
    keysFolder === undefined ? undefined : keysInFolder(keysFolder, name);
  const open = (name: ProviderName): Promise<Listening> =>
    listen(name, options, {
      root: { ...shared, signing: createSigning(faults, keeper(name)) },
      forTest: (test) => ({
        ...shared,
        now: () => options.now() + clock.offset + (clock.byTest.get(test) ?? 0),
        signing: createSigning(faults),
      }),
    });
  const [idporten, entra, maskinporten, openid] = await Promise.all([
    open("idporten"),
    open("entra"),
    open("maskinporten"),
    open("openid"),
  ]);
  const all = { idporten, entra, maskinporten, openid };
  let control: HttpServer | undefined;
  const standins: Standins = {
    ...each(all, ({ standin }) => standin),
    issuers: each(all, ({ standin }) => standin.issuer),
    get urls() {
      return { ...each(all, ({ base }) => base), control: control?.url ?? "" };
    },
    personas: shared.personas,
    ...handles(shared, all),
    moveClock(seconds, test) {
      if (test === undefined) clock.offset = seconds;
      else clock.byTest.set(testName(test), seconds);
    },
    forTest: (test) => seenBy(testName(test), standins, all),
    async close() {
      closing.abort();
      const servers = Object.values(all).map(({ server }) => server);
      await Promise.all(servers.map((server) => server.close({ graceSeconds: 2 })));
      await control?.close({ graceSeconds: 2 });
    },
    [Symbol.asyncDispose]: () => standins.close(),
  };
  const handle = controlApp(standins, options.backHosts ?? []);
  control = await serve({ fetch: handle, address: options.addresses?.control ?? loopback, log: options.log });
  return standins;
}

type Shared = Omit<Parts, "base" | "signing">;
type Handles = Omit<
  Standins,
  | ProviderName
  | "issuers"
  | "urls"
  | "personas"
  | "moveClock"
  | "forTest"
  | "close"
  | typeof Symbol.asyncDispose
>;

/** What a test may do to running stand-ins. */
function handles({ registry, faults, recorder }: Shared, all: Record<ProviderName, Listening>): Handles {
  return {
    registrations: () => registry.current(),
    register: (input, how = "merge") =>
      registry.replace(how === "merge" ? mergeRegistrations(registry.current(), input) : input),
    issue: (order) => issue(all[order.provider].of(order.test), order),
    fail: (fault) => faults.order(fault),
    faults: () => faults.list(),
    clearFaults: (test) => faults.clear(test),
    requests: (filter) => recorder.find(filter),
    forgetRequests: () => recorder.clear(),
    rotateKeys: (provider, how) => all[provider].of(how?.test).signing.rotate(how),
  };
}

function each<T>(all: Record<ProviderName, Listening>, pick: (one: Listening) => T): Record<ProviderName, T> {
  return {
    idporten: pick(all.idporten),
    entra: pick(all.entra),
    maskinporten: pick(all.maskinporten),
    openid: pick(all.openid),
  };
}

interface Listening {
  readonly base: string;
  readonly server: HttpServer;
  readonly standin: Standin;
  /** The stand-in as a test sees it; absent = everybody's. */
  of(test: string | undefined): Standin;
}

/** What a stand-in is made of: once for everybody, and once for each test that wants its own. */
interface MakeParts {
  readonly root: Omit<Parts, "base">;
  readonly forTest: (test: string) => Omit<Parts, "base">;
}

/** A test's name as it stands in addresses. Throws RangeError. */
function testName(test: string): string {
  if (/^[\w-]{1,64}$/.test(test)) return test;
  throw new RangeError("a test's name is 1 to 64 letters, digits, - and _");
}

function seenBy(test: string, standins: Standins, all: Record<ProviderName, Listening>): TestStandins {
  return {
    test,
    issuers: each(all, (one) => one.of(test).issuer),
    urls: each(all, ({ base }) => `${base}/~${test}`),
    issue: (order) => standins.issue({ ...order, test }),
    fail: (fault) => standins.fail({ ...fault, test }),
    clearFaults: () => standins.clearFaults(test),
    requests: (filter) => standins.requests({ ...filter, test }),
    rotateKeys: (provider, how) => standins.rotateKeys(provider, { ...how, test }),
    moveClock: (seconds) => standins.moveClock(seconds, test),
  };
}

/** Listens first, because a free port is part of the issuer; requests that come before the stand-in stands wait for it. */
async function listen(
  name: ProviderName,
  options: StandinsOptions,
  { root, forTest }: MakeParts,
): Promise<Listening> {
  const made = Promise.withResolvers<(test: string | undefined) => Standin>();
  const server = await serve({
    fetch: async (request) => {
      const of = await made.promise;
      const own = ofTest(request);
      return own === undefined ? of(undefined).fetch(request) : of(own.test).fetch(own.request);
    },
    address: options.addresses?.[name] ?? loopback,
    log: options.log,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    traces: { routes: [] },
  });
  const base = (options.publicUrls?.[name] ?? `http://localhost:${server.port}`).replace(/\/$/, "");
  const standin = makers[name]({ ...root, base });
  const tests = new Map<string, Standin>();
  const of = (test: string | undefined): Standin => {
    if (test === undefined) return standin;
    const known = tests.get(testName(test));
    if (known !== undefined) return known;
    // The oldest test is over long since.
    if (tests.size >= maxTests) tests.delete(tests.keys().next().value ?? "");
    const own = makers[name]({ ...forTest(test), base: `${base}/~${test}` });
    tests.set(test, own);
    return own;
  };
  made.resolve(of);
  return { base, server, standin, of };
}

const maxTests = 500;
const ownPath = /^\/~(?<test>[\w-]{1,64})(?<rest>\/.*)?$/;
/** RFC 8414 section 3.1: the well-known part stands before an issuer's path. */
const insertedPath = /^(?<rest>\/\.well-known\/[\w-]+)\/~(?<test>[\w-]{1,64})(?<path>\/.*)?$/;

/** A request to a test's own issuer: without the test in its path, and with it in the header. */
function ofTest(request: Request): { test: string; request: Request } | undefined {
  const url = new URL(request.url);
  const { test, rest, path } = (insertedPath.exec(url.pathname) ?? ownPath.exec(url.pathname))?.groups ?? {};
  if (test === undefined) return undefined;
  url.pathname = `${rest ?? "/"}${path === undefined || path === "/" ? "" : path}`;
  const own = new Request(url, request);
  own.headers.set("x-standin-test", test);
  return { test, request: own };
}

async function issue(standin: Standin, order: TokenOrder): Promise<string> {
  const occasion = {
    provider: order.provider,
    token: order.token ?? "access_token",
    clientId: order.client_id ?? "",
    test: order.test,
  } as const;
  return standin.signing.sign(standin.order(order), occasion);
}
