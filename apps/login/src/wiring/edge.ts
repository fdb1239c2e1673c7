import { Fault, privateKeyJwt } from "@portvakt/oauth";
import { providers } from "@portvakt/providers";
import type { Tools } from "@portvakt/runtime/process";
import { exchangeAtEdge, exchangeClient, type Exchanger, type UpstreamToken } from "../exchange/edge.ts";
import type { LoginSettings } from "../settings/settings.ts";
import { readSigner } from "./client.ts";
import type { Doors } from "./doors.ts";

/** What the application receives: the token of the sign-in, or, with an audience, one made for it. */
export async function upstreamToken(
  settings: LoginSettings,
  parts: { doors: Doors; fetch: typeof fetch; tools: Tools },
): Promise<UpstreamToken | undefined> {
  const { upstreamAudience: audience } = settings;
  if (audience === undefined) return undefined;
  const tokenx = await tokenxExchanger(settings, parts);
  const { now } = parts.tools;
  return exchangeAtEdge({
    audience,
    now,
    fetch: parts.fetch,
    exchangerFor: (session) => {
      const exchanger = session.provider === "entra" ? entraExchanger(parts.doors, parts.tools) : tokenx;
      if (exchanger === undefined)
        throw new Fault("bad_response", "nothing is configured to exchange this session's tokens");
      return exchanger;
    },
  });
}

/** On behalf of the employee, with the client that signed her in. */
function entraExchanger(doors: Doors, { now }: Tools): Exchanger | undefined {
  const connection = doors.byName.get("entra")?.connection;
  const grant = providers.entra_id.exchange;
  if (connection === undefined || grant === undefined) return undefined;
  return {
    grant,
    client: async () => {
      const { setup, metadata, auth } = await connection.provider();
      return {
        clientId: setup.clientId,
        issuer: metadata.issuer,
        tokenEndpoint: metadata.token_endpoint ?? "",
        auth,
        now,
      };
    },
  };
}

async function tokenxExchanger(
  settings: Pick<
    LoginSettings,
    "tokenxClientId" | "tokenxJwk" | "tokenxWellKnownUrl" | "providers" | "provider"
  >,
  { fetch, tools }: { fetch: typeof globalThis.fetch; tools: Tools },
): Promise<Exchanger | undefined> {
  const { tokenxClientId: clientId, tokenxJwk, tokenxWellKnownUrl: wellKnownUrl } = settings;
  // What is missing was said by checkTogether; where every user is an employee, nothing is.
  if (clientId === undefined || tokenxJwk === undefined || wellKnownUrl === undefined) return undefined;
  const grant = providers.tokenx.exchange;
  if (grant === undefined) return undefined;
  const signer = await readSigner(tokenxJwk);
  const { now } = tools;
  const authenticate = (issuer: string) => privateKeyJwt({ clientId, signer, audience: issuer, now });
  return {
    grant,
    client: exchangeClient({ clientId, wellKnownUrl, authenticate, now, fetch }),
  };
}
