import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A decision as a server's log tells it. */
export interface LoggedDecision {
  readonly id: string;
  readonly actor: string;
  readonly target: string;
  readonly grant: string | undefined;
  readonly explanation: string | undefined;
  /** The server that decided, and when, as its log has it. */
  readonly server: string | undefined;
  readonly time: string | undefined;
}

/** Looks for a decision in the logs of a folder, the newest first. `undefined` where none has it. */
export async function findDecision(id: string, folder: string): Promise<LoggedDecision | undefined> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((file) => file.endsWith(".log"))) {
    const lines = createInterface({ input: createReadStream(join(folder, name)), crlfDelay: Infinity });
    for await (const line of lines) {
      const found = line.includes(id) ? decisionIn(line, id) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The decision with this id in one line of a JSON log. TokenX writes the whole decision, others its id. */
function decisionIn(line: string, id: string): LoggedDecision | undefined {
  const entry = record(parsed(line));
  const decision = record(entry?.["decision"]);
  if (entry === undefined || (decision?.["id"] ?? entry["decision_id"]) !== id) return undefined;
  const member = (name: string): string | undefined => {
    const value = decision?.[name] ?? entry[name];
    return typeof value === "string" ? value : undefined;
  };
  const [actor, target] = [member("actor"), member("target")];
  if (actor === undefined || target === undefined) return undefined;
  return {
    ...{ id, actor, target },
    grant: member("grant"),
    explanation: member("explanation"),
    server: textOf(entry["name"]),
    time: textOf(entry["time"]),
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null ? { ...value } : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
