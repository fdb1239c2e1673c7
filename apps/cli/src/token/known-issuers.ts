import { issuerAt, type KnownIssuer } from "@portvakt/explain";
import { providers } from "@portvakt/providers";
import type { DevState } from "../running/state.ts";
import { CommandError } from "../failure.ts";

const rowOf = {
  idporten: providers.idporten,
  entra: providers.entra_id,
  maskinporten: providers.maskinporten,
  tokenx: providers.tokenx,
} as const;

/** The issuers of the platform that runs here. */
export function issuersOf(running: DevState | undefined): readonly KnownIssuer[] {
  if (running === undefined) return [];
  return (["idporten", "entra", "maskinporten", "tokenx"] as const).map((name) => ({
    provider: rowOf[name],
    ...running.providers[name],
  }));
}

/** An issuer that somebody named, by its metadata. The token itself goes nowhere. *Throws*: CommandError. */
export async function namedIssuer(issuer: string): Promise<KnownIssuer> {
  const found = await issuerAt(issuer);
  if (found !== undefined) return found;
  throw new CommandError(`${issuer} has no metadata that names it as issuer, and a key set`, {
    hints: ["write the issuer letter by letter as it stands in iss, with or without the slash at its end"],
  });
}
