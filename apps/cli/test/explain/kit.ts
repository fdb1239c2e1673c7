// What the walk through all refusals is made of: real stand-ins, clients with keys, and calls that answer "ok" or with the refusal.
import { randomUUID } from "node:crypto";
import { createSigner, generatePrivateJwk, publicJwkOf, type JwtClaims, type Signer } from "@portvakt/oauth";
import { startStandins, type RegistrationsInput, type Standins } from "@portvakt/standins";

/** One refusal: a call that meets it, and the same call once the fix was applied. Both answer "ok" or the refusal's text. */
export interface Scenario {
  readonly wrong: () => Promise<string>;
  readonly fixed: () => Promise<string>;
}
export type Scenarios = Readonly<Record<string, Scenario>>;
export type Form = Readonly<Record<string, string>>;

export const now = (): number => Date.now() / 1000;
export const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
export const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
export const clients = {
  front: "11111111-1111-4111-8111-111111111111",
  back: "22222222-2222-4222-8222-222222222222",
  grouped: "33333333-3333-4333-8333-333333333333",
  later: "44444444-4444-4444-8444-444444444444",
} as const;
export const caseWorkers = "8522166a-0cfd-484c-ba3c-2b8ed285eafb";

export interface Kit {
  readonly idp: Standins;
  /** The key that clients are registered with, and one that nobody knows. */
  readonly signer: Signer;
  readonly stranger: Signer;
  readonly tokenUrl: { readonly entra: string; readonly maskinporten: string };
  assertion(claims: JwtClaims, by?: Signer): Promise<string>;
  /** Changes what is registered, and puts it in the place of what was. */
  register(change: (registrations: Mutable) => void): void;
  ask(url: string, form: Form | string, headers?: Record<string, string>): Promise<string>;
}

type Mutable = ReturnType<typeof registrations>;

export async function openKit(): Promise<Kit> {
  const [signer, stranger] = await Promise.all(
    [0, 1].map(async () => createSigner({ ...(await generatePrivateJwk("RS256")) })),
  );
  if (signer === undefined || stranger === undefined) throw new Error("no keys");
  const { kty = "", ...rest } = publicJwkOf(signer.publicJwk);
  let current = registrations({ keys: [{ ...rest, kty }] });
  const idp = await startStandins({ now, registrations: current });
  const [tenant] = idp.issuers.entra.split("/v2.0");
  return {
    idp,
    signer,
    stranger,
    tokenUrl: { entra: `${tenant}/oauth2/v2.0/token`, maskinporten: `${idp.issuers.maskinporten}token` },
    assertion: (claims, by = signer) => {
      const iat = Math.floor(now());
      return by.sign({ iat, nbf: iat, exp: iat + 60, jti: randomUUID(), ...claims });
    },
    register: (change) => {
      current = structuredClone(current);
      change(current);
      idp.register({ ...current }, "replace");
    },
    ask: async (url, form, headers = {}) => {
      const body = typeof form === "string" ? form : new URLSearchParams(form);
      const response = await fetch(url, {
        method: "POST",
        body,
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      });
      return response.ok ? "ok" : await response.text();
    },
  };
}

/** An inbound rule of a target for an application of its namespace. */
export function rule(application: string): InboundRule {
  return { application, namespace: "benefits", cluster: "local", roles: [], scopes: ["read"] };
}

type InboundRule = {
  application: string;
  namespace: string;
  cluster: string;
  roles: string[];
  scopes: string[];
};
interface EntraApplication {
  client_id: string;
  name: string;
  client_secret: string;
  allow_all_users: boolean;
  groups: string[];
  inbound: InboundRule[];
}

function registrations(jwks: { keys: (Record<string, unknown> & { kty: string })[] }) {
  const application = (client_id: string, name: string, more: object = {}): EntraApplication => ({
    ...{ client_id, name: `local:benefits:${name}`, client_secret: "secret-of-the-client" },
    ...{ allow_all_users: true, groups: [], inbound: [], ...more },
  });
  return {
    entra: {
      applications: [
        application(clients.front, "front", { jwks }),
        application(clients.back, "back"),
        application(clients.grouped, "grouped", { allow_all_users: false, inbound: [rule("front")] }),
      ],
    },
    maskinporten: {
      clients: [
        {
          client_id: "payout",
          orgno: "889640782",
          jwks,
          scopes: ["tax:income.read", "tax:closed.read"],
        },
      ],
      scopes: [
        { name: "tax:income.read", consumers: ["889640782", "310000001"] },
        { name: "tax:wealth.read", consumers: ["889640782"] },
        { name: "tax:closed.read", consumers: [] as string[] },
      ],
      delegations: [] as { consumer: string; supplier: string; scope: string }[],
    },
  } satisfies RegistrationsInput;
}
