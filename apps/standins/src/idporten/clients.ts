import {
  clientAuthenticator,
  memoryReplay,
  readCredentials,
  type AuthenticateClient,
  type RegisteredClient,
} from "@portvakt/issuer";
import { credentialsOf } from "../registry.ts";
import type { IdportenClient } from "../registrations.ts";
import type { SigninClient } from "../signin/provider.ts";
import type { Parts } from "../standin.ts";

/** A client of ID-porten. */
export interface IdportenRegistered extends RegisteredClient {
  readonly registration: IdportenClient;
  readonly signin: SigninClient;
}

/** A client that has authenticated, with the method that it used (the claim client_amr). */
export interface IdportenCaller extends IdportenRegistered {
  readonly usedMethod: string;
}

export interface IdportenClients {
  find(id: string): IdportenRegistered | undefined;
  readonly authenticate: AuthenticateClient<IdportenCaller>;
}

/** The clients of ID-porten by id, and how they authenticate: assertions with `aud` = issuer or the token endpoint. */
export function idportenClients(parts: Parts): IdportenClients {
  const byId = parts.registry.derived(
    ({ idporten }) => new Map(idporten.clients.map((client) => [client.client_id, registeredOf(client)])),
  );
  const authenticate = clientAuthenticator<IdportenRegistered>({
    findClient: async (id) => byId().get(id),
    acceptedAudiences: [parts.base, `${parts.base}/token`],
    acceptAudienceArray: true,
    claimJti: memoryReplay({ now: parts.now }),
    now: parts.now,
    algorithms: ["RS256", "RS384", "RS512"],
    maxLifetimeSeconds: 120,
    toleranceSeconds: 10,
  });
  return {
    find: (id) => byId().get(id),
    authenticate: async (request) => {
      const client = await authenticate(request);
      return { ...client, usedMethod: readCredentials(request).method };
    },
  };
}

function registeredOf(client: IdportenClient): IdportenRegistered {
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
      isolated: client.isolated_sso,
    },
  };
}
