import { mayCall, type Landscape } from "@portvakt/policy";
import type { DevApplication, DevState } from "../running/state.ts";

/**
 * The shortest chain of applications from one that citizens sign in to, to `caller`, in which each may call the next on
 * behalf of a citizen. `undefined` where there is none. `now` is in seconds.
 */
export function chainTo(
  caller: DevApplication,
  running: DevState,
  landscape: Landscape,
  now: number,
): readonly DevApplication[] | undefined {
  const all = Object.values(running.applications).filter(
    ({ clients, tokens }) => clients["tokenx"] !== undefined && tokens !== undefined,
  );
  const seen = new Set([caller.id]);
  let chains: (readonly DevApplication[])[] = [[caller]];
  while (chains.length > 0) {
    const complete = chains.find(([first]) => first?.clients["idporten"] !== undefined);
    if (complete !== undefined) return complete;
    chains = chains.flatMap((chain) => {
      const target = chain[0]?.id ?? "";
      return all.flatMap((actor) => {
        if (seen.has(actor.id)) return [];
        const call = mayCall(landscape, { actor: actor.id, target, way: "citizen", now });
        if (call.outcome === "deny") return [];
        seen.add(actor.id);
        return [[actor, ...chain]];
      });
    });
  }
  return undefined;
}
