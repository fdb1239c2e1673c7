import {
  clientAuthenticator,
  memoryReplay,
  readCredentials,
  type AuthenticateClient,
  type ClientAuthMethod,
  type RegisteredClient,
} from "@portvakt/issuer";
import type { SignatureAlgorithm } from "@portvakt/oauth";
import { backBase } from "../addresses.ts";
import { credentialsOf } from "../registry.ts";
import type { Registrations } from "../registrations.ts";
import type { Parts } from "../standin.ts";
import type { SigninClient } from "./provider.ts";

/** What a client that signs people in registers, whichever the provider. */
interface SigninRegistration {
  readonly client_id: string;
  readonly name?: string | undefined;
  readonly jwks?: { readonly keys: readonly { readonly kty: string }[] } | undefined;
  readonly client_secret?: string | undefined;
  readonly token_endpoint_auth_method?: ClientAuthMethod | undefined;
  readonly redirect_uris: readonly string[];
  readonly post_logout_redirect_uris: readonly string[];
  readonly frontchannel_logout_uri?: string | undefined;
  readonly frontchannel_logout_session_required: boolean;
  readonly backchannel_logout_uri?: string | undefined;
  readonly isolated_sso?: boolean | undefined;
}

/** A registered client, for the token pipeline and for signing in. */
interface Registered<R> extends RegisteredClient {
  readonly registration: R;
  readonly signin: SigninClient;
}

/** A client that has authenticated, with the method that it used. */
export interface Caller<R> extends Registered<R> {
  readonly usedMethod: ClientAuthMethod;
}

export interface Clients<R> {
  find(id: string): Registered<R> | undefined;
  readonly authenticate: AuthenticateClient<Caller<R>>;
}

/** The clients of a provider by id, and how they authenticate: assertions with `aud` = issuer or the token endpoint. */
export function signInClients<R extends SigninRegistration>(
  parts: Parts,
  read: (registrations: Registrations) => readonly R[],
  algorithms: readonly SignatureAlgorithm[],
): Clients<R> {
  const byId = parts.registry.derived(
    (registrations) => new Map(read(registrations).map((client) => [client.client_id, registeredOf(client)])),
  );
  const claimJti = memoryReplay({ now: parts.now });
  const authenticate: AuthenticateClient<Registered<R>> = (request) =>
    clientAuthenticator<Registered<R>>({
      findClient: async (id) => byId().get(id),
      acceptedAudiences: [
        parts.base,
        `${parts.base}/token`,
        `${backBase(parts, request.url) ?? parts.base}/token`,
      ],
      acceptAudienceArray: true,
      claimJti,
      now: parts.now,
      algorithms,
      maxLifetimeSeconds: 120,
      toleranceSeconds: 10,
    })(request);
  return {
    find: (id) => byId().get(id),
    authenticate: async (request) => {
      const client = await authenticate(request);
      return { ...client, usedMethod: readCredentials(request).method };
    },
  };
}

function registeredOf<R extends SigninRegistration>(client: R): Registered<R> {
  const credentials = credentialsOf(client);
  return {
    id: client.client_id,
    ...credentials,
    registration: client,
    signin: {
      id: client.client_id,
      name: client.name ?? client.client_id,
      keys: credentials.keys,
      redirectUris: client.redirect_uris,
      postLogoutRedirectUris: client.post_logout_redirect_uris,
      frontchannelLogoutUri: client.frontchannel_logout_uri,
      frontchannelSessionRequired: client.frontchannel_logout_session_required,
      backchannelLogoutUri: client.backchannel_logout_uri,
      isolated: client.isolated_sso === true,
    },
  };
}
