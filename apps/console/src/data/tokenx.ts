import { createSigner, readJson, type Clock, type JWK } from "@portvakt/oauth";
import type { Logger } from "@portvakt/runtime/observe";
import { z } from "zod";

const text = z.string().max(4_000);
const place = z.object({ file: text, line: z.number() });
const decisionSchema = z.object({
  id: text,
  outcome: z.enum(["allow", "deny"]),
  reason: text,
  actor: text,
  target: text,
  grant: text,
  rule: place.optional(),
  roles: z.array(text).default([]),
  scopes: z.array(text).default([]),
  explanation: text,
  owner: text,
  fix: z.object({ file: text.optional(), line: z.number().optional(), yaml: text }).optional(),
});
const recordSchema = z.object({
  at: z.number().min(0).max(1e11),
  outcome: text,
  actor: text.optional(),
  target: text.optional(),
  error: text.optional(),
  description: text.optional(),
  decision: decisionSchema.optional(),
  correlation_id: text.optional(),
});
const clientSchema = z.object({
  client_id: text,
  client_id_issued_at: z.number().min(0).max(1e11),
  jwks: z.object({ keys: z.array(z.unknown()) }),
});

/** What TokenX decided, or why it refused before it asked its policy. */
export type Recorded = z.infer<typeof recordSchema>;
/** An application as TokenX knows it. */
export type Registered = z.infer<typeof clientSchema>;

/** An answer of TokenX, or a sentence that says why there is none. */
export type Told<T> = { readonly value: T } | { readonly trouble: string };

export interface Wanted {
  readonly outcome?: "allow" | "deny";
  readonly application?: string;
}

/** TokenX, as its reader sees it. Nothing here throws. */
export interface Tokenx {
  decisions(wanted: Wanted): Promise<Told<readonly Recorded[]>>;
  /** `undefined` for one that TokenX does not hold. */
  decision(id: string): Promise<Told<Recorded | undefined>>;
  /** `undefined` for an application that is not registered. */
  client(id: string): Promise<Told<Registered | undefined>>;
}

export interface TokenxOptions {
  readonly url: string;
  readonly reader: { readonly id: string; readonly key: JWK };
  readonly now: Clock;
  readonly log: Logger;
}

const timeoutMs = 3_000;
const mostBytes = 4_000_000;
const lifetimeSeconds = 30;

/** Reads from TokenX with a short-lived token of the reader's for each request. *Throws*: Fault `bad_key`. */
export async function openTokenx({ url, reader, now, log }: TokenxOptions): Promise<Tokenx> {
  const base = url.replace(/\/$/, "");
  const signer = await createSigner(reader.key);

  async function ask<T>(path: string, schema: z.ZodType<T>): Promise<Told<T | undefined>> {
    const iat = Math.floor(now());
    const claims = { iss: reader.id, sub: reader.id, aud: url, iat, exp: iat + lifetimeSeconds };
    try {
      const response = await fetch(`${base}${path}`, {
        headers: { authorization: `Bearer ${await signer.sign(claims)}`, accept: "application/json" },
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (response.status === 404) return { value: undefined };
      if (response.status === 401)
        return { trouble: "TokenX refuses the console's key: it has to be in PORTVAKT_TOKENX_READER_JWKS." };
      if (!response.ok) return { trouble: `TokenX answered with HTTP ${response.status}.` };
      const parsed = schema.safeParse(await readJson(response, mostBytes));
      return parsed.success
        ? { value: parsed.data }
        : { trouble: "TokenX answered with something that the console does not understand." };
    } catch (err) {
      log.warn({ err }, "TokenX could not be asked");
      return { trouble: "TokenX does not answer." };
    }
  }

  return {
    decisions: async (wanted) => {
      const query = new URLSearchParams({ ...wanted }).toString();
      const told = await ask(`/decisions?${query}`, z.object({ decisions: z.array(recordSchema) }));
      return "trouble" in told ? told : { value: told.value?.decisions ?? [] };
    },
    decision: (id) => ask(`/decisions/${encodeURIComponent(id)}`, recordSchema),
    client: (id) => ask(`/registration/client/${encodeURIComponent(id)}`, clientSchema),
  };
}
