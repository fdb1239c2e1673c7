import type { Scenario } from "./rig/index.ts";
export function chaosTokenx(_pace: number): readonly Scenario[] {
  return [];
}
