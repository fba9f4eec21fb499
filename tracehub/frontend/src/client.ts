import { session, setSession } from "./session";

/** An answer that is not 2xx; its message is fit to be shown. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Sends a request below /api/v1 with the session's token. Throws ApiError. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const sent = session()?.token;
  if (sent) headers.set("Authorization", `Bearer ${sent}`);

  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "The server cannot be reached. Check the connection and try again.");
  }
  if (response.ok) return response;
  // A late answer to an old token must not end the session that followed it.
  if (response.status === 401 && sent && sent === session()?.token) setSession(null);
  throw new ApiError(response.status, (await detail(response)) ?? explain(response.status));
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, signal ? { signal } : {});
  return (await response.json()) as T;
}

export async function postJson<T>(path: string, body: unknown): Promise<T> {
  const response = await request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await response.json()) as T;
}

// nginx answers with HTML, the api with {"detail": "..."}.
async function detail(response: Response): Promise<string | null> {
  try {
    const body = (await response.json()) as { detail?: unknown };
    return typeof body.detail === "string" ? sentence(body.detail) : null;
  } catch {
    return null;
  }
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/\.$/, "")}.`;
}

function explain(status: number): string {
  switch (status) {
    case 401:
      return "Log in again.";
    case 404:
      return "There is no such thing here.";
    case 413:
      return "The file is too large.";
    case 429:
      return "Too many tries. Wait a minute and try again.";
    case 503:
      return "TraceHub is being maintained. Try again in a few minutes.";
    default:
      return `The server answered with an error (${status}).`;
  }
}
