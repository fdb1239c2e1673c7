import { z } from "zod";
import { Hono } from "hono";
import { readBounded } from "@portvakt/issuer";
import { ProtocolError } from "@portvakt/oauth";
import { effects, faultSchema, providers } from "../faults/faults.ts";
import type { Standins } from "../standins.ts";

const maxBodyBytes = 4_194_304;

const testName = z.string().regex(/^[\w-]{1,64}$/);
const tokenOrder = z.strictObject({
  provider: z.enum(providers),
  persona: z.string().optional(),
  client_id: z.string().optional(),
  audience: z.union([z.string(), z.array(z.string())]).optional(),
  scope: z.string().optional(),
  tenant: z.string().optional(),
  token: z.enum(["access_token", "id_token"]).optional(),
  claims: z.record(z.string(), z.json()).optional(),
  expiresIn: z.number().optional(),
  test: testName.optional(),
});
const rotation = z.strictObject({
  provider: z.enum(providers),
  forget: z.boolean().default(false),
  test: testName.optional(),
});
const clock = z.strictObject({ offset_seconds: z.number().min(-1e9).max(1e9), test: testName.optional() });

/** What the control API can do; printed at its root. */
const verbs = {
  "GET /registrations": "the clients and applications of every provider",
  "PUT /registrations": "puts others in their place, at once",
  "PATCH /registrations": "adds clients, applications and scopes; those with the same id are replaced",
  "GET /tests/{test}":
    "the issuers of one test: give them to the program under test, and faults for that test reach it",
  "GET /personas": "the people who can sign in",
  "POST /tokens":
    "a token for a test: {provider, persona?, client_id?, audience?, scope?, claims?, expiresIn?, token?, test?}",
  "POST /faults": `orders a fault: {effect, provider?, endpoint?, client_id?, test?, grant_type?, token?, times?, …}; effects: ${Object.keys(effects).join(", ")}`,
  "GET /faults": "the faults that are still to strike",
  "DELETE /faults": "forgets them; ?test= for those of one test",
  "GET /requests":
    "the requests that came, secrets masked; ?provider= &endpoint= &client_id= &grant_type= &test=",
  "DELETE /requests": "forgets them",
  "POST /keys/rotate":
    "a new signing key now: {provider, forget?, test?}; forget takes the old one out of the JWKS",
  "PUT /clock": "moves the stand-ins' clock: {offset_seconds, test?}",
} as const;

/**
 * The control API, for tests and for the platform's dev command. It is no provider's: it has a listener of its own.
 * Whoever can reach it owns the stand-ins, which hold nothing; still, no web page may use it: a request with an Origin,
 * or under a name that is not one of ours (DNS rebinding), is refused.
 */
export function controlApp(
  standins: Standins,
  backHosts: readonly string[],
): (request: Request) => Promise<Response> {
  const hosts = new Set(["localhost", "127.0.0.1", "[::1]", ...backHosts]);
  const app = new Hono();
  app.use(async (context, next) => {
    const foreign = !hosts.has(new URL(context.req.url).hostname);
    if (
      foreign ||
      context.req.header("origin") !== undefined ||
      context.req.header("sec-fetch-site") === "cross-site"
    )
      return context.json({ error: "the control API is not for web pages" }, 403);
    return next();
  });
  app.get("/", (context) =>
    context.json({ name: "Portvakt stand-ins, control API", providers: standins.issuers, verbs }),
  );
  serveRegistrations(app, standins);
  app.get("/tests/:test", (context) => {
    const { test, issuers, urls } = standins.forTest(context.req.param("test"));
    return context.json({ test, issuers, urls });
  });
  app.get("/personas", (context) => context.json(standins.personas));
  app.post("/tokens", async (context) =>
    context.json({ token: await standins.issue(await json(context.req.raw, tokenOrder)) }),
  );
  app.post("/faults", async (context) =>
    context.json({ id: standins.fail(await json(context.req.raw, faultSchema)) }, 201),
  );
  app.get("/faults", (context) => context.json({ faults: standins.faults() }));
  app.delete("/faults", (context) => {
    standins.clearFaults(context.req.query("test"));
    return context.body(null, 204);
  });
  app.get("/requests", (context) => context.json({ requests: standins.requests(context.req.query()) }));
  app.delete("/requests", (context) => {
    standins.forgetRequests();
    return context.body(null, 204);
  });
  app.post("/keys/rotate", async (context) => {
    const { provider, forget, test } = await json(context.req.raw, rotation);
    const how = test === undefined ? { forget } : { forget, test };
    return context.json({ kid: await standins.rotateKeys(provider, how) });
  });
  app.put("/clock", async (context) => {
    const { offset_seconds, test } = await json(context.req.raw, clock);
    standins.moveClock(offset_seconds, test);
    return context.body(null, 204);
  });
  sayWhatIsWrong(app);
  return async (request) => app.fetch(request);
}

function serveRegistrations(app: Hono, standins: Standins): void {
  app.get("/registrations", (context) => context.json(standins.registrations()));
  app.put("/registrations", async (context) =>
    context.json(
      standins.register(await json(context.req.raw, z.record(z.string(), z.unknown())), "replace"),
    ),
  );
  app.patch("/registrations", async (context) =>
    context.json(standins.register(await json(context.req.raw, z.record(z.string(), z.unknown())), "merge")),
  );
}

function sayWhatIsWrong(app: Hono): void {
  app.notFound((context) => context.json({ error: "not found", verbs: Object.keys(verbs) }, 404));
  app.onError((error, context) => {
    if (error instanceof z.ZodError)
      return context.json(
        {
          error: "the body is wrong",
          problems: error.issues.map(({ path, message }) => ({ path: path.join("."), message })),
        },
        400,
      );
    if (error instanceof RangeError || error instanceof SyntaxError)
      return context.json({ error: error.message }, 400);
    if (error instanceof ProtocolError) return context.json({ error: error.description }, 400);
    throw error;
  });
}

async function json<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  if (request.headers.get("content-type")?.toLowerCase().startsWith("application/json") !== true)
    throw new RangeError("the body must be application/json");
  return schema.parse(JSON.parse(await readBounded(request, maxBodyBytes)));
}
