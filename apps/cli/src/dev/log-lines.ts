const shownLevels = new Set(["warn", "error", "fatal"]);

/** What a person should see of a log line: warnings and worse of a JSON log, and whatever else came on stderr. */
export function worthShowing(line: string, isError: boolean): string | undefined {
  if (line.trim() === "") return undefined;
  const entry = entryOf(line);
  if (entry === undefined) return isError ? line : undefined;
  const { level, msg, err } = entry;
  const severe =
    typeof level === "number" ? level >= 40 : shownLevels.has(typeof level === "string" ? level : "");
  if (!severe) return undefined;
  const words = typeof msg === "string" ? msg : line;
  const cause = typeof err === "object" && err !== null && "message" in err ? err.message : undefined;
  return typeof cause === "string" ? `${words}: ${cause}` : words;
}

/** A line of a JSON log, or undefined for any other line. */
function entryOf(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "object" && entry !== null && "level" in entry ? { ...entry } : undefined;
  } catch {
    return undefined;
  }
}
