import { formatCode } from "../format";

/** A shipment's status. The colour repeats what the word says. */
export function Status({ code }: { code: string }) {
  return <span className={`status status-${code}`}>{formatCode(code)}</span>;
}
