import { span } from "@portvakt/explain";
import { peekJwt } from "@portvakt/oauth";
import type { DevApplication, DevState } from "../running/state.ts";
import { controlApi } from "../running/control.ts";
import { CommandError, exitCodes, usageError, type ExitCode } from "../failure.ts";
import { declaration, type Declaration } from "../manifests/declared.ts";
import { applicationNamed } from "../manifests/names.ts";
import { personNamed, type Person } from "../manifests/personas.ts";
import { flag, text, texts, type Arguments, type Surroundings } from "../verb.ts";
import { chainTo } from "./chain.ts";
import { tokenApi, type Refused, type TokenApi } from "./token-api.ts";

/** What somebody asked for. */
interface Wish {
  readonly declared: Declaration;
  readonly running: DevState;
  /** Who calls. */
  readonly caller: DevApplication;
  readonly target: string | undefined;
  readonly person: Person | undefined;
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  readonly now: number;
}

interface Obtained {
  readonly access_token: string;
  readonly expires_in: number | undefined;
  /** How it was got, for people. */
  readonly how: string;
}

/** `portvakt token`: a token for curl, got the way an application gets it, from the platform that runs here. */
export async function runToken(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const { terminal } = around;
  const wish = await wishOf(args, around);
  const obtained = await obtain(wish);
  if ("refusal" in obtained) {
    throw new CommandError(obtained.refusal, { hints: obtained.hints, exitCode: exitCodes.no });
  }
  const { access_token: token, expires_in: lives, how } = obtained;
  if (flag(args, "json")) terminal.out(`${JSON.stringify(obtained)}\n`);
  else terminal.out(`${token}\n`);
  if (!flag(args, "quiet") && !flag(args, "json")) {
    terminal.err(terminal.paint("dim", `${how}${lives === undefined ? "" : `; it lives ${span(lives)}`}\n`));
  }
  return exitCodes.yes;
}

async function wishOf(args: Arguments, around: Surroundings): Promise<Wish> {
  const as = text(args, "as");
  const to = text(args, "to");
  const user = text(args, "user");
  const scopes = texts(args, "scope").flatMap((value) => value.split(/[ ,]+/));
  if (as === undefined) throw usageError("token wants --as: the application that calls", "token");
  if (to === undefined && scopes.length === 0) {
    throw usageError(
      "token wants --to, the application to call, or --scope, what to ask Maskinporten for",
      "token",
    );
  }
  const declared = await declaration("token", args, around);
  const { running } = declared;
  if (running === undefined) {
    throw new CommandError("no platform runs here, and tokens come from its stand-ins only", {
      hints: [
        "start one with `portvakt dev -f app.yaml` or `portvakt dev --demo`, in this folder or with the same --state",
      ],
    });
  }
  return {
    declared,
    running,
    caller: runningApplication(applicationNamed(as, declared), running),
    target: to === undefined ? undefined : applicationNamed(to, declared),
    person: user === undefined ? undefined : await personNamed(user, running),
    scopes,
    claims: claimsOf(texts(args, "claim")),
    now: around.now(),
  };
}

/** An application as the running platform knows it. *Throws*: CommandError. */
export function runningApplication(id: string, running: DevState): DevApplication {
  const application = Object.values(running.applications).find((one) => one.id === id);
  if (application?.tokens !== undefined) return application;
  throw new CommandError(
    application === undefined
      ? `${id} does not run here`
      : `${id} uses no provider, so that it has no token API`,
    { hints: ["its manifest says which providers it uses: tokenx, azure, maskinporten, idporten"] },
  );
}

/** `name=value`; a value that is JSON (a number, true, a list) counts as such. */
function claimsOf(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw usageError(`--claim wants name=value, not ${pair}`, "token");
      return [pair.slice(0, at), valueOf(pair.slice(at + 1))];
    }),
  );
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function obtain(wish: Wish): Promise<Obtained | Refused> {
  const { person, caller, target, scopes } = wish;
  const api = tokenApi(caller);
  if (target === undefined) {
    const answer = await api.machine("maskinporten", scopes.join(" "));
    return await finished(wish, answer, "maskinporten", `Maskinporten, for ${scopes.join(" ")}`);
  }
  if (person === undefined) {
    const answer = await api.machine("entra_id", target);
    return await finished(wish, answer, "entra", `Entra ID, for ${target}: ${caller.id} as itself`);
  }
  const about = `for ${target}: ${caller.id} on behalf of ${person.name}`;
  if (person.kind === "employee")
    return await finished(wish, await onBehalf(wish, api, target), "entra", `Entra ID, ${about}`);
  return await finished(wish, await exchanged(wish, target), undefined, `TokenX, ${about}`);
}

type Answer = Awaited<ReturnType<TokenApi["machine"]>>;

/** An employee's token for the caller, exchanged by the caller. */
async function onBehalf(
  { running, caller, person, scopes }: Wish,
  api: TokenApi,
  target: string,
): Promise<Answer> {
  const { entra } = caller.clients;
  if (entra === undefined) return notUsing(caller, "Entra ID", "spec.azure.application.enabled");
  const userToken = await controlApi(running).token({
    provider: "entra",
    persona: person?.id,
    client_id: entra,
    audience: entra,
  });
  return await api.exchange("entra_id", scopes.length > 0 ? scopes.join(" ") : target, userToken);
}

/** A citizen's sign-in at the first application of a chain, exchanged from one to the next. */
async function exchanged(wish: Wish, target: string): Promise<Answer> {
  const { running, caller, person, claims, declared, now } = wish;
  if (caller.clients["tokenx"] === undefined) return notUsing(caller, "TokenX", "spec.tokenx.enabled");
  const chain = chainTo(caller, running, declared, now);
  if (chain === undefined) {
    return {
      refusal: `no application that citizens sign in to may call ${caller.id}, so that no citizen's token reaches it`,
      hints: [
        "give the manifest of such an application too (spec.idporten.sidecar.enabled), and an inbound rule for it",
      ],
    };
  }
  const [first] = chain;
  let token = await controlApi(running).token({
    provider: "idporten",
    persona: person?.id,
    client_id: first?.clients["idporten"],
    claims,
  });
  let answer: Answer | undefined;
  for (const [index, application] of chain.entries()) {
    answer = await tokenApi(application).exchange("tokenx", chain[index + 1]?.id ?? target, token);
    if ("refusal" in answer) return answer;
    token = answer.access_token;
  }
  return answer ?? { refusal: "there is nothing to exchange", hints: [] };
}

function notUsing({ id }: DevApplication, provider: string, field: string): Refused {
  return { refusal: `${id} does not use ${provider}`, hints: [`set ${field}: true in its manifest`] };
}

/**
 * The token as it came; with `--claim`, one that a stand-in signs with the same claims and these. TokenX is no stand-in: a
 * citizen's claims went into the first token of the chain, and TokenX takes over what it always does.
 */
async function finished(
  wish: Wish,
  answer: Answer,
  provider: "entra" | "maskinporten" | undefined,
  how: string,
): Promise<Obtained | Refused> {
  if ("refusal" in answer) return answer;
  const decoded = peekJwt(answer.access_token);
  if (provider === undefined || Object.keys(wish.claims).length === 0 || decoded === undefined)
    return { ...answer, how };
  const { iat: _iat, exp: _exp, nbf: _nbf, jti: _jti, ...same } = decoded.claims;
  const access_token = await controlApi(wish.running).token({
    provider,
    claims: { ...same, ...wish.claims },
  });
  return { ...answer, access_token, how: `${how}, with claims of yours` };
}
