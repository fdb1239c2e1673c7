/** What an API tells about a call that it got: who called, for whom, and what the token said. Never the token. */
export interface SeenCall {
  /** The application that was called. */
  readonly at: string;
  readonly calledBy: string;
  /** The end user's id; absent for an application that calls as itself. */
  readonly onBehalfOf?: string;
  readonly issuer: string;
  readonly audience: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly rights?: string;
}

/** The part of the SDK's `Caller` that is told. */
interface Caller {
  readonly client: string | undefined;
  readonly clientName: string | undefined;
  readonly organisation: string | undefined;
  readonly user: { readonly pid?: string; readonly NAVident?: string; readonly name?: string } | undefined;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly claims: { readonly iss?: string; readonly aud?: string | string[]; readonly exp?: number };
}

/** Says who called `at`, and for whom. `now` is in seconds. */
export function seenCall(at: string, caller: Caller, now: number): SeenCall {
  const { iss, aud, exp } = caller.claims;
  const person = personOf(caller);
  const rights = [...caller.roles, ...caller.scopes].join(" ");
  return {
    at,
    calledBy: callerName(caller),
    ...(person === undefined ? {} : { onBehalfOf: person }),
    issuer: iss ?? "",
    audience: [aud ?? "anyone with the scope"].flat().join(" "),
    expiresIn: Math.max(0, Math.round((exp ?? now) - now)),
    ...(rights === "" ? {} : { rights }),
  };
}

/** The calling application or organisation, for people: a name that was only displayed decides nothing. */
export function callerName(caller: Caller): string {
  if (caller.organisation !== undefined) return `organisation ${caller.organisation}`;
  return caller.clientName ?? caller.client ?? "unknown";
}

/** The end user, by the id that the provider's tokens carry. */
export function personOf({ user }: Caller): string | undefined {
  return user?.pid ?? user?.NAVident ?? user?.name;
}

/** The facts of a call, as a page shows them. */
export function callFacts(call: SeenCall): Record<string, string | undefined> {
  return {
    "called by": call.calledBy,
    "on behalf of": call.onBehalfOf ?? "nobody, itself",
    "token from": call.issuer,
    "made for": call.audience,
    "valid for": `${call.expiresIn} s more`,
    rights: call.rights,
  };
}
