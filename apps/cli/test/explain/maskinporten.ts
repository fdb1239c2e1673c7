// Every code of Maskinporten: by a grant or a registration that provokes it; certificates, which the stand-in has none of, by order.
import { maskinportenErrors } from "@portvakt/providers";
import { jwtBearer, now, type Kit, type Scenarios } from "./kit.ts";

const org = "889640782";

export function maskinportenScenarios(kit: Kit): Scenarios {
  const url = kit.tokenUrl.maskinporten;
  const usual = { iss: "payout", aud: kit.idp.issuers.maskinporten, scope: "tax:income.read" };
  const send = async (claims: object, by = kit.signer): Promise<string> =>
    kit.ask(url, { grant_type: jwtBearer, assertion: await kit.assertion({ ...usual, ...claims }, by) });
  const grant = (claims: object, by = kit.signer) => ({
    wrong: () => send(claims, by),
    fixed: () => send({}),
  });
  const registered = (claims: object, change: Parameters<Kit["register"]>[0]) => ({
    wrong: () => send(claims),
    fixed: () => {
      kit.register(change);
      return send(claims);
    },
  });
  const party = {
    type: "urn:altinn:systemuser",
    systemuser_org: { authority: "iso6523-actorid-upis", ID: `0192:${org}` },
  };
  const details = (wrong: object) => ({
    wrong: () => send({ authorization_details: [wrong] }),
    fixed: () => send({ authorization_details: [party] }),
  });
  const told = Object.fromEntries(
    Object.keys(maskinportenErrors).map((code) => [code, toldToSend(kit, code, send)]),
  );
  return {
    ...told,
    "MP-011": grant({ consumer_org: "12" }),
    "MP-012": {
      wrong: async () => {
        const once = { jti: `used-once-${now()}` };
        await send(once);
        return send(once);
      },
      fixed: () => send({}),
    },
    "MP-100": grant({ iss: "nobody" }),
    "MP-110": grant({ aud: "https://maskinporten.example/" }),
    "MP-121": grant({}, kit.stranger),
    "MP-124": {
      wrong: async () => {
        const assertion = await kit.assertion(usual);
        return kit.ask(url, { grant_type: jwtBearer, assertion: `${assertion.slice(0, -8)}AAAAAAAA` });
      },
      fixed: () => send({}),
    },
    "MP-130": grant({ iat: now() - 900, nbf: now() - 900, exp: now() - 800 }),
    "MP-200": registered({ scope: "tax:wealth.read" }, ({ maskinporten }) => {
      for (const client of maskinporten.clients) client.scopes.push("tax:wealth.read");
    }),
    "MP-250": registered({ scope: "tax:closed.read" }, ({ maskinporten }) => {
      for (const scope of maskinporten.scopes)
        if (scope.name === "tax:closed.read") scope.consumers.push(org);
    }),
    "MP-251": registered({ consumer_org: "310000001" }, ({ maskinporten }) => {
      maskinporten.delegations.push({ consumer: "310000001", supplier: org, scope: "tax:income.read" });
    }),
    "MP-301": details({ type: "unknown" }),
    "MP-302": details({ ...party, extra: true }),
    "MP-303": details({ ...party, systemuser_org: { ...party.systemuser_org, ID: "12" } }),
  };
}

function toldToSend(kit: Kit, code: string, send: (claims: object) => Promise<string>) {
  return {
    wrong: () => {
      kit.idp.fail({
        effect: "error",
        provider: "maskinporten",
        endpoint: "token",
        error: "invalid_grant",
        error_description: `Told to say so (${code})`,
      });
      return send({});
    },
    fixed: () => send({}),
  };
}
