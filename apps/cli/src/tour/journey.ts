import type { DevState } from "../running/state.ts";
import type { Browser } from "./browser/browser.ts";
import type { Ask } from "./http.ts";

/** What a journey works with: the platform's addresses, a fresh browser, and plain requests as a service makes them. */
export interface Trip {
  readonly state: DevState;
  readonly browser: () => Browser;
  readonly ask: Ask;
  /** Seconds since the epoch. */
  readonly now: () => number;
}

/** One of the seven journeys. `travel` gives sentences on what was seen; it throws `Failed` when something is not right. */
export interface Journey {
  readonly id: string;
  readonly name: string;
  travel(trip: Trip): Promise<readonly string[]>;
}

export interface JourneyResult {
  readonly id: string;
  readonly name: string;
  readonly ok: boolean;
  /** Whole milliseconds. */
  readonly ms: number;
  readonly seen: readonly string[];
  readonly failure?: { readonly sentence: string; readonly hint: string | undefined };
}
