// 200 requests at once whose token has just expired, over three replicas of the login proxy on one Redis: how often the
// provider is asked, and what users and the application see of it.
import { openLoginStage, runAll, tally, until } from "@portvakt/chaos/rig";
import type { Answer, LoginStage, LoginStageOptions, Notes, Outcome, Scenario } from "@portvakt/chaos/rig";

const requests = 200;
const lifetime = 300;

interface Case {
  readonly name: string;
  readonly stage?: LoginStageOptions;
  /** What goes wrong, before the requests are sent. */
  readonly before?: (stage: LoginStage) => void;
  /** What goes wrong once the first request's refresh is under way at the provider. */
  readonly during?: (stage: LoginStage) => Promise<void>;
  /** How many refreshes the provider may be asked for in all; it must answer one with tokens. Default 1. */
  readonly asked?: number;
}

const refreshFault = { provider: "idporten", endpoint: "token", grant_type: "refresh_token" } as const;

const cases: readonly Case[] = [
  { name: "everything works" },
  { name: "the store answers 200 ms late", before: ({ ways }) => void (ways.store.delayMs = 200) },
  {
    name: "the provider takes 5 s",
    before: ({ standins }) => void standins.fail({ ...refreshFault, effect: "slow", delay_ms: 5000 }),
  },
  {
    name: "the provider answers 500 once",
    before: ({ standins }) =>
      void standins.fail({ ...refreshFault, effect: "error", status: 500, error: "server_error" }),
    asked: 2,
  },
  {
    name: "the lock's holder is killed before the provider answers",
    before: ({ standins }) => void standins.fail({ ...refreshFault, effect: "hang" }),
    during: async ({ replicas }) => replicas[0]?.kill(),
    asked: 2,
  },
  {
    name: "the lock's holder is killed, the answer is lost; the provider takes refresh tokens again",
    stage: { refreshTokens: "REUSE" },
    before: ({ standins }) => void standins.fail({ ...refreshFault, effect: "slow", delay_ms: 1500 }),
    during: async ({ replicas }) => replicas[0]?.kill(),
    asked: 2,
  },
];

/** Sends a request; one whose replica dies goes to the next, as an ingress in front of the replicas sends it. */
async function askAny(stage: LoginStage, index: number, cookie: string): Promise<Answer> {
  const request = { path: `/data/${index}`, headers: { cookie } };
  const first = await stage.ask(index % stage.replicas.length, request);
  return first.status === 0 ? stage.ask((index + 1) % stage.replicas.length, request) : first;
}

async function measure(one: Case, notes: Notes): Promise<void> {
  await using stage = await openLoginStage({ tokenLifetime: lifetime, ...one.stage });
  const cookie = await stage.signIn("kari");
  const old = stage.arrived.at(-1)?.token;
  await stage.moveClocks(lifetime + 1);
  stage.arrived.length = 0;
  one.before?.(stage);
  const started = performance.now();
  const answers = [askAny(stage, 0, cookie)];
  if (one.during !== undefined) {
    await until("the refresh reaches the provider", () => stage.standins.faults().length === 0);
    answers.push(...Array.from({ length: requests - 1 }, (_, index) => askAny(stage, index + 1, cookie)));
    await one.during(stage);
  } else
    answers.push(...Array.from({ length: requests - 1 }, (_, index) => askAny(stage, index + 1, cookie)));
  const all = await Promise.all(answers);
  await judge(one, stage, { all, old, cookie, seconds: (performance.now() - started) / 1000 }, notes);
}

async function judge(
  { asked = 1 }: Case,
  stage: LoginStage,
  seen: { all: readonly Answer[]; old: string | undefined; cookie: string; seconds: number },
  notes: Notes,
): Promise<void> {
  const refreshes = stage.refreshes();
  const renewed = refreshes.filter((status) => status === 200).length;
  const tokens = stage.arrived.filter(({ path }) => path.startsWith("/data/")).map(({ token }) => token);
  const without = tokens.filter((token) => token === undefined || token === seen.old).length;
  const live = [1, 2].map((replica) =>
    stage.ask(replica, { path: "/oauth2/session", headers: { cookie: seen.cookie } }),
  );
  const logouts = (await Promise.all(live)).filter(({ status }) => status !== 200).length;
  const refused = seen.all.filter(({ status }) => status === 401 || status === 302).length;
  notes.saw("refreshes at the provider", `${renewed} (answers: ${tally(refreshes)})`);
  notes.saw("requests without a token", String(without));
  notes.saw("logouts", String(logouts + refused));
  notes.saw(
    `what ${requests} requests saw`,
    `${tally(seen.all.map(({ status }) => status))}, in ${seen.seconds.toFixed(1)} s`,
  );
  const figures = { refreshes: renewed, without_token: without, logouts: logouts + refused };
  for (const [name, value] of Object.entries(figures)) notes.figure(name, value);
  notes.figure("answered", seen.all.filter(({ status }) => status === 200).length);
  notes.figure("seconds", seen.seconds);
  notes.must(refreshes.length <= asked, `the provider was asked ${refreshes.length} times`);
  notes.must(new Set(tokens).size === 1, `the application saw ${new Set(tokens).size} different tokens`);
  notes.must(
    without === 0,
    `${without} requests reached the application without a token, or with the old one`,
  );
  notes.must(logouts + refused === 0, `${logouts + refused} logouts`);
  notes.must(
    seen.all.every(({ status }) => status === 200),
    "not every request was answered",
  );
}

/** Runs every case on a stage of its own. */
export function benchRefresh(say: (line: string) => void): Promise<readonly Outcome[]> {
  return runAll(
    cases.map((one): Scenario => ({ name: one.name, run: (notes) => measure(one, notes) })),
    say,
  );
}
