interface FailedOptions {
  readonly hint?: string;
  /** The answer was "not right now" (502 to 504): the same step may go well in a moment, when a server is back. */
  readonly passing?: boolean;
  readonly cause?: unknown;
}

/** A step of a journey did not go as it should: a sentence for the person who reads the tour's output. */
export class Failed extends Error {
  readonly hint: string | undefined;
  readonly passing: boolean;
  constructor(sentence: string, options: FailedOptions = {}) {
    super(sentence, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "Failed";
    this.hint = options.hint;
    this.passing = options.passing ?? false;
  }
}

/** Fails with the sentence unless the condition holds. */
export function must(condition: boolean, sentence: string, hint?: string): asserts condition {
  if (!condition) throw new Failed(sentence, hint === undefined ? {} : { hint });
}

/** Statuses that say "not right now" (RFC 9110 section 15.6): a server behind the one that answered is away. */
export function isPassing(status: number): boolean {
  return status >= 502 && status <= 504;
}

/** Fails with the sentence unless the status is 200. */
export function mustBeOk(status: number, sentence: string): void {
  if (status !== 200) throw new Failed(sentence, { passing: isPassing(status) });
}
