// What users of the login proxy see while its store, its provider, its application, a replica or a clock fails.
import { setTimeout as delay } from "node:timers/promises";
import { hold, navigation, openLoginStage, startTraffic, tally, until } from "./rig/index.ts";
import type { Answer, Client, LoginStage, Notes, Scenario, Traffic } from "./rig/index.ts";

const users = 6;

/** How long clients are watched before and after something breaks, milliseconds. */
const beat = (pace: number): number => Math.min(1, pace) * 1000;

const personas = ["kari", "dagny"] as const;

interface User {
  readonly cookie: string;
  readonly subject: string;
}

const subjectIn = (answer: Answer): string => (JSON.parse(answer.body) as { sub: string }).sub;

async function signedIn(stage: LoginStage, index: number): Promise<User> {
  const cookie = await stage.signIn(personas[index % 2] ?? "kari", index % stage.replicas.length);
  const answer = await stage.ask(0, { path: "/", headers: { cookie } });
  return { cookie, subject: subjectIn(answer) };
}

/** What a client saw: the status, and with 200 whether the application took it for the right user. */
function seenBy(answer: Answer, subject: string | undefined): string {
  if (answer.status !== 200) return String(answer.status);
  return subjectIn(answer) === subject ? "200" : "200 as somebody else";
}

interface Cast {
  readonly users: readonly User[];
  readonly clients: readonly Client[];
}

/** A request through a replica; with `failover` an ingress sends it to the next when there is no answer. */
async function askAs(stage: LoginStage, replica: number, cookie: string, failover: boolean): Promise<Answer> {
  const request = { path: "/page", headers: { ...navigation, cookie } };
  const answer = await stage.ask(replica, request);
  if (answer.status !== 0 || !failover) return answer;
  return stage.ask((replica + 1) % stage.replicas.length, request);
}

/** Users who are signed in, and others who must never get in: without a cookie, with a forged one, with one that was signed out. */
async function cast(stage: LoginStage, failover = false): Promise<Cast> {
  const signed: User[] = [];
  for (let index = 0; index < users; index++) signed.push(await signedIn(stage, index));
  const { cookie: spent } = await signedIn(stage, 0);
  const left = await stage.ask(0, {
    path: "/oauth2/logout",
    headers: { ...navigation, cookie: spent },
  });
  if (left.status >= 400) throw new Error(`signing out ended with ${left.status}`);
  const forged = (signed[0]?.cookie ?? "").replace(/.{8}$/u, "AAAAAAAA");
  const outsider = (kind: string, cookie: string, index: number): Client => ({
    kind,
    ask: async () => String((await askAs(stage, index % stage.replicas.length, cookie, failover)).status),
  });
  return {
    users: signed,
    clients: [
      ...signed.map(({ cookie, subject }, index): Client => ({
        kind: "signed in",
        ask: async () => seenBy(await askAs(stage, index % stage.replicas.length, cookie, failover), subject),
      })),
      outsider("no cookie", "", 0),
      outsider("forged cookie", forged, 1),
      outsider("signed out", spent, 2),
    ],
  };
}

const outsiders = ["no cookie", "forged cookie", "signed out"] as const;

/** Nobody in who should not be, in any phase; users see only what `allowed` says of the phase. */
function judge(traffic: Traffic, notes: Notes, allowed: Readonly<Record<string, readonly string[]>>): void {
  for (const phase of traffic.phases()) {
    const seen = traffic.seen(phase, "signed in");
    const statuses = phase.split(" -> ").flatMap((one) => allowed[one] ?? []);
    const wrong = seen.filter((one) => !statuses.includes(one));
    notes.must(wrong.length === 0, `${phase}: users saw ${tally(wrong)}`);
    for (const kind of outsiders) {
      const inside = traffic.seen(phase, kind).filter((one) => one.startsWith("200"));
      notes.must(inside.length === 0, `${phase}: somebody with ${kind} got in ${inside.length} times`);
    }
  }
  for (const phase of Object.keys(allowed))
    notes.must(traffic.seen(phase, "signed in").length > 0, `${phase}: nothing was asked`);
  traffic.tell(notes);
}

/** Breaks something for a while: before, while it is away, and when it is back. */
async function outage(
  stage: LoginStage,
  notes: Notes,
  o: { pace: number; kill: () => Promise<void>; restart: () => Promise<void>; away: readonly string[] },
): Promise<void> {
  const { clients, users: signed } = await cast(stage);
  const traffic = startTraffic(clients, "before");
  await delay(beat(o.pace));
  traffic.phase("away");
  await o.kill();
  await delay(o.pace * 1000);
  traffic.phase("coming back");
  await o.restart();
  const first = signed[0]?.cookie ?? "";
  const took = await until("users are served again", async () => {
    const each = stage.replicas.map((_, replica) => askAs(stage, replica, first, false));
    return (await Promise.all(each)).every(({ status }) => status === 200);
  });
  await delay(200);
  traffic.phase("back");
  await delay(beat(o.pace));
  await traffic.stop();
  notes.saw("served again by all replicas", `after ${took.toFixed(1)} s`);
  notes.figure("seconds_to_recover", took);
  judge(traffic, notes, {
    before: ["200"],
    away: ["200", ...o.away],
    "coming back": ["200", ...o.away],
    back: ["200"],
  });
}

async function providerAway(stage: LoginStage, notes: Notes, pace: number): Promise<void> {
  const away = async (moment: string): Promise<void> => {
    const { status } = await stage.ask(0, { path: "/oauth2/login", headers: navigation });
    notes.saw(`${moment}: somebody who wants to sign in`, String(status));
    notes.must(status >= 500, `${moment}: a sign-in began with ${status}`);
  };
  const { ways } = stage;
  const kill = async (): Promise<void> => {
    await ways.provider.cut();
    await away("away");
  };
  await outage(stage, notes, { pace, kill, restart: () => ways.provider.mend(), away: [] });
  await tokensRunOut(stage, notes);
}

/** The provider is away for longer than the tokens last: nobody is signed out, nobody is served with an expired token. */
async function tokensRunOut(stage: LoginStage, notes: Notes): Promise<void> {
  const { cookie, subject } = await signedIn(stage, 1);
  const ask = async (): Promise<string> => seenBy(await askAs(stage, 1, cookie, false), subject);
  await stage.ways.provider.cut();
  await stage.moveClocks(280);
  const due = await ask();
  await stage.moveClocks(301);
  const expired = await ask();
  await stage.ways.provider.mend();
  let last = "";
  const took = await until("the session is served again", async () => (last = await ask()) === "200", 15);
  await stage.moveClocks(0);
  notes.saw("away, a refresh is due", due);
  notes.saw("away, the token has expired", expired);
  notes.saw("back, the same session", `${last} after ${took.toFixed(1)} s`);
  notes.must(due === "200", "a token that is still valid was not used");
  notes.must(expired === "503", "an expired token, or a sign-out, where 503 is right");
}

async function replicaKilled(stage: LoginStage, notes: Notes, pace: number): Promise<void> {
  const { clients, users: signed } = await cast(stage, true);
  const victim = stage.replicas.length - 1;
  const cookie = signed[0]?.cookie ?? "";
  const headers = { host: "localhost:1", origin: "http://localhost:1", cookie };
  const open = (replica: number) =>
    Promise.all([
      hold(stage.portOf(replica), "/socket", headers, true),
      hold(stage.portOf(replica), "/events", headers),
    ]);
  const held = await open(victim);
  const traffic = startTraffic(clients, "before");
  await delay(beat(pace));
  traffic.phase("killed");
  await stage.replicas[victim]?.kill();
  const noticed = await until("clients notice", () => held.every(({ closed }) => closed), 5);
  const again = await open(0);
  await delay(beat(pace));
  await traffic.stop();
  notes.saw(
    "socket and event stream",
    `open (${held.map(({ status }) => status).join(", ")}), ended after ${noticed.toFixed(2)} s`,
  );
  notes.saw("opened again elsewhere", again.map(({ status }) => status).join(", "));
  notes.must(
    again[0].status === 101 && again[1].status === 200,
    "the session did not open connections elsewhere",
  );
  for (const one of again) one.end();
  judge(traffic, notes, { before: ["200"], killed: ["200"] });
}

async function clocks(notes: Notes): Promise<void> {
  await using stage = await openLoginStage();
  const { users: signed, clients } = await cast(stage);
  const all = async (moment: string, allowed: readonly string[]): Promise<void> => {
    for (const kind of ["signed in", ...outsiders]) {
      const seen = await Promise.all(clients.filter((one) => one.kind === kind).map(({ ask }) => ask()));
      notes.saw(`${moment}: ${kind}`, tally(seen));
      const right = (one: string): boolean =>
        kind === "signed in" ? allowed.includes(one) : !one.startsWith("200");
      notes.must(seen.every(right), `${moment}: ${kind} saw ${tally(seen)}`);
    }
  };
  await all("before", ["200"]);
  await stage.replicas[0]?.moveClock(7200);
  // The provider refuses what that replica signs: its users get 503 there, and stay signed in.
  await all("one replica 2 h ahead", ["200", "503"]);
  const late = await stage.signIn("kari", 0).then(
    () => "signed in",
    (error: Error) => error.message,
  );
  notes.saw("one replica 2 h ahead: signing in there", late);
  await stage.moveClocks(0);
  await all("right again", ["200"]);
  await stage.moveClocks(7210); // past the pause that the wrong clock began
  await all("everything 2 h ahead", ["200"]);
  notes.saw("refreshes for them", tally(stage.refreshes()));
  await stage.moveClocks(36_001);
  await all("everything 10 h ahead: sessions are over", ["302"]);
  notes.must(signed.length === users, "users are missing");
}

/** The scenarios; `pace` is how long, in seconds, something stays away. */
export function chaosLogin(pace: number): readonly Scenario[] {
  const on =
    (run: (stage: LoginStage, notes: Notes) => Promise<void>) =>
    async (notes: Notes): Promise<void> => {
      await using stage = await openLoginStage();
      await run(stage, notes);
    };
  return [
    {
      name: "the store is killed, and comes back",
      run: on((stage, notes) => {
        const { redis } = stage;
        return outage(stage, notes, { pace, kill: redis.kill, restart: redis.start, away: ["503"] });
      }),
    },
    {
      name: "the provider is killed, and comes back",
      run: on((stage, notes) => providerAway(stage, notes, pace)),
    },
    {
      name: "the application is killed, and comes back",
      run: on((stage, notes) => {
        const { application } = stage.ways;
        return outage(stage, notes, {
          pace,
          kill: application.cut,
          restart: application.mend,
          away: ["502"],
        });
      }),
    },
    {
      name: "a replica is killed, with sessions and sockets open",
      run: on((stage, notes) => replicaKilled(stage, notes, pace)),
    },
    { name: "clocks 2 h forward", run: clocks },
  ];
}
