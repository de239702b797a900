/** Properties that every page gets from app.tsx. */
import type { Live } from "./live.ts";
import type { Site } from "./site.ts";

/** Properties of every page. */
export interface PageProps {
  readonly site: Site;
  readonly live: Live;
  /** Parts of the address after the page's name. */
  readonly rest: readonly string[];
}
