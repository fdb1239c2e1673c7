import { SettingsError, type Problem } from "@portvakt/runtime/config";
import { createKeyRing } from "@portvakt/runtime/seal";
import type { Secret } from "@portvakt/runtime/observe";
import { compileProviderPaths } from "../request/exclusions.ts";
import type { Ingress } from "../request/ingress.ts";
import type { LoginSettings } from "../settings/settings.ts";
import { clientOf, configuredProviders, isGuest, providerNames, readSigner } from "./client.ts";
import { ssoProblems } from "./sso.ts";

/** Checks what single settings cannot say of each other. Throws: SettingsError with every problem at once. */
export async function checkTogether(settings: LoginSettings, ingresses: readonly Ingress[]): Promise<void> {
  const problems = [
    ...addressProblems(settings, ingresses),
    ...ssoProblems(settings, ingresses),
    ...(await providerProblems(settings)),
    ...(await edgeProblems(settings)),
    ...thrownBy(
      "PORTVAKT_LOGIN_ENCRYPTION_KEYS",
      () => settings.encryptionKeys.length > 0 && createKeyRing(settings.encryptionKeys),
    ),
  ];
  if (problems.length > 0) throw new SettingsError(problems);
}

function addressProblems(
  settings: Pick<LoginSettings, "upstreamIp" | "upstreamPort" | "cookieSecure" | "cookieSameSite">,
  ingresses: readonly Ingress[],
): Problem[] {
  const problems: Problem[] = [];
  if ((settings.upstreamIp === undefined) !== (settings.upstreamPort === 0))
    problems.push({
      env: "PORTVAKT_LOGIN_UPSTREAM_IP",
      problem: "and PORTVAKT_LOGIN_UPSTREAM_PORT must be set together",
    });
  if (!settings.cookieSecure && ingresses.some((ingress) => ingress.secure))
    problems.push({
      env: "PORTVAKT_LOGIN_COOKIE_SECURE",
      problem: "may be false only where every ingress is plain http on this machine",
    });
  if (settings.cookieSameSite === "None" && ingresses.some((ingress) => !ingress.secure))
    problems.push({
      env: "PORTVAKT_LOGIN_COOKIE_SAME_SITE",
      problem: "may be None only where every ingress is https",
    });
  return problems;
}

async function providerProblems(settings: LoginSettings): Promise<Problem[]> {
  const configured = configuredProviders(settings);
  const problems = thrownBy("PORTVAKT_LOGIN_PROVIDER_PATHS", () =>
    compileProviderPaths(settings.providerPaths, providerNames(settings)),
  );
  for (const { habits, general } of configured) {
    const client = clientOf(settings, habits, general);
    if (Array.isArray(client)) problems.push(...client);
    else if (client.jwk !== undefined)
      problems.push(
        ...(await keyProblems(habits.variables?.clientJwk ?? "PORTVAKT_LOGIN_CLIENT_JWK", client.jwk)),
      );
  }
  return problems;
}

async function edgeProblems(settings: LoginSettings): Promise<Problem[]> {
  const exchanged =
    isGuest(settings) || configuredProviders(settings).some(({ habits }) => habits.name !== "entra");
  if (settings.upstreamAudience === undefined || !exchanged) return [];
  const needed = {
    TOKEN_X_CLIENT_ID: settings.tokenxClientId,
    TOKEN_X_PRIVATE_JWK: settings.tokenxJwk,
    TOKEN_X_WELL_KNOWN_URL: settings.tokenxWellKnownUrl,
  };
  const hint = "exchange at the edge (PORTVAKT_LOGIN_UPSTREAM_AUDIENCE) needs it";
  const missing = Object.entries(needed).flatMap(([env, value]) =>
    value === undefined ? [{ env, problem: "is not set", hint }] : [],
  );
  return settings.tokenxJwk === undefined
    ? missing
    : [...missing, ...(await keyProblems("TOKEN_X_PRIVATE_JWK", settings.tokenxJwk))];
}

async function keyProblems(env: string, jwk: Secret): Promise<Problem[]> {
  return readSigner(jwk).then(
    () => [],
    (error: unknown) => [{ env, problem: error instanceof Error ? error.message : "cannot be used" }],
  );
}

/** Messages of these readers never hold the value of a secret. */
function thrownBy(env: string, read: () => unknown): Problem[] {
  try {
    read();
    return [];
  } catch (error) {
    return [{ env, problem: error instanceof Error ? error.message : "cannot be read" }];
  }
}
