import { useEffect, useState } from "react";

const POLL_MS = 60_000;

export interface Release {
  tag: string;
  git_sha: string;
}

async function fetchRelease(): Promise<Release | null> {
  try {
    const response = await fetch("/version", { cache: "no-store" });
    return response.ok ? ((await response.json()) as Release) : null;
  } catch {
    // A server that is away for a moment says nothing about its release.
    return null;
  }
}

/** The server's new release once it differs from the one this page first saw. `connections` asks at once when it grows. */
export function useNewRelease(connections: number): Release | null {
  const [first, setFirst] = useState<Release | null>(null);
  const [latest, setLatest] = useState<Release | null>(null);

  useEffect(() => {
    let gone = false;
    const ask = () => {
      void fetchRelease().then((release) => {
        if (gone || !release) return;
        setFirst((known) => known ?? release);
        setLatest(release);
      });
    };
    ask();
    const timer = setInterval(ask, POLL_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [connections]);

  const changed = first && latest && (first.tag !== latest.tag || first.git_sha !== latest.git_sha);
  return changed ? latest : null;
}
