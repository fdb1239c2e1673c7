// Errors for HTTP callers: problem details (RFC 9457).

export interface ProblemDetails {
  readonly title: string;
  readonly detail?: string;
  /** A URI for the kind of problem (section 3.1.1); left out, it means "about:blank". */
  readonly type?: string;
  /** Extension members (section 3.2). */
  readonly [member: string]: unknown;
}

/** A response of type application/problem+json (RFC 9457 section 3). It is never cached. */
export function problem(
  status: number,
  details: ProblemDetails,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify({ ...details, status }), {
    status,
    headers: { ...headers, "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}

/** Thrown by a handler to answer with a problem; its title and detail are for the caller to read, so no secret belongs in them. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly details: ProblemDetails;
  constructor(status: number, details: ProblemDetails, options?: ErrorOptions) {
    super(details.detail ?? details.title, options);
    this.name = "HttpProblem";
    this.status = status;
    this.details = details;
  }
  toResponse(): Response {
    return problem(this.status, this.details);
  }
}
