import type { Logger } from "@portvakt/runtime/observe";
import { revokeTokens } from "../provider/tokens.ts";
import type { Revocable } from "../session/revocation.ts";
import type { Door } from "./login.ts";

/** Revokes tokens at their providers, one session after the other. Nobody waits for it: never throws, and tells in the log what failed. */
export async function revokeLater(
  options: { readonly doors: ReadonlyMap<string, Door>; readonly fetch: typeof fetch; readonly log: Logger },
  sessions: readonly Revocable[],
): Promise<void> {
  for (const { provider: name, tokens } of sessions) {
    const provider = await options.doors
      .get(name)
      ?.connection.provider()
      .catch(() => undefined);
    if (provider === undefined) continue;
    try {
      const revoked = await revokeTokens(provider, tokens, options.fetch);
      if (!revoked) options.log.warn({ provider: name }, "the provider did not revoke the tokens");
    } catch (err) {
      options.log.warn({ err, provider: name }, "tokens could not be revoked");
    }
  }
}
