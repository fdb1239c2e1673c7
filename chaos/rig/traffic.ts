// Clients that go on asking while things go wrong, and what each of them saw in which phase.
import { setTimeout as delay } from "node:timers/promises";
import { tally } from "./findings.ts";
import type { Notes } from "./findings.ts";

export interface Client {
  /** What it is; clients of one kind are counted together. */
  readonly kind: string;
  /** Asks once; gives what it saw, in a word or two. */
  readonly ask: () => Promise<string>;
}

export interface Traffic {
  /** From now on what is asked belongs to this phase. */
  phase(name: string): void;
  /** The phases so far, and those between two (`one -> other`) in which something was answered. */
  phases(): readonly string[];
  /** What was seen so far. */
  seen(phase: string, kind: string): readonly string[];
  stop(): Promise<void>;
  /** Writes one line per phase and kind. */
  tell(notes: Notes): void;
}

/** Starts the clients, each of which asks again `pauseMs` after it has its answer. */
export function startTraffic(clients: readonly Client[], first: string, pauseMs = 50): Traffic {
  const phases = new Map<string, Map<string, string[]>>();
  let current = first;
  const stopping = new AbortController();
  const listOf = (phase: string, kind: string): string[] =>
    phases.getOrInsertComputed(phase, () => new Map()).getOrInsertComputed(kind, () => []);
  const work = clients.map(async ({ kind, ask }) => {
    while (!stopping.signal.aborted) {
      const phase = current;
      const saw = await ask();
      // What was asked in one phase and answered in the next may be as either allows.
      listOf(phase === current ? phase : `${phase} -> ${current}`, kind).push(saw);
      await delay(pauseMs);
    }
  });
  return {
    phase: (name) => (current = name),
    phases: () => [...phases.keys()],
    seen: (phase, kind) => phases.get(phase)?.get(kind) ?? [],
    async stop() {
      stopping.abort();
      await Promise.all(work);
    },
    tell(notes) {
      for (const [phase, kinds] of phases)
        for (const [kind, seen] of kinds) notes.saw(`${phase}: ${kind}`, tally(seen));
    },
  };
}
