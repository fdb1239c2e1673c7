import { createSigner, randomToken } from "@portvakt/oauth";
import { CommandError } from "../failure.ts";
import { endpointsOf } from "./endpoints.ts";
import { keyName, registrarKey, type Keys } from "./keys.ts";
import type { Plan } from "./plan.ts";
import { softwareStatement } from "./registrations.ts";

const lifetimeSeconds = 120;

/**
 * Registers every application that uses TokenX, the way a platform's registrar does (RFC 7591): a bearer token of the
 * registrar's, and a signed software statement that says who may call the application. `now` is in seconds.
 *
 * *Throws*: CommandError with TokenX's own words when it refuses.
 */
export async function registerWithTokenx(options: {
  plan: Plan;
  keys: Keys;
  now: () => number;
}): Promise<void> {
  const { plan, keys, now } = options;
  const { issuer } = endpointsOf(plan).tokenx;
  const endpoint = `${issuer}/registration/client`;
  const signer = await createSigner(keys.private(registrarKey));
  const times = (): { iat: number; nbf: number; exp: number; jti: string } => {
    const iat = Math.floor(now());
    return { iat, nbf: iat, exp: iat + lifetimeSeconds, jti: randomToken() };
  };
  const registrar = { iss: registrarKey, sub: registrarKey, aud: endpoint };
  const wanted = plan.applications.filter(({ clients }) => clients.tokenx !== undefined);
  await Promise.all(
    wanted.map(async (planned) => {
      const { application } = planned;
      const statement = { iss: registrarKey, aud: issuer, ...softwareStatement(plan, planned), ...times() };
      const body = {
        client_name: application.id,
        jwks: { keys: [keys.public(keyName(planned, "tokenx"))] },
        software_statement: await signer.sign(statement),
        scopes: [],
        grant_types: ["urn:ietf:params:oauth:grant-type:token-exchange"],
      };
      const bearer = await signer.sign({ ...registrar, ...times() });
      const response = await fetch(endpoint, {
        method: "POST",
        headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (response.ok) return;
      const words = (await response.text()).slice(0, 300);
      throw new CommandError(`TokenX refused to register ${application.id}: ${response.status} ${words}`);
    }),
  );
}
