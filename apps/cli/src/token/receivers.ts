import type { KnownIssuer } from "@portvakt/explain";
import { audiencesOf, type JwtClaims } from "@portvakt/oauth";
import type { DevApplication, DevState } from "../running/state.ts";
import { idportenAudience } from "../dev/registrations.ts";

/** Whether an application of the running platform would take a token of this issuer for its own. */
export interface Receiver {
  readonly id: string;
  readonly accepts: boolean;
  /** A sentence that goes on after the application's name. */
  readonly because: string;
}

/** Asks the rules of every application: is its provider this one, and is it the audience? */
export function receivers(claims: JwtClaims, from: KnownIssuer, running: DevState): readonly Receiver[] {
  const accepted = acceptance[from.provider?.name ?? ""];
  return Object.values(running.applications).map((application) => {
    const { id } = application;
    const because = accepted?.(application, claims) ?? "does not know this issuer";
    return because === true
      ? { id, accepts: true, because: "takes it: it is in its audience" }
      : { id, accepts: false, because };
  });
}

type Acceptance = (application: DevApplication, claims: JwtClaims) => true | string;

/** By the provider's name: true, or why not. */
const acceptance: Readonly<Record<string, Acceptance>> = {
  tokenx: ({ id, clients }, claims) =>
    clients["tokenx"] === undefined ? "does not use TokenX" : isFor(claims, id),
  entra_id: ({ clients }, claims) => {
    const { entra } = clients;
    return entra === undefined ? "does not use Entra ID" : isFor(claims, entra, `api://${entra}`);
  },
  idporten: ({ clients }, claims) => {
    if (clients["idporten"] === undefined) return "does not use ID-porten";
    if (claims["client_id"] !== clients["idporten"])
      return "refuses it: it came of another application's sign-in";
    return isFor(claims, idportenAudience, clients["idporten"]);
  },
  maskinporten: ({ offers = [] }, claims) => {
    const scopes = typeof claims["scope"] === "string" ? claims["scope"].split(" ") : [];
    if (offers.length === 0) return "offers no scope to other organisations";
    return offers.some((scope) => scopes.includes(scope)) || "refuses it: its scope is somebody else's";
  },
};

function isFor(claims: JwtClaims, ...names: readonly string[]): true | string {
  return (
    audiencesOf(claims).some((audience) => names.includes(audience)) || "refuses it: it is for somebody else"
  );
}
