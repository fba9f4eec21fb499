import type { ComponentProps, MouseEvent } from "react";

import { navigate } from "../route";

/** A link within the app. Opening it in another tab stays the browser's business. */
export function Link({ href, ...rest }: ComponentProps<"a"> & { href: string }) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    navigate(href);
  };
  return <a href={href} onClick={follow} {...rest} />;
}
