import type { ProtocolError } from "@portvakt/oauth";
import { formPostPage } from "../pages/form-post.ts";
import type { AuthorizationRequest, SigninProvider } from "./provider.ts";
import type { Session } from "./logins.ts";

/** Sends the answer of an authorization request to the client by its response mode (OAuth 2.0 Multiple Response Types, Form Post). */
export async function answerRequest(
  provider: SigninProvider,
  request: AuthorizationRequest,
  members: Record<string, string>,
  session?: Session,
): Promise<Response> {
  const all = {
    ...members,
    ...(request.state === undefined ? {} : { state: request.state }),
    ...provider.responseMembers(request, session),
  };
  if (request.responseMode === "form_post") return formPostPage(provider.theme, request.redirectUri, all);
  const target = new URL(request.redirectUri);
  const encoded = new URLSearchParams(all);
  if (request.responseMode === "fragment") target.hash = encoded.toString();
  else for (const [name, value] of encoded) target.searchParams.append(name, value);
  return redirect(target.href);
}

/** Tells the client of a refusal at its redirect URI (RFC 6749 section 4.1.2.1). */
export function refuseRequest(
  provider: SigninProvider,
  request: AuthorizationRequest,
  error: ProtocolError,
): Promise<Response> {
  return answerRequest(provider, request, provider.inOwnWords(error));
}

/** A redirect that no cache keeps and that tells the next site nothing. 303, so that a form's POST becomes a GET. */
export function redirect(location: string, cookies: readonly string[] = []): Response {
  const headers = new Headers({ location, "cache-control": "no-store", "referrer-policy": "no-referrer" });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(null, { status: 303, headers });
}
