// Every code of Entra ID. Those that come of a request or a registration are provoked by one; a code that tells of something
// outside (a user's device, a password, Entra ID's own trouble) the stand-in is told to send, once: its fix is somebody's step.
import { entraErrors } from "@portvakt/providers";
import {
  assertionType,
  caseWorkers,
  clients,
  jwtBearer,
  now,
  rule,
  type Form,
  type Kit,
  type Scenarios,
} from "./kit.ts";

const { front, back, grouped, later } = clients;
const grant = { grant_type: "client_credentials", scope: `api://${grouped}/.default` };
const secret = { client_id: front, client_secret: "secret-of-the-client" };
const asked: Form = { ...grant, ...secret };

export function entraScenarios(kit: Kit): Scenarios {
  const url = kit.tokenUrl.entra;
  const send = (form: Form): Promise<string> => kit.ask(url, form);
  /** The wrong request, and the right one. */
  const request = (wrong: Form, right: Form = asked) => ({
    wrong: () => send(wrong),
    fixed: () => send(right),
  });
  const asserted = async (claims: object, by = kit.signer): Promise<Form> => ({
    ...grant,
    client_id: front,
    client_assertion_type: assertionType,
    client_assertion: await kit.assertion({ iss: front, sub: front, aud: url, ...claims }, by),
  });
  const assertion = (claims: object, by = kit.signer) => ({
    wrong: async () => send(await asserted(claims, by)),
    fixed: async () => send(await asserted({})),
  });
  const userToken = (more: object = {}): Promise<string> =>
    kit.idp.issue({ provider: "entra", persona: "anna", client_id: front, audience: front, ...more });
  const onBehalf = async (token: Promise<string> | string, target: string = grouped): Promise<string> =>
    send({
      ...secret,
      grant_type: jwtBearer,
      requested_token_use: "on_behalf_of",
      scope: `api://${target}/.default`,
      assertion: await token,
    });
  /** A wrong user token, and the one that the caller sent. anna may use the target. */
  const subject = (token: () => Promise<string> | string) => ({
    wrong: () => onBehalf(token()),
    fixed: () => {
      openToAnna(kit);
      return onBehalf(userToken());
    },
  });
  const { scope: _scope, ...withoutScope } = asked;
  const told = Object.fromEntries(Object.keys(entraErrors).map((code) => [code, toldToSend(kit, code)]));
  return {
    ...told,
    AADSTS700016: {
      wrong: () => send({ ...asked, client_id: later }),
      fixed: () => {
        kit.register(({ entra }) => {
          entra.applications.push({
            ...{ client_id: later, name: "local:benefits:later", client_secret: secret.client_secret },
            ...{ allow_all_users: true, groups: [], inbound: [] },
          });
          for (const one of entra.applications)
            if (one.client_id === grouped) one.inbound.push(rule("later"));
        });
        return send({ ...asked, client_id: later });
      },
    },
    AADSTS90002: {
      wrong: () => kit.ask(url.replace(/\/[0-9a-f-]{36}\//, "/no-such-tenant.example/"), asked),
      fixed: () => send(asked),
    },
    AADSTS7000215: request({ ...asked, client_secret: "its-id-instead" }),
    AADSTS7000218: request({ ...grant, client_id: front }),
    AADSTS700021: assertion({ iss: back }),
    AADSTS700023: assertion({ aud: "https://login.example/token" }),
    AADSTS700024: assertion({ iat: now() - 900, nbf: now() - 900, exp: now() - 300 }),
    AADSTS700027: assertion({}, kit.stranger),
    AADSTS70003: request({ ...asked, grant_type: "password" }),
    AADSTS900144: request(withoutScope),
    AADSTS1002012: request({ ...asked, scope: `api://${grouped}/read` }),
    AADSTS500011: request({ ...asked, scope: "api://local.benefits.grouuped/.default" }),
    AADSTS9000411: {
      wrong: () => kit.ask(url, `${new URLSearchParams(asked).toString()}&scope=twice`),
      fixed: () => send(asked),
    },
    AADSTS501051: {
      wrong: () => send({ ...asked, scope: `api://${back}/.default` }),
      fixed: () => {
        admit(kit);
        return send({ ...asked, scope: `api://${back}/.default` });
      },
    },
    AADSTS65001: {
      wrong: () => {
        kit.register(({ entra }) => {
          for (const one of entra.applications) if (one.client_id === back) one.inbound = [];
        });
        return onBehalf(userToken(), back);
      },
      fixed: () => {
        admit(kit);
        return onBehalf(userToken(), back);
      },
    },
    AADSTS50105: {
      wrong: () => {
        kit.register(({ entra }) => {
          for (const one of entra.applications) if (one.client_id === grouped) one.groups = [];
        });
        return onBehalf(userToken());
      },
      fixed: () => {
        openToAnna(kit);
        return onBehalf(userToken());
      },
    },
    AADSTS500131: subject(() => userToken({ audience: back })),
    AADSTS500133: subject(() => userToken({ expiresIn: -600 })),
    AADSTS50013: subject(async () => `${(await userToken()).slice(0, -8)}AAAAAAAA`),
    AADSTS240002: subject(() => userToken({ token: "id_token" })),
    AADSTS7000114: subject(() => kit.idp.issue({ provider: "entra", client_id: back, audience: front })),
    AADSTS28000: {
      wrong: async () =>
        send({
          ...secret,
          grant_type: jwtBearer,
          requested_token_use: "on_behalf_of",
          scope: `api://${grouped}/.default api://${back}/.default`,
          assertion: await userToken(),
        }),
      fixed: () => {
        openToAnna(kit);
        return onBehalf(userToken());
      },
    },
    AADSTS70000: {
      wrong: () => send({ ...secret, grant_type: "refresh_token", refresh_token: "gone", scope: "openid" }),
      fixed: () => send(asked),
    },
    AADSTS70008: {
      wrong: () =>
        send({
          ...secret,
          grant_type: "authorization_code",
          code: "old",
          redirect_uri: "https://app.example/cb",
          code_verifier: "v".repeat(43),
        }),
      fixed: () => send(asked),
    },
  };
}

/** The inbound rule that the explanation asks for. */
function admit(kit: Kit): void {
  kit.register(({ entra }) => {
    for (const one of entra.applications) if (one.client_id === back) one.inbound.push(rule("front"));
  });
}

/** The group that the explanation asks for. */
function openToAnna(kit: Kit): void {
  kit.register(({ entra }) => {
    for (const one of entra.applications) if (one.client_id === grouped) one.groups.push(caseWorkers);
  });
}

function toldToSend(kit: Kit, code: string) {
  return {
    wrong: () => {
      const error_description = `${code}: told to say so. Trace ID: 1`;
      kit.idp.fail({
        effect: "error",
        provider: "entra",
        endpoint: "token",
        error: "invalid_grant",
        error_description,
      });
      return kit.ask(kit.tokenUrl.entra, asked);
    },
    fixed: () => kit.ask(kit.tokenUrl.entra, asked),
  };
}
