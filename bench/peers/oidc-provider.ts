// What the stand-ins are measured beside: the certified `oidc-provider`, made to sign users in without asking, with access
// tokens that are JWTs, as the stand-ins' are.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import type { Configuration } from "oidc-provider";

for (const level of ["info", "warn"] as const) console[level] = () => undefined; // its advice for production
const { Provider } = await import("oidc-provider");

const api = "https://api.example";
const { privateKey } = await generateKeyPair("RS256", { extractable: true });

const configuration: Configuration = {
  clients: [
    {
      client_id: "bench",
      client_secret: "bench-secret",
      redirect_uris: ["https://app.example/callback"],
      grant_types: ["authorization_code", "refresh_token", "client_credentials"],
    },
  ],
  jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: "1", alg: "RS256", use: "sig" }] },
  cookies: { keys: ["not a secret"] },
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => api,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "",
        audience: api,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  // Consent is given before it is asked for.
  async loadExistingGrant({ oidc }) {
    const grant = new oidc.provider.Grant({
      clientId: oidc.client?.clientId ?? "",
      accountId: oidc.session?.accountId ?? "",
    });
    grant.addOIDCScope("openid profile");
    grant.addResourceScope(api, "");
    await grant.save();
    return grant;
  },
};

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(url, configuration);
  const handle = provider.callback();
  server.on("request", (request, response) => {
    if (request.url?.startsWith("/interaction/") === true)
      void provider.interactionFinished(request, response, { login: { accountId: "kari" } });
    else void handle(request, response);
  });
  process.send?.({ type: "listening", addresses: { main: url } });
});
process.on("disconnect", () => process.exit(0));
