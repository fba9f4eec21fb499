import type { ReactNode } from "react";

import { useLive } from "../live";
import { setSession, type User } from "../session";
import type { LiveState } from "../socket";
import { ReleaseBanner } from "./banner";
import { Link } from "./link";

const STATES: Record<LiveState, string> = {
  connecting: "Connecting",
  open: "Live",
  waiting: "Reconnecting",
};

/** What surrounds every page of somebody who is logged in. */
export function Shell({ user, children }: { user: User; children: ReactNode }) {
  const { state } = useLive();
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="top">
        <Link className="brand" href="/">
          TraceHub
        </Link>
        <span className={`live live-${state}`}>{STATES[state]}</span>
        <span className="user">{user.name}</span>
        <button
          type="button"
          className="plain"
          onClick={() => {
            setSession(null);
          }}
        >
          Log out
        </button>
      </header>
      <ReleaseBanner />
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
