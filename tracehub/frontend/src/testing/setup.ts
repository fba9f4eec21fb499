import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

import { setSession } from "../session";
import { FakeSocket } from "./socket";

// A busy machine is no failure.
configure({ asyncUtilTimeout: 5_000 });

beforeEach(() => {
  // jsdom has neither.
  vi.stubGlobal("scrollTo", vi.fn());
  vi.stubGlobal("WebSocket", FakeSocket);
});

afterEach(() => {
  cleanup();
  setSession(null);
  history.replaceState(null, "", "/");
  FakeSocket.all.length = 0;
});
