import {
  createContext,
  use,
  useEffect,
  useEffectEvent,
  useMemo,
  useState,
  type ReactNode,
} from "react";

import { setSession } from "./session";
import { keepOpen, type LiveEvent, type LiveState } from "./socket";

const GATHER_MS = 400;

type Listener = (event: LiveEvent) => void;

interface Live {
  state: LiveState;
  /** How often a connection was made. What was missed in between must be fetched. */
  connections: number;
  listeners: Set<Listener>;
}

const LiveContext = createContext<Live>({
  state: "connecting",
  connections: 0,
  listeners: new Set(),
});

export function LiveProvider({ token, children }: { token: string; children: ReactNode }) {
  const [state, setState] = useState<LiveState>("connecting");
  const [connections, setConnections] = useState(0);
  const [listeners] = useState(() => new Set<Listener>());

  useEffect(
    () =>
      keepOpen(token, {
        onState: (next) => {
          setState(next);
          if (next === "open") setConnections((n) => n + 1);
        },
        onEvent: (event) => {
          for (const listener of listeners) listener(event);
        },
        onDenied: () => {
          setSession(null);
        },
      }),
    [token, listeners],
  );

  const live = useMemo(() => ({ state, connections, listeners }), [state, connections, listeners]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

export function useLive(): Live {
  return use(LiveContext);
}

/** Calls `refresh` when an event that `concerns` it came in, and after every reconnection. */
export function useLiveRefresh(concerns: (event: LiveEvent) => boolean, refresh: () => void): void {
  const { connections, listeners } = useLive();
  const isMine = useEffectEvent(concerns);
  const onChange = useEffectEvent(refresh);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const listener = (event: LiveEvent) => {
      // A burst of events costs one request.
      if (isMine(event)) timer ??= setTimeout(fire, GATHER_MS);
    };
    const fire = () => {
      timer = undefined;
      onChange();
    };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      clearTimeout(timer);
    };
  }, [listeners]);

  // What is shown was fetched at the mount, so the page's first connection brings nothing new.
  const [known] = useState(Math.max(1, connections));
  useEffect(() => {
    if (connections > known) onChange();
  }, [connections, known]);
}
