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
