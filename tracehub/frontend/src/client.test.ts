import { describe, expect, it, vi } from "vitest";

import { ApiError, getJson, request } from "./client";
import { session, setSession } from "./session";
import { SESSION } from "./testing/sample";
import { serve } from "./testing/server";

describe("request", () => {
  it("carries the session's token", async () => {
    setSession(SESSION);
    const asked = serve({ "GET /api/v1/me": () => Response.json({ id: 1 }) });
    await expect(getJson("/me")).resolves.toEqual({ id: 1 });
    expect(asked[0]?.headers.get("Authorization")).toBe("Bearer t0ken");
  });

  it("says what the api says", async () => {
    serve({
      "GET /api/v1/me": () => Response.json({ detail: "no such user" }, { status: 404 }),
    });
    await expect(request("/me")).rejects.toEqual(new ApiError(404, "No such user."));
  });

  it.each([
    [413, "The file is too large."],
    [503, "TraceHub is being maintained. Try again in a few minutes."],
    [502, "The server answered with an error (502)."],
  ])("explains a proxy's %d", async (status, text) => {
    serve({ "GET /api/v1/me": () => new Response("<html>", { status }) });
    await expect(request("/me")).rejects.toThrow(text);
  });

  it("says so when there is no server", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(request("/me")).rejects.toThrow("cannot be reached");
  });

  it("ends the session when its token is refused", async () => {
    setSession(SESSION);
    serve({ "GET /api/v1/me": () => Response.json({ detail: "expired" }, { status: 401 }) });
    await expect(request("/me")).rejects.toThrow("Expired.");
    expect(session()).toBeNull();
  });

  it("keeps the session when an earlier one's token is refused late", async () => {
    setSession(SESSION);
    const next = { ...SESSION, token: "next" };
    serve({
      "GET /api/v1/me": () => {
        setSession(next);
        return Response.json({ detail: "expired" }, { status: 401 });
      },
    });
    await expect(request("/me")).rejects.toThrow("Expired.");
    expect(session()).toBe(next);
  });
});
