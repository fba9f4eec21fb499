import { useSyncExternalStore } from "react";

export interface User {
  id: number;
  email: string;
  name: string;
}

export interface Session {
  token: string;
  user: User;
}

const KEY = "tracehub.session";
const listeners = new Set<() => void>();
let current = restore();

// A tab's own storage: the token is gone when the tab is closed.
function restore(): Session | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Session | null;
  } catch {
    return null;
  }
}

export function session(): Session | null {
  return current;
}

export function setSession(next: Session | null): void {
  current = next;
  if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
  else sessionStorage.removeItem(KEY);
  for (const tell of listeners) tell();
}

export function useSession(): Session | null {
  return useSyncExternalStore(subscribe, session);
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}
