import type { Scenario } from "./rig/index.ts";
export function chaosTokens(_pace: number): readonly Scenario[] {
  return [];
}
