import type { JwtClaims } from "@portvakt/oauth";
import { memoryReplay, metadataDocument, tokenEndpoint, writeProtocolError } from "@portvakt/issuer";
import { metadataFor } from "../addresses.ts";
import { get, post, standinApp, type Visit } from "../app.ts";
import { homePage } from "../pages/home.ts";
import { themes } from "../pages/layout.ts";
import { orderedClaims, type Parts, type Standin, type TokenOrder } from "../standin.ts";
import { authenticateByGrant, maskinportenClients, type MaskinportenCaller } from "./assertion.ts";
import { jwtGrant, maskinportenClaims } from "./grant.ts";

/** Makes the double of Maskinporten. Its issuer ends with a slash; there is no authorization endpoint. */
export function createMaskinporten(parts: Parts): Standin {
  const issuer = `${parts.base}/`;
  const find = maskinportenClients(parts);
  const token = tokenEndpoint<MaskinportenCaller>({
    now: parts.now,
    authenticate: authenticateByGrant({ parts, issuer, find, claimJti: memoryReplay({ now: parts.now }) }),
    grants: [jwtGrant(parts, issuer)],
    // Access is the scope owner's business and judged by the grant; no grant asks here.
    decide: () => ({ id: "none", outcome: "deny" }),
    audit: (event) => parts.report.token("maskinporten", event),
  });
  const metadata = ({ request }: Visit): Response =>
    metadataFor(parts, request, maskinportenMetadata(parts.base));
  const keys = async (): Promise<Response> => Response.json(await parts.signing.jwks());
  const routes = [
    get("/", "other", ({ request }) =>
      homePage(themes.maskinporten, maskinportenMetadata(parts.base), request),
    ),
    get("/.well-known/oauth-authorization-server", "metadata", metadata),
    get("/jwk", "jwks", keys),
    post("/token", "token", ({ request }) => token(request)),
  ];
  return {
    name: "maskinporten",
    issuer,
    signing: parts.signing,
    order: (order) => orderedToken(parts, issuer, find, order),
    fetch: standinApp({
      provider: "maskinporten",
      routes,
      faults: parts.faults,
      recorder: parts.recorder,
      now: parts.now,
      closing: parts.closing,
      report: parts.report,
      writeError: (error, visit) => writeProtocolError(error, visit?.request ?? new Request(parts.base)),
    }),
  };
}

/** Authorization server metadata (RFC 8414 section 2), with the slash at the end of the issuer. */
function maskinportenMetadata(base: string): Record<string, unknown> {
  return metadataDocument({
    issuer: `${base}/`,
    endpoints: { token: `${base}/token` },
    jwksUri: `${base}/jwk`,
    grantTypes: ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
    authMethods: ["private_key_jwt"],
    authAlgorithms: ["RS256", "RS384", "RS512"],
    more: { authorization_details_types_supported: ["urn:altinn:systemuser"], response_types_supported: [] },
  });
}

function orderedToken(
  parts: Parts,
  issuer: string,
  find: ReturnType<typeof maskinportenClients>,
  order: TokenOrder,
): JwtClaims {
  const client = find(order.client_id ?? "");
  const usual = maskinportenClaims({
    issuer,
    now: parts.now(),
    clientId: order.client_id ?? "some-client",
    method: "private_key_jwt",
    consumer: client?.registration.orgno ?? "889640782",
    scope: (order.scope ?? client?.registration.scopes.join(" ") ?? "").split(" "),
    lifetime: 120,
  });
  return orderedClaims(usual, order);
}
