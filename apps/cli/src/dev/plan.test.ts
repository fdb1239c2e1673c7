import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseManifests } from "@portvakt/policy";
import { endpointsOf } from "./endpoints.ts";
import {
  applicationVariables,
  hereInstead,
  loginVariables,
  overruled,
  tokensVariables,
} from "./environment.ts";
import { keyName, sealName, wantedKeys, type Keys } from "./keys.ts";
import { demoApplications } from "./manifests.ts";
import { makePlan, plannedPorts, portSpan, type Plan, type PlannedApplication } from "./plan.ts";
import { registrationsOf, scopeName } from "./registrations.ts";
import { clientOf } from "./tokenx-clients.ts";
import { statementOf } from "../tokenx/registrar.ts";

const declared = await demoApplications("local");
const plan = makePlan(
  declared.map(({ application }) => application),
  7000,
);

function named(name: string, of: Plan = plan): PlannedApplication {
  const found = of.applications.find((planned) => planned.name === name);
  assert.ok(found, `the plan has no ${name}`);
  return found;
}

const keys: Keys = {
  private: (name) => ({ kty: "RSA", kid: name, d: "private" }),
  public: (name) => ({ kty: "RSA", kid: name }),
  secret: (name) => `secret of ${name}`,
  isNew: false,
};

describe("the plan of the demo", () => {
  test("servers stand at base+1 to base+6, login proxies at base+10 and base+20, the others from base+30", () => {
    assert.deepEqual(plan.ports, {
      idporten: 7001,
      entra: 7002,
      maskinporten: 7003,
      tokenx: 7004,
      control: 7005,
      console: 7006,
    });
    const urls = Object.fromEntries(plan.applications.map(({ name, url }) => [name, url]));
    assert.equal(urls["portal"], "http://localhost:7010");
    assert.equal(urls["caseworker"], "http://localhost:7020");
    for (const planned of plan.applications.filter(({ login }) => login === undefined))
      assert.ok(planned.port >= 7030);
  });

  test("no port is given out twice, and all lie within the span", () => {
    const ports = plannedPorts(plan).map(({ port }) => port);
    assert.equal(new Set(ports).size, ports.length);
    assert.ok(ports.every((port) => port > 7000 && port < 7000 + portSpan));
  });

  test("an application has a client at every provider that its manifest enables, and at no other", () => {
    const providers = (name: string): string[] => Object.keys(named(name).clients).toSorted();
    assert.deepEqual(providers("portal"), ["idporten", "tokenx"]);
    assert.deepEqual(providers("application-api"), ["tokenx"]);
    assert.deepEqual(providers("caseworker"), ["entra"]);
    assert.deepEqual(providers("payout-job"), ["entra", "maskinporten"]);
  });

  test("the client id of an application is the same in every plan", () => {
    const again = makePlan(
      declared.map(({ application }) => application),
      9000,
    );
    assert.deepEqual(named("caseworker", again).clients, named("caseworker").clients);
    assert.equal(named("portal").clients.tokenx, "local:benefits:portal");
  });

  test("an application keeps its addresses when others come and go, and many share no port", () => {
    const text = (names: readonly string[]): string =>
      names
        .map(
          (name, index) =>
            `apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: ${name}, namespace: a }\nspec:\n  image: x\n  tokenx: { enabled: true }\n  idporten: { enabled: true, sidecar: { enabled: ${index % 2 === 0} } }\n`,
        )
        .join("---\n");
    const planOf = (names: readonly string[], before?: Plan): Plan =>
      makePlan(
        parseManifests([{ file: "x.yaml", text: text(names) }], { cluster: "local" }).applications,
        7000,
        before,
      );
    const few = planOf(["m", "n"]);
    const more = planOf(["a", "b", "m", "n", "o"], few);
    const addresses = (name: string, of: Plan) => ({ ...named(name, of), application: name });
    for (const name of ["m", "n"]) assert.deepEqual(addresses(name, more), addresses(name, few));
    assert.deepEqual(addresses("n", planOf(["b", "n"], more)), addresses("n", few));
    const many = planOf(
      Array.from({ length: 45 }, (_one, index) => `app-${index}`),
      undefined,
    );
    for (const ports of [more, many].map((one) => plannedPorts(one).map(({ port }) => port)))
      assert.equal(new Set(ports).size, ports.length);
  });

  test("two applications of one name are told apart by their namespaces", () => {
    const text = ["a", "b"]
      .map(
        (namespace) =>
          `apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: same, namespace: ${namespace} }\nspec: { image: x }\n`,
      )
      .join("---\n");
    const { applications } = parseManifests([{ file: "two.yaml", text }], { cluster: "local" });
    assert.deepEqual(
      makePlan(applications, 7000).applications.map(({ name }) => name),
      ["same.a", "same.b"],
    );
  });
});

describe("the variables of an application", () => {
  test("are exactly those that the platform injects, and its own", () => {
    assert.deepEqual(applicationVariables(plan, named("application-api")), {
      NAIS_APP_NAME: "application-api",
      NAIS_NAMESPACE: "benefits",
      NAIS_CLUSTER_NAME: "local",
      NAIS_CLIENT_ID: "local:benefits:application-api",
      PORT: String(named("application-api").port),
      NAIS_TOKEN_ENDPOINT: `http://127.0.0.1:${named("application-api").tokensPort}/api/v1/token`,
      NAIS_TOKEN_EXCHANGE_ENDPOINT: `http://127.0.0.1:${named("application-api").tokensPort}/api/v1/token/exchange`,
      NAIS_TOKEN_INTROSPECTION_ENDPOINT: `http://127.0.0.1:${named("application-api").tokensPort}/api/v1/introspect`,
      TOKEN_X_CLIENT_ID: "local:benefits:application-api",
      TOKEN_X_WELL_KNOWN_URL: "http://localhost:7004/.well-known/oauth-authorization-server",
      TOKEN_X_ISSUER: "http://localhost:7004",
      TOKEN_X_JWKS_URI: "http://localhost:7004/jwks",
      INCOME_REGISTER_URL: named("income-register").url,
    });
  });

  test("are the platform's where the manifest says otherwise", () => {
    const planned = named("application-api");
    const { application, port } = planned;
    const env = { PORT: "18080", NAIS_CLUSTER_NAME: "local", GREETING: "hello" };
    const own = { ...planned, application: { ...application, env } };
    const { PORT, GREETING } = applicationVariables(plan, own);
    assert.deepEqual({ PORT, GREETING }, { PORT: String(port), GREETING: "hello" });
    assert.deepEqual(overruled(plan, own), { PORT: String(port) });
  });

  test("hold no key and no secret", () => {
    for (const planned of plan.applications) {
      const text = JSON.stringify(applicationVariables(plan, planned));
      assert.doesNotMatch(text, /"d"|secret|JWK"/);
    }
  });

  const addresses: readonly { name: string; value: string; expect: string }[] = [
    { name: "a service of the same namespace", value: "http://case-api", expect: named("case-api").url },
    { name: "with a path", value: "http://case-api/v1", expect: `${named("case-api").url}/v1` },
    {
      name: "a service of a named namespace",
      value: "http://case-api.benefits",
      expect: named("case-api").url,
    },
    {
      name: "its full name in the cluster",
      value: "http://case-api.benefits.svc.cluster.local",
      expect: named("case-api").url,
    },
    { name: "an ingress", value: "https://api.tax-authority.example", expect: named("tax-authority").url },
    {
      name: "an ingress behind a login proxy",
      value: "https://portal.benefits.example/",
      expect: `${named("portal").url}/`,
    },
    { name: "somebody else's address", value: "https://example.org/x", expect: "https://example.org/x" },
    { name: "no address at all", value: "case-api", expect: "case-api" },
  ];
  for (const { name, value, expect } of addresses) {
    test(`${name} becomes what is right on this machine`, () =>
      assert.equal(hereInstead(plan, "benefits", value), expect));
  }

  test("a short service name reaches no other namespace", () => {
    assert.equal(hereInstead(plan, "marketing", "http://case-api"), "http://case-api");
  });
});

describe("the variables of a sidecar", () => {
  test("name every provider that the application uses, with the key that is registered there", () => {
    const variables = tokensVariables(plan, named("payout-job"), keys);
    assert.equal(variables["AZURE_ENABLED"], "true");
    assert.equal(variables["MASKINPORTEN_ENABLED"], "true");
    assert.equal(variables["TOKEN_X_ENABLED"], undefined);
    assert.equal(variables["MASKINPORTEN_ISSUER"], "http://localhost:7003/");
    assert.match(variables["MASKINPORTEN_CLIENT_JWK"] ?? "", /payout-job maskinporten/);
  });

  test("give every login proxy cookies of its own name: ports share a jar", () => {
    const prefixes = ["portal", "caseworker"].map(
      (name) => loginVariables(plan, named(name), keys)["PORTVAKT_LOGIN_COOKIE_PREFIX"],
    );
    assert.equal(new Set(prefixes).size, 2);
  });

  test("the paths of probes need no login", () => {
    const ignored =
      loginVariables(plan, named("portal"), keys)["PORTVAKT_LOGIN_AUTO_LOGIN_IGNORE_PATHS"] ?? "";
    assert.ok(ignored.split(",").includes("/internal/isalive"));
  });
});

describe("registrations", () => {
  const registrations = registrationsOf(plan, keys.public);

  test("every application is known where it has a client, by its public key only", () => {
    assert.deepEqual(
      registrations.idporten?.clients?.map(({ name }) => name),
      ["local:benefits:portal"],
    );
    assert.doesNotMatch(JSON.stringify(registrations), /"d":/);
  });

  test("the access policy goes to Entra ID as it stands in the manifest, with its place", () => {
    const caseApi = registrations.entra?.applications?.find(({ name }) => name === "local:benefits:case-api");
    assert.deepEqual(
      caseApi?.inbound?.map(({ application, roles }) => ({ application, roles })),
      [
        { application: "caseworker", roles: [] },
        { application: "payout-job", roles: ["payouts"] },
      ],
    );
    assert.ok(caseApi?.identifier_uris?.includes("api://local.benefits.case-api"));
    assert.match(caseApi?.inbound?.[0]?.source?.file ?? "", /case-api\/app\.yaml$/);
  });

  test("a scope is exposed under its owner's prefix, to those that its owner lists", () => {
    assert.deepEqual(
      registrations.maskinporten?.scopes?.map(({ name, consumers }) => ({ name, consumers })),
      [
        { name: "tax:assessments.read", consumers: ["310100005"] },
        { name: "tax:wealth.read", consumers: [] },
      ],
    );
  });

  const scope = {
    name: "read",
    product: "helse",
    enabled: true,
    consumers: [],
    atMaxAge: 30,
    accessibleForAll: false,
    visibility: "public",
  };
  test("without a separator, a scope's name is joined by a colon, or by a slash where it has one", () => {
    assert.equal(scopeName("nav", scope), "nav:helse:read");
    assert.equal(
      scopeName("nav", { ...scope, name: "sykepenger/afp.read" }),
      "nav:helse/sykepenger/afp.read",
    );
  });

  test("TokenX hears of inbound rules as ids, and of ours with their place", () => {
    const statement = statementOf(clientOf(plan, named("income-register"), anyKey));
    assert.equal(statement["appId"], "local:benefits:income-register");
    assert.deepEqual(statement["accessPolicyInbound"], ["local:benefits:application-api"]);
    assert.equal(statement["portvakt_subject_clients"], undefined);
  });

  test("TokenX hears which of ID-porten's clients an application is", () => {
    const { portvakt_subject_clients: clients } = statementOf(clientOf(plan, named("portal"), anyKey));
    assert.deepEqual(clients, { "http://localhost:7001": [named("portal").clients.idporten] });
  });
});

const anyKey = { public: () => ({ kty: "RSA", kid: "any" }) };

test("a key is wanted for every client and for every login proxy, once", () => {
  const { signing, secrets } = wantedKeys(plan);
  assert.equal(new Set(signing).size, signing.length);
  assert.ok(signing.includes(keyName(named("portal"), "tokenx")));
  assert.ok(secrets.includes(sealName(named("caseworker"))));
});

test("issuers have their providers' own form", () => {
  const at = endpointsOf(plan);
  assert.ok(at.maskinporten.issuer.endsWith("/"));
  assert.ok(!at.idporten.issuer.endsWith("/"));
  assert.match(at.entra.issuer, /\/v2\.0$/);
});
