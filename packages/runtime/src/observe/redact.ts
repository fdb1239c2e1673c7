// What never reaches a log: secrets by the name of their field, tokens by their look.

const redacted = "[redacted]";

/** Field names, lower case and without `-` and `_`, whose values are secret wherever they stand. */
const secretNames: ReadonlySet<string> = new Set([
  "authorization", "proxyauthorization", "cookie", "cookies", "setcookie", "dpop",
  "token", "accesstoken", "refreshtoken", "idtoken", "subjecttoken", "actortoken", "usertoken", "idtokenhint", "logouttoken",
  "clientassertion", "assertion", "clientsecret", "secret", "password", "passwd", "softwarestatement",
  "codeverifier", "verifier", "sessionkey", "encryptionkey", "privatejwk", "privatekey", "jwk", "ticket",
]); // prettier-ignore

/** Endings that make any field name secret: `next_access_token`, `portvaktTokenSecret`. */
const secretEndings = ["token", "secret", "password", "assertion"];

/** Texts that a field named `code` may hold: an error's code. An authorization code looks like none of them. */
const errorCode =
  /^(?:[a-z]{2,20}(?:_[a-z]{2,20}){0,5}|E[A-Z]{3,20}|[A-Z]{2,20}(?:_[A-Z]{2,20}){1,5}|AADSTS\d{1,8}|MP-\d{1,4})$/;

/** A JWT (RFC 7519) or JWE (RFC 7516): base64url of a JSON object's beginning, with or without space in it, then parts that may be empty. */
const jwt = /(?:eyJ|eyA|ewo|ew0)[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){1,4}/g;

/**
 * A word of a sentence, where a credential could stand: "token expired", "Bearer token", "subject_token: more". A credential has
 * digits, both cases or other characters in it, or is longer than words are.
 */
const word = String.raw`(?:[A-Za-z][a-z]{0,14}(?:[-_'][a-z]{1,14}){0,4}|[A-Z]{2,14}(?:_[A-Z]{2,14}){0,4})(?![\w~+/=-]|\.\w)`;
const scheme = new RegExp(String.raw`\b((?i:bearer|dpop|basic|token))(\s+)(?!${word})[\w.~+/=-]{6,}`, "g");

const tokens =
  "(?:access|refresh|id|subject|actor|user|logout)_token|id_token_hint|client_assertion|assertion|dpop";
const secrets = "client_secret|code_verifier|password|(?:proxy-)?authorization";
/** As a query or a form has it. */
const parameter = new RegExp(
  String.raw`([?&;\s"'{,]|^)(code|state|token|request_uri|${tokens}|${secrets})=[^&\s"'#]{4,}`,
  "gi",
);
/** As JSON has it. */
const member = new RegExp(
  String.raw`(["'](?:code|token|${tokens}|${secrets})["']\s*:\s*)(?:"[^"]*"?|'[^']*'?)`,
  "gi",
);
/** As a header has it, or a sentence: there a word after a token's name is a word. */
const header = new RegExp(
  String.raw`\b((?i:${tokens})\s*:\s*(?!${word})|(?i:${secrets})\s*:\s*)(?:(?i:bearer|dpop|basic|token)\s+)?[^\s,;"'}]{4,}`,
  "g",
);
const cookies = /\b((?:set-)?cookie["']?\s*:\s*["']?)[^\s=;"']{1,100}=[^\r\n"']+/gi;
const userInfo = /([a-z][a-z0-9+.-]{1,20}:\/\/)[^/@\s"']{1,500}@/gi;

/** Every pattern above needs one of these; most texts that are logged are plain names and numbers without any. */
const suspicious =
  /[.=]|["']\s*:|:\/\/|(?:bearer|dpop|basic|token|secret|verifier|password|authorization|hint|assertion|cookie)[\s:]/i;

/** Takes tokens, credentials and secret parameters out of a text. */
export function scrub(text: string): string {
  if (!suspicious.test(text)) return text;
  return text
    .replace(jwt, "[jwt]")
    .replace(cookies, `$1${redacted}`)
    .replace(header, `$1${redacted}`)
    .replace(scheme, `$1$2${redacted}`)
    .replace(parameter, `$1$2=${redacted}`)
    .replace(member, `$1"${redacted}"`)
    .replace(userInfo, `$1${redacted}@`);
}

/** The last line of defence, over a finished log line: whatever way a JWT came in, it does not go out. */
export function scrubLine(line: string): string {
  return line.replace(jwt, "[jwt]");
}

/** What was found out about names: fields are named by our sources, so there are few; headers and forms may bring any. */
const judged = new Map<string, boolean>();
const maxJudged = 1000;
const maxJudgedLength = 64;

function isSecretName(name: string): boolean {
  const known = judged.get(name);
  if (known !== undefined) return known;
  const plain = name.toLowerCase().replaceAll(/[-_]/g, "");
  const secret = secretNames.has(plain) || secretEndings.some((ending) => plain.endsWith(ending));
  if (judged.size < maxJudged && name.length <= maxJudgedLength) judged.set(name, secret);
  return secret;
}

const maxDepth = 6;
const maxMembers = 60;
const maxText = 4000;

function cleanText(text: string): string {
  return scrub(text.length > maxText ? `${text.slice(0, maxText)}…` : text);
}

function cleanError(error: Error, depth: number): Record<string, unknown> {
  const code =
    "code" in error && (typeof error.code === "string" || typeof error.code === "number")
      ? { code: error.code }
      : {};
  return {
    type: error.name,
    message: cleanText(error.message),
    ...code,
    stack: cleanText(error.stack ?? ""),
    ...(error.cause === undefined ? {} : { cause: clean(error.cause, depth + 1) }),
  };
}

function cleanMember(name: string, value: unknown, depth: number): unknown {
  if (name === "code")
    return typeof value === "number" || (typeof value === "string" && errorCode.test(value))
      ? value
      : redacted;
  if (isSecretName(name) && value !== undefined && value !== null && typeof value !== "boolean")
    return redacted;
  return clean(value, depth);
}

/** A copy of a value that is safe and small enough to log. */
export function clean(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null)
    return typeof value === "function" || typeof value === "symbol" ? undefined : value;
  if (value instanceof Error) return depth >= maxDepth ? cleanText(value.message) : cleanError(value, depth);
  if (depth >= maxDepth) return "[deep]";
  if (Array.isArray(value)) return value.slice(0, maxMembers).map((item) => clean(item, depth + 1));
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map || value instanceof Headers || value instanceof URLSearchParams)
    return clean(Object.fromEntries(value), depth);
  if (value instanceof Set) return clean([...value], depth);
  if (value instanceof URL) return cleanText(value.href);
  if ("toJSON" in value && typeof value.toJSON === "function")
    return clean((value.toJSON as () => unknown)(), depth + 1);
  const copy: Record<string, unknown> = { ...value };
  let members = 0;
  for (const name in copy) {
    const member = copy[name];
    const cleaned = ++members > maxMembers ? undefined : cleanMember(name, member, depth + 1);
    // Most of what is logged is clean already.
    if (cleaned !== member) copy[name] = cleaned;
  }
  return copy;
}
