import { HttpProblem } from "@portvakt/runtime/http";
import { correlationId, nameRequest, type Logger } from "@portvakt/runtime/observe";
import { Hono, type Context } from "hono";
import { html } from "hono/html";
import type { Sources } from "./data/sources.ts";
import type { Guard } from "./guard.ts";
import { access } from "./pages/access.ts";
import { applicationPage } from "./pages/application.ts";
import { decision } from "./pages/decision.ts";
import { decisions } from "./pages/decisions.ts";
import { codePage, explained, explainPage } from "./pages/explain.ts";
import { graphPage, graphPicture } from "./pages/graph.ts";
import { overview } from "./pages/overview.ts";
import { everyHeader, icon, showPage, type Page } from "./pages/page.ts";
import { notice } from "./pages/parts.ts";
import { tokenFormPage } from "./pages/token.ts";

export interface AppParts {
  readonly guard: Guard;
  readonly sources: Sources;
  readonly log: Logger;
}

/** The routes of the console, as one fetch handler. Everything is read with GET; the two forms that take tokens are posted. */
export function createApp({
  guard,
  sources,
  log,
}: AppParts): (request: Request) => Response | Promise<Response> {
  const app = new Hono();
  app.use(async (context, next) => {
    const refusal = await guard(context.req.raw);
    if (refusal === undefined) return next();
    const answer = await showPage({
      title: "Not for you",
      status: refusal.status,
      body: notice(refusal.why, "no"),
    });
    for (const [name, value] of Object.entries(refusal.headers ?? {})) answer.headers.set(name, value);
    return answer;
  });
  const show = (path: string, page: (context: Context) => Page | Promise<Page>): unknown =>
    app.get(path, async (context) => {
      nameRequest("GET", path);
      return showPage(await page(context));
    });
  const named = (context: Context, name: string): string => (context.req.param(name) ?? "").slice(0, 300);

  show("/", ({ req }) => overview(req.raw, sources));
  show("/applications/:id", (context) => applicationPage(named(context, "id"), sources));
  show("/graph", ({ req }) => graphPage(req.raw, sources));
  app.get("/graph.svg", ({ req }) => graphPicture(req.raw, sources));
  show("/decisions", ({ req }) => decisions(req.raw, sources));
  show("/decisions/:id", (context) => decision(named(context, "id"), sources));
  show("/access", ({ req }) => access(req.raw, sources));
  show("/explain", explainPage);
  show("/explain/:code", (context) => codePage(named(context, "code")));
  show("/token", tokenFormPage);
  for (const path of ["/explain", "/token"])
    app.post(path, async ({ req }) => showPage(await explained(req.raw, sources)));
  app.get(
    "/icon.svg",
    () => new Response(icon, { headers: { ...everyHeader, "content-type": "image/svg+xml" } }),
  );
  app.notFound(() => showPage({ title: "Not found", status: 404, body: notice("There is no such page.") }));
  app.onError((thrown, { req }) => trouble(thrown, req.raw, log));
  return (request) => app.fetch(request);
}

/** What a handler threw: a problem that it meant, or 500 with nothing of it but the id that the log has it under. */
function trouble(thrown: unknown, request: Request, log: Logger): Promise<Response> {
  if (thrown instanceof HttpProblem) {
    const { status, details, message } = thrown;
    return showPage({ title: details.title, status, body: notice(message, "no") });
  }
  const id = correlationId(request.headers);
  log.error({ err: thrown, correlation_id: id, method: request.method }, "request failed");
  const body = notice(html`The page could not be made. The log has it under <code>${id}</code>.`, "no");
  return showPage({ title: "Something went wrong", status: 500, body });
}
