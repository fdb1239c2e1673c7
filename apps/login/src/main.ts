/**
 * Owns: starting the login proxy as a process; the only place that reads the environment and the real clock.
 * Does not own: anything else; see index.ts.
 */
import { runProcess } from "@portvakt/runtime/process";
import { check, environment, settings, start, unreadNames } from "./index.ts";

await runProcess({
  name: "portvakt-login",
  settings,
  start: (values, tools) => {
    for (const variable of unreadNames(Object.keys(process.env), settings))
      tools.log.warn({ variable }, "is set, and no setting reads it");
    return start(values, tools);
  },
  check,
  env: environment(process.env),
  argv: process.argv.slice(2),
  now: () => Date.now() / 1000,
});
