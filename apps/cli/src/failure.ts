/** The exit codes of every verb. */
export const exitCodes = { yes: 0, no: 1, usage: 2, trouble: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A sentence and the `hint:` lines below it. */
export interface Trouble {
  readonly sentence: string;
  readonly hints: readonly string[];
}

interface CommandErrorOptions {
  readonly hints?: readonly string[];
  /** What else is wrong, where one run finds several things. */
  readonly others?: readonly Trouble[];
  readonly exitCode?: ExitCode;
  readonly cause?: unknown;
}

/** What a person gets to read when a verb cannot go on: one sentence, then `hint:` lines. */
export class CommandError extends Error {
  readonly hints: readonly string[];
  readonly others: readonly Trouble[];
  readonly exitCode: ExitCode;

  constructor(sentence: string, options: CommandErrorOptions = {}) {
    super(sentence, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "CommandError";
    this.hints = options.hints ?? [];
    this.others = options.others ?? [];
    this.exitCode = options.exitCode ?? exitCodes.trouble;
  }
}

/** The command was written wrongly: exit code 2 and the way to its help. */
export function usageError(sentence: string, verb?: string): CommandError {
  const help = verb === undefined ? "portvakt --help" : `portvakt ${verb} --help`;
  return new CommandError(sentence, { hints: [`see \`${help}\``], exitCode: exitCodes.usage });
}

/** What the system's errors mean, by the codes that files, folders and disks bring about (errno(3)). */
const systemReasons: Readonly<Record<string, string>> = {
  EACCES: "this user may not",
  EDQUOT: "the disk quota is used up",
  EISDIR: "it is a folder",
  ELOOP: "its links lead in a circle",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "its name is too long",
  ENOENT: "it is not there",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of its path is no folder",
  EPERM: "this user may not",
  EROFS: "the file system is read-only",
};

/** Why the system would not, in words; undefined for what is no such error. */
export function systemReason(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return Object.hasOwn(systemReasons, code) ? systemReasons[code] : undefined;
}
