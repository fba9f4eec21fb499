interface Props {
  text: string | null;
  onRetry?: () => void;
}

/** An error that is read out when it appears. */
export function Notice({ text, onRetry }: Props) {
  return (
    <div role="alert">
      {text && (
        <p className="notice">
          {text}{" "}
          {onRetry && (
            <button type="button" className="plain" onClick={onRetry}>
              Try again
            </button>
          )}
        </p>
      )}
    </div>
  );
}
