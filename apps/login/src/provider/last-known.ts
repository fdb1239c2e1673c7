import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, ServerMetadata } from "@portvakt/oauth";

/** What a provider said of itself when it was last reached. All of it is public. */
export interface LastKnown {
  readonly metadata: ServerMetadata;
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] };
  /** Seconds since the epoch. */
  readonly savedAt: number;
}

/** Where that is kept, so that a process can start while the provider is away. */
export interface LastKnownStore {
  /** What was saved for this address, unless it is too old. Never throws: what cannot be read is not there. */
  load(wellKnownUrl: string): Promise<LastKnown | undefined>;
  save(wellKnownUrl: string, known: Omit<LastKnown, "savedAt">): Promise<void>;
  /** Whether something that was loaded may still be used. */
  isFresh(known: LastKnown): boolean;
}

const maxBytes = 1_048_576;

/** Keeps it as files in a folder. Whoever may write there decides which keys are believed while a provider is away. */
export function lastKnownIn(folder: string, o: { now: Clock; maxAgeSeconds: number }): LastKnownStore {
  const fileOf = (url: string): string =>
    join(folder, `provider-${createHash("sha256").update(url).digest("hex").slice(0, 32)}.json`);
  const isFresh = ({ savedAt }: LastKnown): boolean => {
    const age = o.now() - savedAt;
    return age >= -60 && age <= o.maxAgeSeconds;
  };
  return {
    isFresh,
    async load(url) {
      const text = await readBounded(fileOf(url)).catch(() => undefined);
      const known = text === undefined ? undefined : parseLastKnown(text, url);
      return known !== undefined && isFresh(known) ? known : undefined;
    },
    async save(url, known) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // Replicas may share the folder: nobody must read half a file.
      const draft = join(folder, `.${randomUUID()}`);
      await writeFile(draft, JSON.stringify({ url, savedAt: o.now(), ...known }), { mode: 0o600 });
      await rename(draft, fileOf(url));
    },
  };
}

async function readBounded(file: string): Promise<string | undefined> {
  await using handle = await open(file, "r");
  const { size } = await handle.stat();
  return size > maxBytes ? undefined : handle.readFile("utf8");
}

/** Checks: the shape, and that it was saved for this address. Does not check: the metadata's own rules; the connection does. */
function parseLastKnown(text: string, url: string): LastKnown | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(read) || read["url"] !== url) return undefined;
  const { metadata, jwks, savedAt } = read;
  if (!isRecord(metadata) || typeof metadata["issuer"] !== "string" || !isRecord(jwks)) return undefined;
  const { keys } = jwks;
  if (!Array.isArray(keys) || !keys.every(isRecord) || typeof savedAt !== "number") return undefined;
  return { metadata: metadata as unknown as ServerMetadata, jwks: { keys }, savedAt };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
