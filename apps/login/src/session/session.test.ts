import { test } from "node:test";
import assert from "node:assert/strict";
import { createKeyRing, seal } from "@portvakt/runtime/seal";
import { Secret } from "@portvakt/runtime/observe";
import { openKeyValueStore } from "@portvakt/runtime/store";
import { parseIngress } from "../request/ingress.ts";
import { newTicket, ownCookies, type Attempt } from "./cookies.ts";
import { cooldownOf, nextRefreshAt, type SignedIn, type Ticket, type Tokens } from "./model.ts";
import { sessionsIn } from "./store.ts";

const secret = (fill: number): Secret => new Secret(Buffer.alloc(32, fill).toString("base64"));
const ingress = parseIngress("https://app.test");
const now = (): number => 1000;

const cookiesWith = (...fills: number[]) =>
  ownCookies({ prefix: "app", ring: createKeyRing(fills.map(secret)), sameSite: "Lax", secure: true });
const valueOf = (line: string): string => line.slice(line.indexOf("=") + 1, line.indexOf(";"));

test("weak point 4.2.15: a new key in the ring signs nobody out, and a key that is gone opens nothing", () => {
  const ticket = newTicket();
  const sealed = valueOf(cookiesWith(1).writeSession(ingress, ticket));
  assert.deepEqual(cookiesWith(2, 1).readTicket(sealed), ticket);
  assert.equal(cookiesWith(2).readTicket(sealed), undefined);
});

test("weak point 4.2.21: __Host- where the ingress allows it, Secure and HttpOnly always", () => {
  const line = cookiesWith(1).writeSession(ingress, newTicket());
  assert.match(line, /^__Host-app\.session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  const local = cookiesWith(1).writeSession(parseIngress("http://localhost:7010"), newTicket());
  assert.match(local, /^app\.session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/);
});

test("one cookie cannot stand in for another: a sealed attempt is no session", () => {
  const cookies = cookiesWith(1);
  const attempt: Attempt = {
    state: "s".repeat(43),
    nonce: "n",
    verifier: "v",
    provider: "openid",
    redirectUri: "",
    target: "/",
    level: "high",
    prompt: "login",
    maxAgeSeconds: 0,
    startedAt: 1,
  };
  const [line = ""] = cookies.writeAttempt(ingress, attempt, new Map());
  assert.equal(cookies.readTicket(valueOf(line)), undefined);
  const session = valueOf(cookies.writeSession(ingress, newTicket()));
  const name = line.slice(0, line.indexOf("="));
  assert.equal(cookies.readAttempt(ingress, attempt.state, new Map([[name, session]])), undefined);
  assert.deepEqual(cookies.readAttempt(ingress, attempt.state, new Map([[name, valueOf(line)]])), attempt);
  assert.equal(
    cookies.readAttempt(ingress, `${"s".repeat(42)}t`, new Map([[name, valueOf(line)]])),
    undefined,
    "same cookie, other state",
  );
});

for (const forged of [
  "",
  "AAAA",
  "x".repeat(130),
  seal(createKeyRing([secret(9)]), "session-ticket", new Uint8Array(57)),
]) {
  test(`a forged session cookie (${forged.slice(0, 8)}…) opens nothing`, () =>
    assert.equal(cookiesWith(1).readTicket(forged), undefined));
}

const fields: SignedIn = {
  provider: "openid",
  issuer: "https://idp.test",
  subject: "kari-the-user",
  providerSession: "sid-of-kari",
  hasSid: true,
  level: undefined,
  methods: [],
  authenticatedAt: undefined,
  nonce: "n",
  tokens: {
    accessToken: "access-token-of-kari",
    idToken: "id-token",
    refreshToken: "refresh-token",
    expiresAt: 2000,
    refreshedAt: 1000,
  },
};

test("the store holds nothing that can be read without the cookie: no token, no name, in no key and no value", async () => {
  const seen: string[] = [];
  const store = await openKeyValueStore({ now });
  const spy = new Proxy(store, {
    get: (target, name: keyof typeof store) => {
      const method = target[name].bind(target) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        seen.push(
          ...args.map((arg) =>
            arg instanceof Uint8Array ? Buffer.from(arg).toString("latin1") : String(arg),
          ),
        );
        return method(...args);
      };
    },
  });
  const sessions = sessionsIn(spy, {
    lifetimes: { maxSeconds: 100, inactivitySeconds: 50 },
    now,
    onTouchFailed: () => assert.fail(),
  });
  const { ticket } = await sessions.create(fields);
  const all = seen.join("\n");
  assert.ok(seen.length > 4);
  for (const word of [
    "kari",
    "access-token",
    "refresh-token",
    "id-token",
    Buffer.from(ticket.key).toString("base64url"),
  ])
    assert.ok(!all.includes(word), word);
});

test("the session's key is asked for also when the session is remembered", async () => {
  const sessions = sessionsIn(await openKeyValueStore({ now }), {
    lifetimes: { maxSeconds: 100, inactivitySeconds: undefined },
    now,
    onTouchFailed: () => assert.fail(),
  });
  const { ticket } = await sessions.create(fields);
  assert.equal((await sessions.find(ticket))?.session.subject, "kari-the-user");
  assert.equal(await sessions.find({ id: ticket.id, key: new Uint8Array(32) }), undefined);
});

test("a session is unsealed once for as long as its ticket is held, however many others there are", async () => {
  const sessions = sessionsIn(await openKeyValueStore({ now }), {
    lifetimes: { maxSeconds: 100, inactivitySeconds: undefined },
    now,
    onTouchFailed: () => assert.fail(),
  });
  const tickets: Ticket[] = [];
  for (let index = 0; index <= 5000; index++) tickets.push((await sessions.create(fields)).ticket);
  const sweep = () => Promise.all(tickets.map(async (ticket) => (await sessions.find(ticket))?.session));
  const [first, second] = [await sweep(), await sweep()];
  assert.ok(first.every((session, index) => session !== undefined && session === second[index]));
});

const schedules: { name: string; lifetime: number; cooldown: number; next: number }[] = [
  { name: "an hour: 30 s before the end", lifetime: 3600, cooldown: 60, next: 3570 },
  { name: "five minutes", lifetime: 300, cooldown: 60, next: 270 },
  { name: "80 seconds: the cooldown of half its life", lifetime: 80, cooldown: 40, next: 50 },
  { name: "20 seconds: never before half its life", lifetime: 20, cooldown: 10, next: 10 },
];
for (const { name, lifetime, cooldown, next } of schedules) {
  test(`refresh of a token that lasts ${name}`, () => {
    const tokens: Tokens = { ...fields.tokens, refreshedAt: 0, expiresAt: lifetime };
    assert.deepEqual([cooldownOf(tokens), nextRefreshAt(tokens)], [cooldown, next]);
  });
}
