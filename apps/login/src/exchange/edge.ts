import { createHash } from "node:crypto";
import { fetchMetadata, type ClientAuth, type Clock, type TokenResponse } from "@portvakt/oauth";
import type { ExchangeAsk, ProviderClient, ProviderGrant } from "@portvakt/providers";
import { sendWithin } from "../provider/send.ts";
import { remember } from "../session/bounded.ts";
import type { Session } from "../session/model.ts";

/** Gives the token that the application receives for a session. */
export type UpstreamToken = (session: Session) => Promise<string>;

/** How tokens of one provider's users are exchanged. */
export interface Exchanger {
  readonly grant: Pick<ProviderGrant<ExchangeAsk>, "build" | "judge">;
  readonly client: () => Promise<ProviderClient>;
}

export interface EdgeOptions {
  /** The application behind the proxy, as the exchanging server names it. */
  readonly audience: string;
  readonly exchangerFor: (session: Session) => Exchanger;
  readonly now: Clock;
  readonly fetch: typeof fetch;
}

const maxRemembered = 5000;
/** A token this close to its end is not passed on any more: the application's own calls must still find it valid, seconds. */
const leewaySeconds = 10;
/** How long a token is used whose lifetime nobody told. */
const unknownLifetimeSeconds = 60;

interface Exchanged {
  readonly token: string;
  readonly until: number;
}

/**
 * Exchange at the edge: the application never sees the token of the sign-in, only one made for itself. One exchange per session
 * token at a time; its result is used until shortly before it ends.
 */
export function exchangeAtEdge(options: EdgeOptions): UpstreamToken {
  const { now } = options;
  const held = new Map<string, Exchanged>();
  const flights = new Map<string, Promise<string>>();

  const exchange = async (key: string, session: Session): Promise<string> => {
    const { grant, client } = options.exchangerFor(session);
    const asked = now();
    const ask = { target: options.audience, userToken: session.tokens.accessToken };
    const answer = await grant.judge(await sendWithin(await grant.build(await client(), ask), options.fetch));
    remember(held, key, { token: answer.access_token, until: asked + usableSeconds(answer) }, maxRemembered);
    return answer.access_token;
  };
  return async (session) => {
    // The session stands beside the token: what was made for one user is never looked up for another.
    const key = createHash("sha256")
      .update(`${session.id}\0${session.tokens.accessToken}`)
      .digest("base64url");
    const before = held.get(key);
    if (before !== undefined && now() < before.until) return before.token;
    const flying = flights.get(key);
    if (flying !== undefined) return flying;
    const flight = exchange(key, session).finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
}

function usableSeconds(answer: TokenResponse): number {
  const lifetime = answer.expires_in ?? unknownLifetimeSeconds;
  return Math.max(lifetime - leewaySeconds, lifetime / 2);
}

const rereadSeconds = 3600;

/** Our side of an authorization server that only exchanges: its metadata is read when first needed, and hourly after that. */
export function exchangeClient(options: {
  readonly clientId: string;
  readonly wellKnownUrl: string;
  readonly authenticate: (issuer: string) => ClientAuth;
  readonly now: Clock;
  readonly fetch: typeof fetch;
}): () => Promise<ProviderClient> {
  const { clientId, now } = options;
  let held: { client: ProviderClient; at: number } | undefined;
  return async () => {
    if (held !== undefined && now() - held.at < rereadSeconds) return held.client;
    const metadata = await fetchMetadata({ url: options.wellKnownUrl, fetch: options.fetch }).catch(
      (cause: unknown) => {
        if (held === undefined) throw cause;
        return undefined;
      },
    );
    if (metadata === undefined && held !== undefined) return held.client;
    const { issuer = "", token_endpoint: tokenEndpoint = "" } = metadata ?? {};
    const client: ProviderClient = {
      clientId,
      issuer,
      tokenEndpoint,
      auth: options.authenticate(issuer),
      now,
    };
    held = { client, at: now() };
    return client;
  };
}
