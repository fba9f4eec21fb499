import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { backoff, keepOpen, type LiveHandlers } from "./socket";
import { FakeSocket } from "./testing/socket";

describe("backoff", () => {
  it("doubles up to a limit and leaves half of it to chance", () => {
    expect([0, 1, 2, 3].map((tries) => backoff(tries, 1))).toEqual([500, 1000, 2000, 4000]);
    expect(backoff(0, 0)).toBe(250);
    expect(backoff(2000, 1)).toBe(15_000);
  });
});

describe("keepOpen", () => {
  const handlers = {
    onState: vi.fn<LiveHandlers["onState"]>(),
    onEvent: vi.fn<LiveHandlers["onEvent"]>(),
    onDenied: vi.fn<LiveHandlers["onDenied"]>(),
  };
  let stop: () => void;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(1);
    Object.values(handlers).forEach((handler) => handler.mockReset());
    stop = keepOpen("a b", handlers);
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  it("connects with the token and passes events on", () => {
    expect(FakeSocket.latest().url).toBe("ws://localhost:3000/ws?token=a+b");
    FakeSocket.latest().open();
    FakeSocket.latest().receive({ type: "event", shipment_id: 5 });
    FakeSocket.latest().receive({ type: "hello", tag: "1.0.0", slot: "blue" });
    FakeSocket.latest().receive(null);
    expect(handlers.onEvent.mock.calls).toEqual([[{ shipment_id: 5 }]]);
  });

  it("is back within half a second after the server's restart (1012)", () => {
    FakeSocket.latest().open();
    FakeSocket.latest().close(1012);
    expect(handlers.onState).toHaveBeenLastCalledWith("waiting");
    vi.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(2);
    FakeSocket.latest().open();
    expect(handlers.onState).toHaveBeenLastCalledWith("open");
  });

  it("waits longer after each try that failed, and anew after one that did not", () => {
    FakeSocket.latest().close(1006);
    vi.advanceTimersByTime(500);
    FakeSocket.latest().close(1006);
    vi.advanceTimersByTime(999);
    expect(FakeSocket.all).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(3);

    FakeSocket.latest().open();
    FakeSocket.latest().close(1012);
    vi.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(4);
  });

  it("tries at once when the network returns, and only once", () => {
    FakeSocket.latest().close(1006);
    dispatchEvent(new Event("online"));
    expect(FakeSocket.all).toHaveLength(2);
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("gives up when the token is refused", () => {
    FakeSocket.latest().close(1008);
    vi.advanceTimersByTime(60_000);
    expect(handlers.onDenied).toHaveBeenCalledOnce();
    expect(FakeSocket.all).toHaveLength(1);
  });

  it("stays closed once stopped", () => {
    FakeSocket.latest().open();
    stop();
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });
});
