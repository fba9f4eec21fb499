import { useEffect, useRef } from "react";

let firstOfLoad = true;

/** A page's heading. It names the document and takes the focus when the app changes the page. */
export function Heading({ children }: { children: string }) {
  const ref = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = `${children} · TraceHub`;
  }, [children]);

  useEffect(() => {
    // After a real page load the browser starts at the top, with the skip link.
    if (!firstOfLoad) {
      scrollTo(0, 0);
      ref.current?.focus();
    }
    firstOfLoad = false;
  }, []);

  return (
    <h1 ref={ref} tabIndex={-1}>
      {children}
    </h1>
  );
}
