import type { Clock } from "@portvakt/oauth";
import type { ReadHealth } from "./health.ts";
import type { FindIssuer } from "./issuers.ts";
import type { ReadCurrent } from "./manifests.ts";
import type { Tokenx } from "./tokenx.ts";

/** Where the pages get what they show. */
export interface Sources {
  readonly current: ReadCurrent;
  /** Absent where the console was told of no TokenX. */
  readonly tokenx: Tokenx | undefined;
  readonly health: ReadHealth;
  readonly findIssuer: FindIssuer;
  readonly now: Clock;
}
