import type { Application } from "@portvakt/policy";
import { openKeyStore } from "../apply/key-store.ts";
import type { Declaration } from "../manifests/declared.ts";
import { span } from "@portvakt/explain";
import { bad, good, note, type Finding } from "./finding.ts";

const day = 86_400;
/** Maskinporten's keys live a year; whoever rotates earlier is not surprised. */
const oldKeySeconds = 180 * day;
const deadKeySeconds = 365 * day;

/** What the manifests say that somebody should know: open doors, callers that nobody declares, sign-in without addresses. */
export function manifestFindings({ applications, policy }: Declaration): readonly Finding[] {
  const warned = policy.warnings.map(({ message, rule }) =>
    note(rule === undefined ? "manifests" : `${rule.file}:${rule.line}`, message, fixFor(message)),
  );
  const declared = good(
    "manifests",
    `${applications.size} application${applications.size === 1 ? "" : "s"}, no mistakes`,
  );
  return [declared, ...warned, ...[...applications.values()].flatMap(ownFindings)];
}

function fixFor(message: string): string {
  return message.includes("which no manifest declares")
    ? "check its name; if it is declared elsewhere, nothing is to be done"
    : "name the callers in place of *, if not everybody is meant";
}

/** One application: what has to be registered for its sign-in, and who cannot use it. */
function ownFindings(application: Application): Finding[] {
  const { id, azure } = application;
  const place = `${application.source.file}:${application.source.line}`;
  const closed =
    azure?.enabled === true &&
    azure.sidecar?.enabled === true &&
    !azure.allowAllUsers &&
    azure.groups.length === 0;
  return [
    ...redirectFindings(application, place),
    ...(closed
      ? [
          bad(
            place,
            `no employee can use ${id}`,
            "add claims.groups under spec.azure.application, or allowAllUsers: true",
          ),
        ]
      : []),
  ];
}

function redirectFindings({ id, ingresses, idporten, azure }: Application, place: string): Finding[] {
  const provider =
    idporten?.sidecar?.enabled === true
      ? "ID-porten"
      : azure?.sidecar?.enabled === true
        ? "Entra ID"
        : undefined;
  if (provider === undefined) return [];
  if (ingresses.length === 0) {
    return [
      note(
        place,
        `${id} has a login proxy and no ingress, so that nobody can return to it`,
        "add spec.ingresses before it is deployed",
      ),
    ];
  }
  return ingresses.flatMap((ingress) => {
    const base = ingress.replace(/\/$/, "");
    const addresses = ["callback", "logout/callback", "logout/frontchannel"].map(
      (end) => `${base}/oauth2/${end}`,
    );
    return [note(place, `register with ${provider} for ${id}: ${addresses.join(" ")}`)];
  });
}

/** How old the keys are that `portvakt apply` keeps in a folder. */
export async function keyFindings(folder: string, now: number): Promise<readonly Finding[]> {
  const store = openKeyStore(folder);
  const findings: Finding[] = [];
  for (const id of await store.ids()) {
    const [current] = await store.read(id);
    if (current === undefined) continue;
    const age = now - current.madeAt;
    const detail = `the key of ${id} is ${span(Math.round(age))} old`;
    const fix = `portvakt keys rotate ${id}`;
    if (age > deadKeySeconds) findings.push(bad("keys", detail, fix));
    else findings.push(age > oldKeySeconds ? note("keys", detail, fix) : good("keys", detail));
  }
  return findings;
}
