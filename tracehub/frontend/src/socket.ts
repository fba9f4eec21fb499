/** Something happened to a shipment. */
export interface LiveEvent {
  shipment_id: number;
}

export type LiveState = "connecting" | "open" | "waiting";

export interface LiveHandlers {
  onState: (state: LiveState) => void;
  onEvent: (event: LiveEvent) => void;
  /** The server refuses the token; there will be no further try. */
  onDenied: () => void;
}

const FIRST_MS = 500;
const LONGEST_MS = 15_000;
/** Policy violation: what the api says of a bad token. */
const DENIED = 1008;

/** How long to wait before try number `tries` (from 0), with `random` in [0, 1). */
export function backoff(tries: number, random: number): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** tries);
  // Half of it is chance, so that the clients of a restarted server do not return as one.
  return ceiling / 2 + (ceiling / 2) * random;
}

/** Keeps one websocket to the server open until stopped. Returns the stop. */
export function keepOpen(token: string, handlers: LiveHandlers): () => void {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tries = 0;
  let stopped = false;

  const connect = () => {
    clearTimeout(timer);
    handlers.onState("connecting");
    socket = new WebSocket(address(token));
    socket.onopen = () => {
      tries = 0;
      handlers.onState("open");
    };
    socket.onmessage = (message: MessageEvent<string>) => {
      const event = parse(message.data);
      if (event) handlers.onEvent(event);
    };
    // 1012 (the server restarts: a release switch) needs no case of its own: the
    // next try after a connection that was open comes within half a second.
    socket.onclose = ({ code }) => {
      if (stopped) return;
      if (code === DENIED) {
        handlers.onDenied();
        return;
      }
      handlers.onState("waiting");
      timer = setTimeout(connect, backoff(tries, Math.random()));
      tries += 1;
    };
  };

  // A laptop that wakes up or finds its network again need not wait out the backoff.
  const wake = () => {
    if (socket?.readyState === WebSocket.CLOSED) connect();
  };

  connect();
  addEventListener("online", wake);
  return () => {
    stopped = true;
    clearTimeout(timer);
    removeEventListener("online", wake);
    socket?.close(1000);
  };
}

function address(token: string): string {
  const url = new URL("/ws", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("token", token);
  return url.href;
}

// The server also says hello, which concerns no shipment.
function parse(text: string): LiveEvent | null {
  try {
    const event = JSON.parse(text) as Partial<LiveEvent> | null;
    return typeof event?.shipment_id === "number" ? { shipment_id: event.shipment_id } : null;
  } catch {
    return null;
  }
}
