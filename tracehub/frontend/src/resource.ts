import { useCallback, useEffect, useState } from "react";

import { getJson } from "./client";

export interface Resource<T> {
  /** The newest that was fetched, of the path before while a new path loads. */
  data: T | null;
  error: string | null;
  loading: boolean;
  reload: () => void;
}

/** What the api holds at a path, fetched anew when the path changes or on `reload`. */
export function useResource<T>(path: string): Resource<T> {
  const [answer, setAnswer] = useState<{ path: string; data: T | null; error: string | null }>();
  const [round, setRound] = useState(0);

  useEffect(() => {
    const abort = new AbortController();
    const settle = (next: (old: T | null) => { data: T | null; error: string | null }) => {
      if (!abort.signal.aborted) {
        setAnswer((old) => ({ path, ...next(old?.data ?? null) }));
      }
    };
    getJson<T>(path, abort.signal).then(
      (data) => {
        settle(() => ({ data, error: null }));
      },
      (error: unknown) => {
        settle((data) => ({ data, error: message(error) }));
      },
    );
    return () => {
      abort.abort();
    };
  }, [path, round]);

  return {
    data: answer?.data ?? null,
    error: answer?.path === path ? answer.error : null,
    loading: answer?.path !== path,
    reload: useCallback(() => {
      setRound((n) => n + 1);
    }, []),
  };
}

export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
