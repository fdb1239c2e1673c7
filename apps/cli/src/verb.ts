import type { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { usageError, type ExitCode } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** One option of a verb, as node:util parseArgs wants it, and what its help says. */
export interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  /** How the value is named in the help, such as `<file>`. */
  readonly value?: string;
  readonly summary: string;
}

/** What a verb gets from main.ts: it reads neither the environment nor the clock by itself. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly terminal: Terminal;
  /** What comes on stdin, for the verbs that take `-`. */
  readonly input: () => Readable;
  /** Seconds since the epoch. */
  readonly now: () => number;
}

export interface Arguments {
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  /** What stands without a `--name`, such as the two applications of `can`. */
  readonly words: readonly string[];
  /** What stood after `--`. */
  readonly rest: readonly string[];
}

/** One verb of the command. The table of them is in verbs.ts. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly example: string;
  readonly options: Readonly<Record<string, Option>>;
  /** How many words stand without a `--name`; left out: none. */
  readonly words?: { readonly least: number; readonly most: number; readonly wanted: string };
  /** What the words are, for completion. */
  readonly completes?: "applications" | readonly string[];
  /** What the help says beside the options; whole lines. */
  readonly notes?: readonly string[];
  /** May something stand after `--`? */
  readonly takesCommand?: boolean;
  /** A server verb hands its arguments to the server as they are. */
  readonly raw?: boolean;
  run(args: Arguments, around: Surroundings, argv: readonly string[]): Promise<ExitCode | undefined>;
}

/**
 * Parses the arguments of a verb.
 *
 * *Checks*: only the verb's own options, each with or without a value as declared; as many words as the verb wants; what
 * follows `--` only where the verb takes a command.
 * *Does not check*: the values themselves.
 * *Throws*: CommandError with exit code 2.
 */
export function parseVerbArguments(verb: Verb, argv: readonly string[]): Arguments {
  const split = argv.indexOf("--");
  const rest = split === -1 ? [] : argv.slice(split + 1);
  const own = split === -1 ? argv : argv.slice(0, split);
  if (rest.length > 0 && verb.takesCommand !== true) {
    throw usageError(`${verb.name} takes no command after --`, verb.name);
  }
  const { values, positionals } = parsed(verb, own);
  const { least = 0, most = 0, wanted = "" } = verb.words ?? {};
  if (positionals.length < least) throw usageError(`${verb.name} wants ${wanted}`, verb.name);
  const extra = positionals[most];
  if (extra !== undefined) throw usageError(`there is no place for "${extra}" here`, verb.name);
  return { values, rest, words: positionals };
}

type Values = Arguments["values"];

function parsed(verb: Verb, args: readonly string[]): { values: Values; positionals: readonly string[] } {
  try {
    const options = { ...verb.options, help: { type: "boolean", short: "h" } } as const;
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw usageError(sentenceOf(error), verb.name);
  }
}

// parseArgs explains itself in several sentences, the first of which is the one that matters
function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const first = message.split(/\. |\n/)[0] ?? message;
  return first.replace(/\.$/, "").replace(/^U/, "u").replace(/^O/, "o");
}

/** A string option's value, or undefined. */
export function text(args: Arguments, name: string): string | undefined {
  const value = args.values[name];
  return typeof value === "string" ? value : undefined;
}

/** Every value of a string option that may be given more than once. */
export function texts(args: Arguments, name: string): readonly string[] {
  const value = args.values[name];
  return Array.isArray(value) ? value : [];
}

/** Is a boolean option set? */
export function flag(args: Arguments, name: string): boolean {
  return args.values[name] === true;
}
