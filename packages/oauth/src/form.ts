import { ProtocolError } from "./errors.ts";

/** A parsed form or query. Parameters without a value count as absent (RFC 6749 section 3.1 and 3.2). */
export interface FormParams {
  /** The value of a parameter that may occur once. */
  one(name: string): string | undefined;
  /** All values of a parameter that was declared repeatable. */
  all(name: string): readonly string[];
  names(): readonly string[];
}

const maxParameters = 100;
const defaultMaxBytes = 65_536;

/**
 * Parses `application/x-www-form-urlencoded` content or a query string, once.
 *
 * Checks: size (default 64 KiB), at most 100 parameters, no parameter twice unless it is listed in `repeatable`
 * (RFC 6749 sections 3.1 and 3.2).
 * Does not check: which parameters there are, nor their values.
 * Throws: ProtocolError `invalid_request`.
 */
export function parseForm(
  body: string | URLSearchParams,
  options: { repeatable?: readonly string[]; maxBytes?: number } = {},
): FormParams {
  if (typeof body === "string" && body.length > (options.maxBytes ?? defaultMaxBytes)) {
    throw new ProtocolError("invalid_request", "the request is too large", { status: 413 });
  }
  const values = new Map<string, string[]>();
  let count = 0;
  for (const [name, value] of typeof body === "string" ? pairsOf(body) : body) {
    if (++count > maxParameters) throw tooMany();
    const known = values.get(name);
    if (known !== undefined && options.repeatable?.includes(name) !== true)
      throw new ProtocolError("invalid_request", `parameter ${printable(name)} is repeated`);
    const list = known ?? [];
    if (value !== "") list.push(value);
    if (known === undefined) values.set(name, list);
  }
  return Object.freeze({
    one: (name: string) => values.get(name)?.[0],
    all: (name: string) => values.get(name) ?? [],
    names: () => [...values].flatMap(([name, list]) => (list.length > 0 ? [name] : [])),
  });
}

/**
 * What `new URLSearchParams(text)` gives, in less time: most values are written plainly, as tokens are. Counted first, since each that
 * is not written so takes a while.
 */
function pairsOf(text: string): [string, string][] {
  const pairs = text
    .replace(/^\?/, "")
    .split("&")
    .filter((pair) => pair !== "");
  if (pairs.length > maxParameters) throw tooMany();
  return pairs.map((pair) => {
    const equals = pair.indexOf("=");
    return equals < 0
      ? [decoded(pair), ""]
      : [decoded(pair.slice(0, equals)), decoded(pair.slice(equals + 1))];
  });
}

function tooMany(): ProtocolError {
  return new ProtocolError("invalid_request", `more than ${maxParameters} parameters`);
}

function decoded(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text.toWellFormed();
  try {
    return decodeURIComponent(text.replaceAll("+", " ")).toWellFormed();
  } catch {
    // Not UTF-8, or a percent sign alone: there the standard says what stands for it.
    return [...new URLSearchParams(`x=${text}`).values()][0] ?? "";
  }
}

/** Text of a stranger, fit for an error or a log line: printable ASCII, at most 64 characters. */
export function printable(text: string): string {
  const clean = text.replaceAll(/[^\x20-\x7e]/g, "?").replaceAll(/["\\]/g, "'");
  return clean.length > 64 ? `${clean.slice(0, 61)}...` : clean;
}
