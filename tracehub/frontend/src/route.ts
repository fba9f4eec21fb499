import { useSyncExternalStore } from "react";

/** Goes to a path of this app without loading the page anew. */
export function navigate(to: string, how: "push" | "replace" = "push"): void {
  if (how === "push") history.pushState(null, "", to);
  else history.replaceState(null, "", to);
  dispatchEvent(new PopStateEvent("popstate"));
}

/** The current path with its query, e.g. `/?q=MSKU`. */
export function useLocation(): URL {
  return new URL(useSyncExternalStore(subscribe, () => location.href));
}

function subscribe(tell: () => void): () => void {
  addEventListener("popstate", tell);
  return () => {
    removeEventListener("popstate", tell);
  };
}
