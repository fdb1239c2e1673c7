// What an application gets from its token API while a provider fails in every way that providers fail in.
import { setTimeout as delay } from "node:timers/promises";
import { openTokensStage, startTraffic, tally, until } from "./rig/index.ts";
import type { Client, Notes, Scenario, TokensStage, Traffic } from "./rig/index.ts";

/** Keys are fetched once in so many seconds; the fetch at start is no part of a scenario. */
const keyPauseSeconds = 5;

const kinds = ["cached token", "new token", "seen token", "unseen token", "other provider"] as const;
type Kind = (typeof kinds)[number];

/** What callers ask for; `slowest` learns how long the slowest answer took, seconds. */
async function cast(stage: TokensStage, slowest: { seconds: number }): Promise<readonly Client[]> {
  const seen = await stage.employeeToken();
  await stage.introspect(seen);
  await stage.token({ provider: "entra_id", fresh: false });
  const ask = async (provider: "entra_id" | "maskinporten", fresh: boolean): Promise<string> => {
    const { status, seconds } = await stage.token({ provider, fresh });
    slowest.seconds = Math.max(slowest.seconds, seconds);
    return String(status);
  };
  const asks: Record<Kind, () => Promise<string>> = {
    "cached token": () => ask("entra_id", false),
    "new token": () => ask("entra_id", true),
    "seen token": () => stage.introspect(seen),
    "unseen token": async () => stage.introspect(await stage.employeeToken()),
    "other provider": () => ask("maskinporten", true),
  };
  return kinds.flatMap((kind) => [
    { kind, ask: asks[kind] },
    { kind, ask: asks[kind] },
  ]);
}

const good: Readonly<Record<Kind, string>> = {
  "cached token": "200",
  "new token": "200",
  "seen token": "active",
  "unseen token": "active",
  "other provider": "200",
};

/** Everybody but those whom `excused` names sees what is right, in every phase; in the last phase, everybody. */
function judge(traffic: Traffic, notes: Notes, excused: readonly Kind[]): void {
  for (const phase of traffic.phases())
    for (const kind of kinds) {
      const wrong = traffic.seen(phase, kind).filter((one) => one !== good[kind]);
      const allowed = excused.includes(kind) && phase !== "before" && phase !== "back";
      notes.must(allowed || wrong.length === 0, `${phase}: ${kind} saw ${tally(wrong)}`);
    }
  traffic.tell(notes);
}

interface Trouble {
  readonly begin: (stage: TokensStage) => unknown;
  readonly end: (stage: TokensStage) => unknown;
  /** Who may see something else than what is right while it lasts. */
  readonly excused: readonly Kind[];
  /** Whether the fetch of keys at start must be over. */
  readonly aboutKeys?: true;
}

/** Something breaks for a while under traffic, and is mended. */
async function trouble(
  notes: Notes,
  pace: number,
  { begin, end, excused, aboutKeys }: Trouble,
): Promise<void> {
  await using stage = await openTokensStage();
  if (aboutKeys === true) await delay(keyPauseSeconds * 1000);
  const slowest = { seconds: 0 };
  const traffic = startTraffic(await cast(stage, slowest), "before", 100);
  await delay(Math.min(1, pace) * 1000);
  traffic.phase("trouble");
  await begin(stage);
  await delay(pace * 1000);
  traffic.phase("mended");
  await end(stage);
  const took = await until(
    "new tokens are got again",
    async () => (await stage.token({ provider: "entra_id", fresh: true })).status === 200,
    60,
  );
  await delay(200);
  traffic.phase("back");
  await delay(Math.min(1, pace) * 1000);
  await traffic.stop();
  notes.saw("new tokens again", `after ${took.toFixed(1)} s`);
  notes.saw("slowest answer", `${slowest.seconds.toFixed(1)} s`);
  notes.figure("seconds_to_recover", took);
  notes.figure("slowest_seconds", slowest.seconds);
  judge(traffic, notes, excused);
}

type Effect = Parameters<TokensStage["standins"]["fail"]>[0];

/** A fault at Entra ID's token endpoint, for as long as it lasts. */
const fault = (
  what: Omit<Effect, "provider" | "endpoint">,
  endpoint: "token" | "jwks" = "token",
): Trouble => ({
  begin: ({ standins }) => standins.fail({ ...what, provider: "entra", endpoint, times: 1_000_000 }),
  end: ({ standins }) => standins.clearFaults(),
  excused: ["new token"],
});

const troubles: readonly (Trouble & { readonly name: string })[] = [
  { name: "the provider takes 1 s", ...fault({ effect: "slow", delay_ms: 1000 }), excused: [] },
  { name: "the provider hangs", ...fault({ effect: "hang" }) },
  { name: "the provider answers 500", ...fault({ effect: "error", status: 500, error: "server_error" }) },
  { name: "the provider answers 429", ...fault({ effect: "rate_limit", retry_after_seconds: 2 }) },
  { name: "the provider resets connections", ...fault({ effect: "drop" }) },
  {
    name: "the provider is gone",
    begin: ({ way }) => way.cut(),
    end: ({ way }) => way.mend(),
    excused: ["new token"],
  },
  {
    name: "the provider's keys are rotated, the old ones still published",
    begin: ({ standins }) => standins.rotateKeys("entra"),
    end: () => undefined,
    excused: [],
    aboutKeys: true,
  },
  { name: "the keys endpoint is down", ...fault({ effect: "down" }, "jwks"), excused: [] },
  {
    name: "our clock is 2 h ahead",
    begin: ({ server }) => server.moveClock(7200),
    end: ({ server }) => server.moveClock(0),
    excused: ["new token", "seen token", "unseen token", "other provider"],
  },
  {
    name: "our clock is 2 h behind",
    begin: ({ server }) => server.moveClock(-7200),
    end: ({ server }) => server.moveClock(0),
    excused: ["new token", "seen token", "unseen token", "other provider"],
  },
];

/** A token API that starts while the provider is down serves the other one at once, and this one as soon as it can. */
async function downAtStart(notes: Notes, pace: number): Promise<void> {
  await using stage = await openTokensStage();
  await stage.way.cut();
  const on = await stage.start();
  const during = await stage.token({ provider: "entra_id", fresh: false, on });
  notes.saw("down: a token", String(during.status));
  notes.saw("down: an employee's token", await stage.introspect(await stage.employeeToken(), on));
  const other = await stage.token({ provider: "maskinporten", fresh: false, on });
  notes.saw("down: the other provider", String(other.status));
  notes.must(during.status === 503, `a caller saw ${during.status} where 503 is right`);
  notes.must(other.status === 200, `the other provider's callers saw ${other.status}`);
  await delay((pace * 1000) / 2);
  await stage.way.mend();
  const token = async (): Promise<boolean> =>
    (await stage.token({ provider: "entra_id", fresh: false, on })).status === 200;
  const took = await until("tokens are got", token, 40);
  const active = async (): Promise<boolean> =>
    (await stage.introspect(await stage.employeeToken(), on)) === "active";
  const tookToJudge = await until("tokens are judged", active, 40);
  notes.saw(
    "back, without a restart",
    `tokens after ${took.toFixed(1)} s, judging ${tookToJudge.toFixed(1)} s later`,
  );
  notes.figure("seconds_to_recover", took + tookToJudge);
}

/** Nobody can make the API fetch keys by sending it tokens with names of keys that do not exist. */
async function flood(notes: Notes, pace: number): Promise<void> {
  await using stage = await openTokensStage();
  const slowest = { seconds: 0 };
  const clients = await cast(stage, slowest);
  let sent = 0;
  const forger: Client = {
    kind: "forged token",
    ask: async () => {
      const tokens = await Promise.all(Array.from({ length: 10 }, () => stage.forgedToken()));
      const seen = await Promise.all(tokens.map((token) => stage.introspect(token)));
      sent += seen.length;
      return seen.some((one) => one.startsWith("active")) ? "ACTIVE" : "inactive";
    },
  };
  await delay(keyPauseSeconds * 1000);
  const before = stage.keyFetches();
  const started = performance.now();
  const traffic = startTraffic([...clients, forger, forger, forger, forger], "flood", 20);
  await delay(Math.max(6, pace) * 1000);
  await traffic.stop();
  const seconds = (performance.now() - started) / 1000;
  const fetches = stage.keyFetches() - before;
  const bound = Math.ceil(seconds / keyPauseSeconds);
  notes.saw("forged tokens", `${sent} in ${seconds.toFixed(1)} s`);
  notes.saw("key fetches", `${fetches} (at most one in 5 s: ${bound})`);
  notes.saw("slowest answer to the others", `${(slowest.seconds * 1000).toFixed(0)} ms`);
  notes.figure("forged_tokens", sent);
  notes.figure("key_fetches", fetches);
  notes.must(fetches <= bound, `${fetches} key fetches in ${seconds.toFixed(1)} s`);
  const forged = traffic.seen("flood", "forged token").filter((one) => one !== "inactive");
  notes.must(forged.length === 0, `a forged token was taken for a good one`);
  judge(traffic, notes, []);
}

/** The scenarios; `pace` is how long, in seconds, a trouble lasts. */
export function chaosTokens(pace: number): readonly Scenario[] {
  return [
    ...troubles.map((one): Scenario => ({
      name: one.name,
      run: (notes) => trouble(notes, pace, one),
    })),
    { name: "the provider is down at start", run: (notes) => downAtStart(notes, pace) },
    { name: "a flood of tokens with unknown keys", run: (notes) => flood(notes, pace) },
  ];
}
