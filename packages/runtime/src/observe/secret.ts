// A value that cannot be printed by accident, and the short name that a token goes by in logs.
import { createHash } from "node:crypto";
import { inspect } from "node:util";

const masked = "[secret]";

/** Holds a secret text. Everything that turns values into text gives "[secret]"; only `reveal` gives the value. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  /** The value itself. Call it where the value is used, and nowhere before. */
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return masked;
  }
  toJSON(): string {
    return masked;
  }
  [inspect.custom](): string {
    return masked;
  }
}

/** Eight hex digits of the token's SHA-256: enough to follow one token through logs, useless to whoever reads them. */
export function fingerprint(token: string): string {
  return createHash("sha256").update(token).digest("hex").slice(0, 8);
}
