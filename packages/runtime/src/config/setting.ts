// One setting: the names it is read from, how its text becomes a value, and what it means.
import { Secret } from "../observe/secret.ts";

/** Why a text is not a value of the setting. The message never repeats the value of a secret. */
export class SettingProblem extends Error {
  readonly hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** A declared setting. `T` is the type that `readSettings` gives it. */
export interface Setting<T> {
  /** How the kind reads in generated documentation, with its unit. */
  readonly kind: string;
  /** Our own name first, then aliases in order of precedence. */
  readonly env: readonly [string, ...string[]];
  readonly doc: string;
  readonly optional: boolean;
  /** The default as the environment would spell it; undefined where there is none. */
  readonly defaultText: string | undefined;
  /** Secret settings are masked wherever they are printed, and may be read from the file that `NAME_FILE` names. */
  readonly secret: boolean;
  /** Gives the default, or undefined when there is none. */
  readonly fallback: () => T | undefined;
  /** *Throws* SettingProblem. */
  readonly parse: (text: string) => T;
}

/** Where a service listens, or what it calls. `host` has no brackets; `port` 0 means any free port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

interface Common<T> {
  readonly env: string | readonly string[];
  readonly doc: string;
  /** Says what is wrong with a value that parsed, or undefined when nothing is. */
  readonly check?: (value: T) => string | undefined;
}

/** The two ways to declare a kind of setting: with `optional: true` its value may be undefined; else it has a default or must be set. */
interface Kind<T, Extra = unknown> {
  (
    options: Common<T> & Extra & { readonly optional: true; readonly default?: undefined },
  ): Setting<T | undefined>;
  (options: Common<T> & Extra & { readonly optional?: false; readonly default?: T | string }): Setting<T>;
}

interface AnyOptions<T> extends Common<T> {
  readonly optional?: boolean;
  readonly default?: T | string | undefined;
}

interface Traits<T> {
  readonly kind: string;
  readonly secret?: boolean;
  readonly parse: (text: string) => T;
  readonly show?: (value: T) => string;
}

function make<T>(options: AnyOptions<T>, traits: Traits<T>): Setting<T> {
  const names = typeof options.env === "string" ? [options.env] : options.env;
  const [first, ...aliases] = names;
  if (first === undefined) throw new TypeError("a setting needs a name");
  const parse = (text: string): T => {
    const value = traits.parse(text);
    const wrong = options.check?.(value);
    if (wrong !== undefined) throw new SettingProblem(wrong);
    return value;
  };
  const show = traits.show ?? String;
  const fallback = options.default;
  return {
    kind: traits.kind,
    env: [first, ...aliases],
    doc: options.doc,
    optional: options.optional === true,
    secret: traits.secret === true,
    defaultText:
      fallback === undefined ? undefined : typeof fallback === "string" ? fallback : show(fallback),
    fallback: () => (typeof fallback === "string" ? parse(fallback) : fallback),
    parse,
  };
}

const truths: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  "1": true,
  yes: true,
  on: true, // prettier-ignore
  false: false,
  f: false,
  "0": false,
  no: false,
  off: false, // prettier-ignore
};

function parseFlag(text: string): boolean {
  const value = Object.hasOwn(truths, text.toLowerCase()) ? truths[text.toLowerCase()] : undefined;
  if (value === undefined) throw new SettingProblem("is not a yes or no", "use true or false");
  return value;
}

interface Range {
  readonly min?: number;
  readonly max?: number;
}

function inRange(value: number, range: Range, unit = ""): number {
  if (range.min !== undefined && value < range.min) throw new SettingProblem(`is below ${range.min}${unit}`);
  if (range.max !== undefined && value > range.max) throw new SettingProblem(`is above ${range.max}${unit}`);
  return value;
}

function parseWhole(text: string, range: Range): number {
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new SettingProblem("is not a whole number");
  return inRange(Number(text), range);
}

const unitSeconds: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
};

function parseSeconds(text: string, range: Range): number {
  if (/^\d{1,12}(?:\.\d{1,9})?$/.test(text)) return inRange(Number(text), range, " s");
  const part = /(\d{1,12}(?:\.\d{1,9})?)(ns|us|µs|ms|s|m|h|d)/gy;
  let total = 0;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    const unit = match === null ? undefined : unitSeconds[match[2] ?? ""];
    if (match === null || unit === undefined)
      throw new SettingProblem("is not a duration", "use for example 30s, 10h, 1h30m or 500ms");
    total += Number(match[1]) * unit;
  }
  return inRange(total, range, " s");
}

/** Reads `host:port`, `[ipv6]:port` or `:port` (every interface). *Throws* SettingProblem. */
function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]\s/@]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new SettingProblem("is not an address", "use host:port, for example 127.0.0.1:3000");
  const host = match[1] ?? match[2] ?? "";
  return { host: host === "" ? "::" : host, port };
}

/** Writes an address as `parseAddress` reads it. */
export function formatAddress(address: Address): string {
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

function parseUrl(text: string, protocols: readonly string[]): string {
  const url = URL.parse(text);
  if (url === null) throw new SettingProblem("is not a URL", `use for example ${protocols[0]}//host/path`);
  if (!protocols.includes(url.protocol))
    throw new SettingProblem(`has the scheme ${url.protocol} where ${protocols.join(" or ")} is meant`);
  if (url.username !== "" || url.password !== "")
    throw new SettingProblem("has a user name or password in it");
  return text;
}

const listItem: Setting<string> = make(
  { env: "item", doc: "" },
  { kind: "text", parse: (text: string) => text },
);

interface ListKind {
  <T>(
    options: Common<readonly T[]> & {
      readonly of: Setting<T>;
      readonly optional: true;
      readonly default?: undefined;
    },
  ): Setting<readonly T[] | undefined>;
  <T>(
    options: Common<readonly T[]> & {
      readonly of: Setting<T>;
      readonly optional?: false;
      readonly default?: readonly T[] | string;
    },
  ): Setting<readonly T[]>;
  (
    options: Common<readonly string[]> & {
      readonly of?: undefined;
      readonly optional: true;
      readonly default?: undefined;
    },
  ): Setting<readonly string[] | undefined>;
  (
    options: Common<readonly string[]> & {
      readonly of?: undefined;
      readonly optional?: false;
      readonly default?: readonly string[] | string;
    },
  ): Setting<readonly string[]>;
}

function list(
  options: AnyOptions<readonly unknown[]> & { readonly of?: Setting<unknown> | undefined },
): Setting<readonly unknown[]> {
  const item: Setting<unknown> = options.of ?? listItem;
  return make(options, {
    kind: `comma list of ${item.kind}`,
    secret: item.secret,
    show: (values) => values.map(String).join(","),
    // A comma between braces belongs to the item: a glob such as /{css,js}/**.
    parse: (text) => Object.freeze(text.split(/,(?![^{}]*\})/).map((part) => part.trim()).filter((part) => part !== "").map((part) => item.parse(part))), // prettier-ignore
  });
}

interface ChoiceKind {
  <const V extends string>(
    options: Common<V> & {
      readonly values: readonly V[];
      readonly optional: true;
      readonly default?: undefined;
    },
  ): Setting<V | undefined>;
  <const V extends string>(
    options: Common<V> & {
      readonly values: readonly V[];
      readonly optional?: false;
      readonly default?: NoInfer<V>;
    },
  ): Setting<V>;
}

function choice(options: AnyOptions<string> & { readonly values: readonly string[] }): Setting<string> {
  return make(options, {
    kind: options.values.map((value) => `\`${value}\``).join(" or "),
    parse: (text) => {
      if (!options.values.includes(text))
        throw new SettingProblem("is not among the values", `use ${options.values.join(", ")}`);
      return text;
    },
  });
}

interface JsonKind {
  <T>(
    options: Common<T> & {
      readonly parse: (value: unknown) => T;
      readonly optional: true;
      readonly default?: undefined;
    },
  ): Setting<T | undefined>;
  <T>(
    options: Common<T> & {
      readonly parse: (value: unknown) => T;
      readonly optional?: false;
      readonly default?: T | string;
    },
  ): Setting<T>;
  (
    options: Common<unknown> & {
      readonly parse?: undefined;
      readonly optional?: boolean;
      readonly default?: unknown;
    },
  ): Setting<unknown>;
}

function json(
  options: AnyOptions<unknown> & { readonly parse?: ((value: unknown) => unknown) | undefined },
): Setting<unknown> {
  return make(options, {
    kind: "JSON",
    show: (value) => JSON.stringify(value),
    parse: (text) => {
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        throw new SettingProblem("is not JSON"); // the parser's own message quotes the text
      }
      if (options.parse === undefined) return value;
      try {
        return options.parse(value);
      } catch (error) {
        throw new SettingProblem(error instanceof Error ? error.message : "is not of the right shape");
      }
    },
  });
}

/** The kinds of settings. Each takes one object: `env`, `doc`, then `default` or `optional: true`, and what is the kind's own. */
export const setting = {
  text: ((o: AnyOptions<string>) => make(o, { kind: "text", parse: (text) => text })) as Kind<string>,
  /** A value that nothing prints; `NAME_FILE` may name a file that holds it. `check` sees the revealed text's Secret. */
  secret: ((o: AnyOptions<Secret>) =>
    make(o, { kind: "secret", secret: true, parse: (text) => new Secret(text) })) as Kind<Secret>,
  flag: ((o: AnyOptions<boolean>) => make(o, { kind: "true or false", parse: parseFlag })) as Kind<boolean>,
  whole: ((o: AnyOptions<number> & Range) =>
    make(o, { kind: "whole number", parse: (text) => parseWhole(text, o) })) as Kind<number, Range>,
  /** A duration, as a number of seconds: "30", "30s", "10h", "1h30m", "500ms". */
  seconds: ((o: AnyOptions<number> & Range) =>
    make(o, {
      kind: "duration",
      parse: (text) => parseSeconds(text, o),
      show: (value) => `${value}s`,
    })) as Kind<number, Range>,
  address: ((o: AnyOptions<Address>) =>
    make(o, { kind: "host:port", parse: parseAddress, show: formatAddress })) as Kind<Address>,
  /** A checked URL, kept as it was written (issuers are compared letter by letter). `protocols` default to http: and https:. */
  url: ((o: AnyOptions<string> & { readonly protocols?: readonly string[] }) =>
    make(o, { kind: "URL", parse: (text) => parseUrl(text, o.protocols ?? ["https:", "http:"]) })) as Kind<
    string,
    { readonly protocols?: readonly string[] }
  >,
  list: list as ListKind,
  choice: choice as ChoiceKind,
  json: json as JsonKind,
} as const;
