// Decisions of the access policy beside the 2 µs that one may take.
import { createPolicy, decide } from "@portvakt/policy";
import type { Policy, Question } from "@portvakt/policy";
import { compare, median } from "./rig/report.ts";
import type { Measured, Report } from "./rig/report.ts";

const applications = 10_000;
const rulesEach = 20;
const perRound = 500_000;
const rounds = 5;
const perDecision = 2e-6;

const idOf = (index: number): string => `bench:team-${index % 100}:app-${index}`;
/** The caller that the rule `rule` of the application `index` admits. */
const callerOf = (index: number, rule: number): number => (index * 7 + rule * 13 + 1) % applications;

function createBenchPolicy(): Policy {
  return createPolicy(
    Array.from({ length: applications }, (_, index) => ({
      id: idOf(index),
      source: { file: `${index}.yaml`, line: 1 },
      inbound: Array.from({ length: rulesEach }, (_, rule) => {
        const caller = callerOf(index, rule);
        return {
          ...{ application: `app-${caller}`, namespace: `team-${caller % 100}`, cluster: "bench" },
          ...{ roles: [], scopes: ["read"], source: { file: `${index}.yaml`, line: rule + 10 } },
        };
      }),
    })),
  );
}

/** Questions all over the policy. A denied one is from a caller that no rule names, and gets a patch with its answer. */
function createQuestions(admitted: boolean): Question[] {
  return Array.from({ length: 8192 }, (_, k) => {
    const index = (k * 37) % applications;
    const actor = admitted ? idOf(callerOf(index, k % rulesEach)) : `bench:elsewhere:app-${k}`;
    return { actor, target: idOf(index), grant: "bench", now: k };
  });
}

function rounded(name: string, policy: Policy, questions: readonly Question[]): Measured {
  const run = (): number => {
    const before = process.cpuUsage();
    for (let done = 0; done < perRound;) {
      for (const question of questions) decide(policy, question);
      done += questions.length;
    }
    const { user, system } = process.cpuUsage(before);
    return (Math.ceil(perRound / questions.length) * questions.length * 1e6) / (user + system);
  };
  run();
  const perCpuSecond = median(Array.from({ length: rounds }, run));
  const milliseconds = 1000 / perCpuSecond;
  return { name, perCpuSecond, perSecond: perCpuSecond, p50: milliseconds, p99: milliseconds };
}

/** Decisions per CPU second over 10,000 applications with 20 rules each. */
export function benchPolicy(): Promise<Report> {
  const policy = createBenchPolicy();
  const allowed = rounded("allow", policy, createQuestions(true));
  const denied = rounded("deny, with the patch", policy, createQuestions(false));
  const limit = { name: "2 µs a decision", value: 1 / perDecision };
  const result = (name: string, { perCpuSecond }: Measured) =>
    compare(name, perCpuSecond, limit, 1, "decisions per CPU second");
  return Promise.resolve({
    title: `Decisions over ${applications} applications with ${rulesEach} rules each`,
    measured: [allowed, denied],
    notes: ["One at a time in one process: p50 and p99 are the mean."],
    results: [result("policy", allowed), result("policy: denied", denied)],
  });
}
