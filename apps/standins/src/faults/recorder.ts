import { createHash } from "node:crypto";
import type { FormParams } from "@portvakt/oauth";
import type { Arrival } from "./faults.ts";

/** One request that a stand-in got. Secrets are replaced by a short fingerprint, so that two can be told apart. */
export interface RecordedRequest extends Arrival {
  readonly id: number;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string | readonly string[]>>;
  readonly status: number;
  readonly milliseconds: number;
}

export interface RecordFilter {
  readonly provider?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly test?: string | undefined;
  readonly client_id?: string | undefined;
  readonly grant_type?: string | undefined;
}

export interface Recorder {
  add(request: Omit<RecordedRequest, "id">): void;
  find(filter?: RecordFilter): RecordedRequest[];
  clear(): void;
}

const maxRecorded = 2000;

/** Parameters whose values let somebody in. */
const secretParameters: ReadonlySet<string> = new Set([
  "access_token",
  "assertion",
  "client_assertion",
  "client_secret",
  "code",
  "code_verifier",
  "id_token_hint",
  "password",
  "refresh_token",
  "request",
  "request_uri",
  "pending",
  "subject_token",
  "token",
]);

/** Makes an empty record; the newest 2000 requests are kept. */
export function createRecorder(): Recorder {
  const requests: RecordedRequest[] = [];
  let last = 0;
  return {
    add(request) {
      last += 1;
      requests.push({ id: last, ...request });
      if (requests.length > maxRecorded) requests.shift();
    },
    find: (filter = {}) =>
      requests.filter(
        (one) =>
          fits(filter.provider, one.provider) &&
          fits(filter.endpoint, one.endpoint) &&
          fits(filter.test, one.test) &&
          fits(filter.client_id, one.clientId) &&
          fits(filter.grant_type, one.grantType),
      ),
    clear: () => void requests.splice(0),
  };
}

/** The parameters of a request, fit to be kept: secrets as `[masked 1a2b3c4d]`. */
export function maskedParameters(params: FormParams): Record<string, string | readonly string[]> {
  return Object.fromEntries(
    params.names().map((name) => {
      const values = params
        .all(name)
        .map((value) => (isSecret(name, value) ? mask(value) : value.slice(0, 2000)));
      return [name, values.length === 1 ? (values[0] ?? "") : values];
    }),
  );
}

/** By name, or because it looks like a JWT whatever it is called. */
function isSecret(name: string, value: string): boolean {
  return secretParameters.has(name) || /^eyJ[\w-]+\.eyJ/.test(value);
}

function mask(value: string): string {
  return `[masked ${createHash("sha256").update(value).digest("hex").slice(0, 8)}]`;
}

function fits(wanted: string | undefined, actual: string | undefined): boolean {
  return wanted === undefined || wanted === actual;
}
