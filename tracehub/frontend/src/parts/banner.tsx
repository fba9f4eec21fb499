import { useLive } from "../live";
import { useNewRelease } from "../release";

/** Says that the server runs another release than the one this page came with. */
export function ReleaseBanner() {
  const release = useNewRelease(useLive().connections);
  return (
    <div role="status">
      {release && (
        <p className="banner">
          TraceHub was updated to {release.tag}.{" "}
          <button
            type="button"
            onClick={() => {
              location.reload();
            }}
          >
            Reload
          </button>
        </p>
      )}
    </div>
  );
}
