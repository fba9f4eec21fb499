import { vi } from "vitest";

type Answer = (request: Request, url: URL) => Response | Promise<Response>;

/** Stands in for fetch: answers by "METHOD /path", 404 otherwise. Returns what was asked. */
export function serve(answers: Record<string, Answer>): Request[] {
  const asked: Request[] = [];
  vi.stubGlobal("fetch", async (path: string, init?: RequestInit) => {
    const url = new URL(path, location.href);
    const request = new Request(url, init);
    asked.push(request);
    const answer = answers[`${request.method} ${url.pathname}`];
    return answer ? answer(request, url) : Response.json({ detail: "not found" }, { status: 404 });
  });
  return asked;
}

/** The answer of GET /version. */
export function version(tag: string): Response {
  return Response.json({ tag, git_sha: `sha-of-${tag}`, head: "0009", slot: "blue" });
}
