// Decisions of the access policy beside the 2 µs that one may take, and how long a policy takes to load, at three sizes.
import { createPolicy, decide, parseManifests } from "@portvakt/policy";
import type { Decision, Policy, Question } from "@portvakt/policy";
import { compare, median } from "./rig/report.ts";
import type { Figure, Measured, Report } from "./rig/report.ts";

const sizes = [10, 1_000, 10_000] as const;
const rulesEach = 20;
const perRound = 500_000;
const rounds = 5;
const perDecision = 2e-6;
const limit = { name: "2 µs a decision", value: 1 / perDecision };

const nameOf = (index: number): string => `app-${index}`;
const teamOf = (index: number): string => `team-${index % 100}`;
const idOf = (index: number): string => `bench:${teamOf(index)}:${nameOf(index)}`;
/** The caller that the rule `rule` of the application `index` admits. */
const callerOf = (index: number, rule: number, size: number): number => (index * 7 + rule * 13 + 1) % size;

/** A manifest as a team would write it. */
function manifestOf(index: number, size: number): { file: string; text: string } {
  const rules = Array.from({ length: rulesEach }, (_, rule) => {
    const caller = callerOf(index, rule, size);
    return `        - application: ${nameOf(caller)}\n          namespace: ${teamOf(caller)}\n`;
  });
  const head = `apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata:\n  name: ${nameOf(index)}\n  namespace: ${teamOf(index)}\n`;
  const body = "spec:\n  tokenx:\n    enabled: true\n  accessPolicy:\n    inbound:\n      rules:\n";
  return { file: `${index}.yaml`, text: `${head}${body}${rules.join("")}` };
}

/** Questions all over the policy. A denied one is from a caller that no rule of its target names. */
function createQuestions(size: number, admitted: boolean): Question[] {
  return Array.from({ length: 8192 }, (_, k) => {
    const index = (k * 37) % size;
    const actor = admitted ? idOf(callerOf(index, k % rulesEach, size)) : `bench:elsewhere:app-${k}`;
    return { actor, target: idOf(index), grant: "bench", now: k };
  });
}

/** What is done with a decision: nothing, or everything that an answer or a log may want of it. */
const forgotten = (): void => undefined;
const readWhole = ({ reason, explanation, fix }: Decision): unknown => [reason, explanation, fix];

function rounded(
  name: string,
  policy: Policy,
  questions: readonly Question[],
  use: (decision: Decision) => unknown = forgotten,
): Measured {
  const run = (): number => {
    const before = process.cpuUsage();
    for (let done = 0; done < perRound;) {
      for (const question of questions) use(decide(policy, question));
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

interface Sized {
  readonly allowed: Measured;
  readonly denied: Measured;
  readonly explained: Measured;
  readonly figures: readonly Figure[];
}

/** One size: manifests as text -> applications -> policy -> decisions. */
function measure(size: number): Sized {
  const sources = Array.from({ length: size }, (_, index) => manifestOf(index, size));
  const start = performance.now();
  const { applications, problems } = parseManifests(sources, { cluster: "bench" });
  const parsed = performance.now();
  const policy = createPolicy(applications);
  const loaded = performance.now();
  if (applications.length !== size || problems.length > 0) throw new Error("the manifests are not right");
  const milliseconds = (value: number): number => Math.round(value * 10) / 10;
  return {
    allowed: rounded(`allow, of ${size}`, policy, createQuestions(size, true)),
    denied: rounded(`deny, of ${size}`, policy, createQuestions(size, false)),
    explained: rounded(
      `deny, sentence and patch read, of ${size}`,
      policy,
      createQuestions(size, false),
      readWhole,
    ),
    figures: [
      { name: `reading ${size} manifests`, ours: milliseconds(parsed - start), unit: "ms" },
      { name: `a policy of ${size} applications`, ours: milliseconds(loaded - parsed), unit: "ms" },
    ],
  };
}

/** Decisions per CPU second over 10, 1,000 and 10,000 applications with 20 rules each. */
export function benchPolicy(): Promise<Report> {
  const measured = sizes.map((size) => ({ size, ...measure(size) }));
  const result = (name: string, { perCpuSecond }: Measured) =>
    compare(name, perCpuSecond, limit, 1, "decisions per CPU second");
  const results = measured.flatMap(({ size, allowed, denied }) => [
    result(`policy of ${size}`, allowed),
    result(`policy of ${size}: denied`, denied),
  ]);
  // the largest is the headline
  const [first, ...others] = results.toReversed();
  if (first === undefined) throw new Error("nothing was measured");
  return Promise.resolve({
    title: `Decisions over 10, 1,000 and 10,000 applications with ${rulesEach} rules each`,
    measured: measured.flatMap(({ allowed, denied, explained }) => [allowed, denied, explained]),
    figures: measured.flatMap(({ figures }) => figures),
    notes: ["One at a time in one process: p50 and p99 are the mean."],
    results: [first, ...others],
  });
}
