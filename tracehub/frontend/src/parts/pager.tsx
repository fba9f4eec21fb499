import { formatNumber } from "../format";
import { Link } from "./link";

interface Props {
  page: number;
  pages: number;
  href: (page: number) => string;
}

export function Pager({ page, pages, href }: Props) {
  if (pages < 2 && page === 1) return null;
  return (
    <nav className="pager" aria-label="Pages">
      <Step to={page > 1 ? href(page - 1) : null} label="Previous" />
      <span>
        Page {formatNumber(page)} of {formatNumber(pages)}
      </span>
      <Step to={page < pages ? href(page + 1) : null} label="Next" />
    </nav>
  );
}

// A link that leads nowhere stays in its place, so that the other does not move.
function Step({ to, label }: { to: string | null; label: string }) {
  if (to) {
    return (
      <Link className="button" href={to}>
        {label}
      </Link>
    );
  }
  return (
    <span className="button" aria-disabled="true">
      {label}
    </span>
  );
}
