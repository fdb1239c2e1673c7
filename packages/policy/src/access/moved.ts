import type { Application } from "../application.ts";

/** The same application with its manifest under another path. */
export function movedTo(application: Application, file: string): Application {
  const { source, inbound } = application;
  return {
    ...application,
    source: { ...source, file },
    inbound: inbound.map((rule) =>
      rule.source === undefined ? rule : { ...rule, source: { ...rule.source, file } },
    ),
  };
}
