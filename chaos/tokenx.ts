// What clients of TokenX and verifiers of its tokens see while its database, a replica or its keys come and go.
import { setTimeout as delay } from "node:timers/promises";
import { localKeySet, remoteKeySet, verifyJwt } from "@portvakt/oauth";
import type { JWK, KeySet } from "@portvakt/oauth";
import { caller, openTokenxStage, startTraffic, tally, target, until } from "./rig/index.ts";
import type { Client, Notes, Scenario, TokenxStage } from "./rig/index.ts";

type StageOptions = Parameters<typeof openTokenxStage>[0];

/** How long clients are watched before and after something breaks, milliseconds. */
const beat = (pace: number): number => Math.min(1, pace) * 1000;

const issuer = "http://localhost:1";
const tokenIn = (body: string): string => (JSON.parse(body) as { access_token: string }).access_token;

async function registered(options?: StageOptions): Promise<TokenxStage> {
  const stage = await openTokenxStage(options);
  for (const [id, inbound] of [
    [caller, []],
    [target, [caller]],
  ] as const) {
    const { status, body } = await stage.register(0, id, inbound);
    if (status !== 201) throw new Error(`${id} was not registered: ${status} ${body}`);
  }
  for (const [replica] of stage.replicas.entries())
    await until(
      "the replica knows the caller",
      async () => (await stage.exchange(replica, caller)).status === 200,
    );
  return stage;
}

/** Clients of every replica; with `failover` one that got no answer asks the next replica, with a new assertion. */
function exchangers(stage: TokenxStage, failover = false): readonly Client[] {
  const count = stage.replicas.length;
  return Array.from({ length: count * 2 }, (_, index) => ({
    kind: "exchange",
    ask: async () => {
      const first = await stage.exchange(index % count, caller);
      if (first.status !== 0 || !failover) return String(first.status);
      return String((await stage.exchange((index + 1) % count, caller)).status);
    },
  }));
}

async function databaseKilled(notes: Notes, pace: number): Promise<void> {
  const graceSeconds = 300;
  await using stage = await registered({ env: { PORTVAKT_TOKENX_OUTAGE_GRACE: `${graceSeconds}s` } });
  let made = 0;
  const registrar: Client = {
    kind: "registration",
    ask: async () =>
      String((await stage.register(++made % stage.replicas.length, `local:chaos:new-${made}`)).status),
  };
  const traffic = startTraffic([...exchangers(stage), registrar], "before", 50);
  await delay(beat(pace));
  traffic.phase("away");
  await stage.database.kill();
  await delay(pace * 1000);
  const again = await stage.assertion(caller);
  const twice = [await stage.exchange(0, caller, again), await stage.exchange(0, caller, again)];
  traffic.phase("coming back");
  await stage.database.start();
  const took = await until(
    "registration works on every replica",
    async () => {
      const all = stage.replicas.map((_, replica) => stage.register(replica, `local:chaos:back-${replica}`));
      return (await Promise.all(all)).every(({ status }) => status === 201);
    },
    60,
  );
  traffic.phase("back");
  await delay(beat(pace));
  await traffic.stop();
  traffic.tell(notes);
  notes.saw("away: the same assertion twice", twice.map(({ status }) => status).join(", "));
  notes.saw("registration works again", `after ${took.toFixed(1)} s`);
  notes.figure("seconds_to_recover", took);
  const lost = traffic
    .phases()
    .flatMap((phase) => traffic.seen(phase, "exchange"))
    .filter((one) => one !== "200");
  notes.figure("lost_exchanges", lost.length);
  notes.must(lost.length === 0, `known clients saw ${tally(lost)}`);
  notes.must(
    twice[0]?.status === 200 && twice[1]?.status === 401,
    "a replay was accepted while the database was away",
  );
  const registrations = traffic.seen("away", "registration");
  notes.must(
    registrations.every((one) => one === "503"),
    `registration said ${tally(registrations)}, where 503 is right`,
  );
  await graceRunsOut(stage, notes, graceSeconds);
}

/** The bound: after the grace time nobody can tell a new assertion from an old one, and nothing is accepted. */
async function graceRunsOut(stage: TokenxStage, notes: Notes, graceSeconds: number): Promise<void> {
  await stage.database.kill();
  const within = await stage.exchange(0, caller);
  await stage.moveClocks(graceSeconds + 2);
  const after = await stage.exchange(0, caller);
  await stage.database.start();
  await stage.moveClocks(graceSeconds + 5);
  const took = await until("exchanges work", async () => (await stage.exchange(0, caller)).status === 200);
  notes.saw(`away for less than ${graceSeconds} s, for longer`, `${within.status}, ${after.status}`);
  notes.saw("exchanges work again", `after ${took.toFixed(1)} s`);
  notes.must(within.status === 200 && after.status === 503, "the bound does not hold");
}

async function replicaKilled(notes: Notes, pace: number): Promise<void> {
  await using stage = await registered();
  const traffic = startTraffic(exchangers(stage, true), "before", 20);
  await delay(beat(pace));
  traffic.phase("killed");
  await stage.replicas[2]?.kill();
  await delay(2 * beat(pace));
  await traffic.stop();
  traffic.tell(notes);
  const lost = traffic
    .phases()
    .flatMap((phase) => traffic.seen(phase, "exchange"))
    .filter((one) => one !== "200");
  notes.figure("lost_exchanges", lost.length);
  notes.must(lost.length === 0, `clients saw ${tally(lost)}`);
}

const keysOf = async (stage: TokenxStage, replica: number): Promise<JWK[]> =>
  (JSON.parse((await stage.read(replica, "/jwks")).body) as { keys: JWK[] }).keys;

async function startingTogether(notes: Notes): Promise<void> {
  await using stage = await openTokenxStage();
  const all = await Promise.all(stage.replicas.map((_, replica) => keysOf(stage, replica)));
  const names = all.map((keys) =>
    keys
      .map(({ kid }) => kid ?? "")
      .toSorted((a, b) => a.localeCompare(b))
      .join(" "),
  );
  notes.saw("keys published by each", all.map((keys) => keys.length).join(", "));
  notes.must(new Set(names).size === 1, "the replicas publish different keys");
  const issued = await Promise.all(
    [0, 1, 2].map((replica) => stage.register(replica, `local:chaos:at-${replica}`)),
  );
  notes.saw("a registration by each", issued.map(({ status }) => status).join(", "));
  notes.must(
    issued.every(({ status }) => status === 201),
    "a replica did not register",
  );
}

/** A verifier that takes a key set and keeps it as long as it may, whatever tokens come. */
function stubbornKeys(stage: TokenxStage, maxAgeSeconds: number): () => Promise<KeySet> {
  let held: { keys: JWK[]; at: number } | undefined;
  return async () => {
    if (held === undefined || stage.now() - held.at > maxAgeSeconds)
      held = { keys: await keysOf(stage, 0), at: stage.now() };
    return localKeySet(held.keys);
  };
}

/** Keys are rotated every 60 s of the stage's clock, of which a second passes in every 50 ms. */
async function rotation(notes: Notes, pace: number): Promise<void> {
  const env = {
    PORTVAKT_TOKENX_KEY_PERIOD: "60s",
    PORTVAKT_TOKENX_KEY_AHEAD: "50s",
    PORTVAKT_TOKENX_POLL_INTERVAL: "200ms",
  };
  await using stage = await registered({ env });
  const uri = new URL("/jwks", stage.replicas[1]?.addresses["tokenx"]).href;
  const careful = remoteKeySet({ uri, now: stage.now });
  const stubborn = stubbornKeys(stage, 50);
  const kids = new Set<string>();
  const unverifiable: string[] = [];
  const judge = async (token: string): Promise<void> => {
    for (const [name, keys] of [
      ["caching", careful],
      ["stubborn", await stubborn()],
    ] as const) {
      const rules = { issuer, audience: target, keys, algorithms: ["ES256"] } as const;
      const result = await verifyJwt(token, rules, stage.now);
      if (result.ok) kids.add(String(result.token.header["kid"]));
      else unverifiable.push(`${name}: ${result.refusal.code}`);
    }
  };
  const clients = Array.from({ length: 6 }, (_, index): Client => ({
    kind: "exchange",
    ask: async () => {
      const { status, body } = await stage.exchange(index % 3, caller);
      if (status === 200) await judge(tokenIn(body));
      return String(status);
    },
  }));
  const traffic = startTraffic(clients, "rotating", 20);
  const steps = Math.max(6, pace * 4);
  for (let step = 1; step <= steps; step++) {
    await delay(500);
    await stage.moveClocks(step * 10);
  }
  await traffic.stop();
  const seen = traffic.seen("rotating", "exchange");
  const lost = seen.filter((one) => one !== "200");
  notes.saw("exchanges", tally(seen));
  notes.saw("keys that signed", String(kids.size));
  notes.saw("lost requests, unverifiable tokens", `${lost.length}, ${unverifiable.length}`);
  notes.figure("exchanges", seen.length);
  notes.figure("lost", lost.length);
  notes.figure("unverifiable", unverifiable.length);
  notes.must(kids.size > 1, "no key was rotated");
  notes.must(lost.length === 0, `clients saw ${tally(lost)}`);
  notes.must(unverifiable.length === 0, `verifiers: ${tally(unverifiable)}`);
}

async function deletion(notes: Notes): Promise<void> {
  await using stage = await registered();
  const { status } = await stage.remove(1, caller);
  notes.must(status < 300, `deleting was answered with ${status}`);
  const times = await Promise.all(
    stage.replicas.map((_, replica) =>
      until("the client is refused", async () => (await stage.exchange(replica, caller)).status === 401),
    ),
  );
  const slowest = Math.max(...times);
  notes.saw(
    "refused on every replica",
    `after ${times.map((took) => `${(took * 1000).toFixed(0)} ms`).join(", ")} (bound: 1 s)`,
  );
  notes.figure("slowest_seconds", slowest);
}

async function twoAtOnce(notes: Notes): Promise<void> {
  await using stage = await registered();
  const rounds = 30;
  const seen: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const assertion = await stage.assertion(caller);
    const answers = await Promise.all([0, 1].map((replica) => stage.exchange(replica, caller, assertion)));
    seen.push(
      answers
        .map(({ status }) => status)
        .toSorted((a, b) => a - b)
        .join(" and "),
    );
  }
  notes.saw(`${rounds} assertions, each to two replicas at once`, tally(seen));
  const wrong = seen.filter((one) => one !== "200 and 401");
  notes.figure("accepted_once", rounds - wrong.length);
  notes.must(wrong.length === 0, `not exactly one accepted: ${tally(wrong)}`);
}

/** The scenarios; `pace` is how long, in seconds, something stays away. */
export function chaosTokenx(pace: number): readonly Scenario[] {
  return [
    { name: "three replicas start at once on an empty database", run: startingTogether },
    { name: "the database is killed, and comes back", run: (notes) => databaseKilled(notes, pace) },
    { name: "a replica is killed", run: (notes) => replicaKilled(notes, pace) },
    { name: "keys are rotated under load", run: (notes) => rotation(notes, pace) },
    { name: "a client is deleted", run: deletion },
    { name: "the same assertion to two replicas at once", run: twoAtOnce },
  ];
}
