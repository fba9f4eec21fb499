import { act, render, screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";

import { App } from "./app";
import { setSession } from "./session";
import { SESSION, shipment, summary } from "./testing/sample";
import { serve, version } from "./testing/server";
import { FakeSocket } from "./testing/socket";

const found = (page: { items: unknown[]; total: number }) => () => Response.json(page);

describe("somebody who is not logged in", () => {
  it("is told when the password is wrong, and keeps the email", async () => {
    serve({
      "POST /api/v1/auth/login": () =>
        Response.json({ detail: "wrong email or password" }, { status: 401 }),
    });
    render(<App />);
    await userEvent.type(screen.getByLabelText("Email"), "demo@tracehub.example");
    await userEvent.type(screen.getByLabelText("Password"), "wrong{Enter}");
    expect(await screen.findByText("Wrong email or password.")).toBeTruthy();
    expect(screen.getByLabelText<HTMLInputElement>("Email").value).toBe("demo@tracehub.example");
  });

  it("gets to the list by logging in", async () => {
    const asked = serve({
      "POST /api/v1/auth/login": () =>
        Response.json({ access_token: SESSION.token, user: SESSION.user }),
      "GET /api/v1/shipments": found({ items: [], total: 0 }),
    });
    render(<App />);
    await userEvent.type(screen.getByLabelText("Email"), "demo@tracehub.example");
    await userEvent.type(screen.getByLabelText("Password"), "right{Enter}");
    expect(await screen.findByText("No shipment matches.")).toBeTruthy();
    expect(await asked[0]?.json()).toEqual({ email: "demo@tracehub.example", password: "right" });
    expect(document.activeElement).toBe(screen.getByRole("heading", { name: "Shipments" }));
  });
});

describe("the list", () => {
  beforeEach(() => {
    setSession(SESSION);
  });

  it("searches once the typing pauses, from the first page, and keeps the word in the address", async () => {
    const asked = serve({
      "GET /api/v1/shipments": found({ items: [summary(1)], total: 60 }),
    });
    history.replaceState(null, "", "/?page=2");
    render(<App />);
    await screen.findByRole("link", { name: "TH-000001" });
    expect(screen.getByText("Page 2 of 3")).toBeTruthy();

    await userEvent.type(screen.getByLabelText("Search"), "MSKU");
    await waitFor(() => {
      expect(asked.at(-1)?.url).toContain("q=MSKU&limit=25&offset=0");
    });
    expect(asked.filter(({ url }) => url.includes("q="))).toHaveLength(1);
    expect(location.search).toBe("?q=MSKU");
  });

  it("shows an error and tries again", async () => {
    let broken = true;
    serve({
      "GET /api/v1/shipments": () =>
        broken
          ? Response.json({ detail: "database away" }, { status: 500 })
          : Response.json({ items: [summary(1)], total: 1 }),
    });
    render(<App />);
    await screen.findByText("Database away.");
    broken = false;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByText("1 shipment");
    expect(screen.queryByText("Database away.")).toBeNull();
  });

  it("goes back to the login when the token has expired", async () => {
    serve({
      "GET /api/v1/shipments": () => Response.json({ detail: "expired" }, { status: 401 }),
    });
    render(<App />);
    await screen.findByRole("heading", { name: "Log in" });
  });
});

describe("a shipment", () => {
  beforeEach(() => {
    setSession(SESSION);
    history.replaceState(null, "", "/shipments/5");
  });

  it("shows its events, the newest first", async () => {
    serve({ "GET /api/v1/shipments/5": () => Response.json(shipment(5)) });
    render(<App />);
    await screen.findByRole("heading", { name: "TH-000005" });
    const events = screen.getByRole("region", { name: "Events" }).querySelectorAll("strong");
    expect([...events].map((event) => event.textContent)).toEqual(["Departed", "Gate in"]);
  });

  it("is fetched anew by an event of its own, and by no other", async () => {
    const asked = serve({ "GET /api/v1/shipments/5": () => Response.json(shipment(5)) });
    const fetches = () => asked.filter(({ url }) => url.endsWith("/shipments/5")).length;
    render(<App />);
    await screen.findByRole("heading", { name: "TH-000005" });
    const before = fetches();

    act(() => {
      FakeSocket.latest().open();
      FakeSocket.latest().receive({ type: "event", shipment_id: 6 });
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(fetches()).toBe(before);

    act(() => {
      FakeSocket.latest().receive({ type: "event", shipment_id: 5 });
      FakeSocket.latest().receive({ type: "event", shipment_id: 5 });
    });
    await waitFor(() => {
      expect(fetches()).toBe(before + 1);
    });
  });

  it("is fetched anew after a reconnection, for what was missed in between", async () => {
    const asked = serve({ "GET /api/v1/shipments/5": () => Response.json(shipment(5)) });
    const fetches = () => asked.filter(({ url }) => url.endsWith("/shipments/5")).length;
    render(<App />);
    await screen.findByRole("heading", { name: "TH-000005" });
    act(() => {
      FakeSocket.latest().open();
    });
    expect(fetches()).toBe(1);

    act(() => {
      FakeSocket.latest().close(1012);
      dispatchEvent(new Event("online"));
      FakeSocket.latest().open();
    });
    await waitFor(() => {
      expect(fetches()).toBe(2);
    });
  });

  it("takes a document and then lists it", async () => {
    const state = shipment(5);
    const asked = serve({
      "GET /api/v1/shipments/5": () => Response.json(state),
      "POST /api/v1/shipments/5/documents": () => {
        state.documents.push({
          id: 8,
          name: "invoice.pdf",
          size_bytes: 5,
          uploaded_at: "2026-02-03T00:00:00Z",
        });
        return Response.json({ id: 8 }, { status: 201 });
      },
    });
    render(<App />);
    const file = new File(["hello"], "invoice.pdf", { type: "application/pdf" });
    await userEvent.upload(await screen.findByLabelText("Add a document"), file);
    await userEvent.click(screen.getByRole("button", { name: "Upload" }));
    await screen.findByText("invoice.pdf was uploaded.");
    await screen.findByRole("button", { name: "Download invoice.pdf" });
    const sent = asked.find(({ method }) => method === "POST");
    expect(sent?.headers.get("Authorization")).toBe("Bearer t0ken");
  });

  it("says why a document was refused", async () => {
    serve({
      "GET /api/v1/shipments/5": () => Response.json(shipment(5)),
      "POST /api/v1/shipments/5/documents": () => new Response("<html>", { status: 413 }),
    });
    render(<App />);
    await userEvent.click(await screen.findByRole("button", { name: "Upload" }));
    await screen.findByText("Choose a file first.");

    await userEvent.upload(screen.getByLabelText("Add a document"), new File(["x"], "x"));
    await userEvent.click(screen.getByRole("button", { name: "Upload" }));
    await screen.findByText("The file is too large.");
  });
});

describe("the banner", () => {
  it("appears when the server comes back with another release", async () => {
    setSession(SESSION);
    let tag = "1.0.0";
    serve({
      "GET /api/v1/shipments": found({ items: [], total: 0 }),
      "GET /version": () => version(tag),
    });
    render(<App />);
    act(() => {
      FakeSocket.latest().open();
    });
    await screen.findByText("Live");
    await screen.findByText("No shipment matches.");
    expect(screen.queryByText(/was updated/)).toBeNull();

    tag = "1.1.0";
    act(() => {
      FakeSocket.latest().close(1012);
    });
    expect(screen.getByText("Reconnecting")).toBeTruthy();
    await waitFor(() => {
      expect(FakeSocket.all.at(-1)?.readyState).toBe(0);
    });
    act(() => {
      FakeSocket.latest().open();
    });
    await screen.findByText(/was updated to 1\.1\.0/);
  });
});
