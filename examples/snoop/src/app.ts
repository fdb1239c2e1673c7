import { showPage } from "@portvakt/example-look";
import { Hono } from "hono";
import { html } from "hono/html";
import { attempts, type Attempt, type Targets } from "./attempts.ts";

export interface SnoopOptions extends Targets {
  /** Seconds since the epoch. */
  readonly now: () => number;
}

/** The page of an application that nobody admits: it tries, and shows who refused and why. */
export function createApp(options: SnoopOptions): Hono {
  const app = new Hono();
  app.get("/internal/:probe", (c) => c.text("ok"));

  app.post("/attempts", async (c) => {
    const form = await c.req.parseBody();
    const { user_token: given } = form;
    const userToken = typeof given === "string" && given.trim() !== "" ? given.trim() : undefined;
    const made = await attempts(options, userToken);
    if (c.req.header("accept")?.includes("text/html") !== true) return c.json({ attempts: made });
    return await snoopPage(made);
  });
  app.get("/", async () => await snoopPage(await attempts(options, undefined)));
  return app;
}

function snoopPage(made: readonly Attempt[]): Promise<Response> {
  const all = made.every(({ outcome }) => outcome === "refused");
  return showPage({
    title: all ? "Everybody refused" : "Something let it in",
    organisation: "Marketing",
    application: "snoop",
    lead: "No access policy names this application. Its manifest may ask for whatever it likes: the other side decides.",
    body: html`<div>${made.map(attemptCard)}</div>
      <section>
        <h2>With a citizen's token</h2>
        <form method="post" action="/attempts">
          <p><label for="user_token">A token that it got hold of</label></p>
          <p>
            <textarea
              id="user_token"
              name="user_token"
              rows="4"
              autocomplete="off"
              spellcheck="false"
            ></textarea>
          </p>
          <button>Try again</button>
        </form>
      </section>`,
  });
}

function attemptCard({ what, outcome, by, reason }: Attempt): ReturnType<typeof html> {
  return html`<section>
    <h2>${what}</h2>
    <p>
      <span class="${outcome === "refused" ? "good" : "bad"}"
        >${outcome === "refused" ? `Refused by ${by}` : "It succeeded"}</span
      >
    </p>
    <p class="soft">${reason}</p>
  </section>`;
}
