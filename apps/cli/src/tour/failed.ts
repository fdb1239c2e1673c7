/** A step of a journey did not go as it should: a sentence for the person who reads the tour's output. */
export class Failed extends Error {
  readonly hint: string | undefined;
  constructor(sentence: string, options: { hint?: string; cause?: unknown } = {}) {
    super(sentence, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "Failed";
    this.hint = options.hint;
  }
}

/** Fails with the sentence unless the condition holds. */
export function must(condition: boolean, sentence: string, hint?: string): asserts condition {
  if (!condition) throw new Failed(sentence, hint === undefined ? {} : { hint });
}
