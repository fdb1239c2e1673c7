import type { IncomingMessage } from "node:http";
import type { Ingress } from "../request/ingress.ts";
import type { RequestPath } from "../request/path.ts";

/** One request that is for the application. */
export interface Passage {
  readonly request: IncomingMessage;
  readonly target: RequestPath;
  /** The ingress that it came in by; undefined when its host is none that was declared. */
  readonly ingress: Ingress | undefined;
  readonly correlationId: string;
  readonly upgrade: boolean;
}
